"""Encoder and decoder of a variational autoencoder of series: convolutions over time."""
import math
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.conv_vae import KERNEL
from jaxsynth.models.labels import beside
from jaxsynth.models.layers import Conv, ConvTranspose, Dense

OVER_TIME, HALVED = (3, 1), (2, 1)  # a series is an image of one column


class Encoder(nn.Module):
  """Series (and labels) to a normal of latents: `[B, T, C] -> 2 x [B, latent_dim]`.

  Two strided convolutions over time and a dense layer, with relu; then the mean and the logarithm
  of the variance. What else an example has than time counts as columns. After Desai et al. 2021,
  TimeVAE, https://arxiv.org/abs/2111.08095, without its blocks of trend and season.

  Attributes:
    latent_dim: size of the latent.
    width: channels of the first convolution; the second has twice as many.
    hidden: size of the dense layer.
    num_classes: number of labels, given as one-hot before the dense layer; `None` for an
      unconditional network.
    dtype: of the computation; parameters and outputs are float32.
  """
  latent_dim: int
  width: int = 32
  hidden: int = 256
  num_classes: int | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool
               ) -> tuple[Array, Array]:
    x = x.reshape(*x.shape[:2], 1, -1)
    for channels in (self.width, 2 * self.width):
      x = nn.relu(Conv(channels, OVER_TIME, HALVED, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = beside(x.reshape(len(x), -1), label, self.num_classes)
    x = nn.relu(Dense(self.hidden, dtype=self.dtype, kernel_init=KERNEL)(x))
    mean, log_variance = jnp.split(Dense(2 * self.latent_dim)(x.astype(jnp.float32)), 2, -1)
    return mean, log_variance


class Decoder(nn.Module):
  """Latents (and labels) to what a likelihood takes: `[B, latent_dim] -> [B, T, C]`.

  Two dense layers and two transposed convolutions over time with relu, then a convolution; beside
  it a straight line for each column, which is what prices of a month mostly are. Lengths that 4
  does not divide are made longer and cropped.

  Attributes:
    shape: `(T, C)`, or another that begins with time.
    width: channels of the last transposed convolution; the one before has twice as many.
    hidden: size of the first dense layer.
    num_classes: number of labels, given as one-hot beside the latent; `None` for an
      unconditional network.
    dtype: of the computation; parameters and outputs are float32.
  """
  shape: tuple[int, ...]
  width: int = 32
  hidden: int = 256
  num_classes: int | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    steps, columns = self.shape[0], math.prod(self.shape[1:])
    short = -(-steps // 4)
    x = beside(z, label, self.num_classes)
    level, slope = jnp.split(Dense(2 * columns)(x.astype(jnp.float32))[:, None], 2, -1)
    for size in (self.hidden, short * 2 * self.width):
      x = nn.relu(Dense(size, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = x.reshape(-1, short, 1, 2 * self.width)
    for size in (2 * self.width, self.width):
      x = nn.relu(ConvTranspose(size, OVER_TIME, HALVED, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = Conv(columns, OVER_TIME, dtype=self.dtype)(x)[:, :steps, 0].astype(jnp.float32)
    line = level + slope * jnp.linspace(-1, 1, steps)[None, :, None]
    return (x + line).reshape(-1, *self.shape)
