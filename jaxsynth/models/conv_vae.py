"""Convolutional encoder and decoder of a variational autoencoder.

No batch statistics, so an example's loss does not depend on the others in its batch.
"""
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.labels import beside
from jaxsynth.models.layers import Conv, ConvTranspose, Dense

KERNEL = nn.initializers.he_normal()


class Encoder(nn.Module):
  """Images (and labels) to a normal of latents: `[B, H, W, C] -> 2 x [B, latent_dim]`.

  Two strided convolutions and a dense layer, with relu; then the mean and the logarithm of
  the variance.

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
    for channels in (self.width, 2 * self.width):
      x = nn.relu(Conv(channels, 3, 2, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = beside(x.reshape(len(x), -1), label, self.num_classes)
    x = nn.relu(Dense(self.hidden, dtype=self.dtype, kernel_init=KERNEL)(x))
    mean, log_variance = jnp.split(Dense(2 * self.latent_dim)(x.astype(jnp.float32)), 2, -1)
    return mean, log_variance


class Decoder(nn.Module):
  """Latents (and labels) to what a likelihood takes: `[B, latent_dim] -> [B, H, W, C]`.

  Two dense layers and two transposed convolutions with relu, then a convolution. Sizes that
  4 does not divide are made larger and cropped.

  Attributes:
    image_shape: `(H, W, C)`.
    width: channels of the last transposed convolution; the one before has twice as many.
    hidden: size of the first dense layer.
    num_classes: number of labels, given as one-hot beside the latent; `None` for an
      unconditional network.
    dtype: of the computation; parameters and outputs are float32.
  """
  image_shape: tuple[int, int, int] = (28, 28, 1)
  width: int = 32
  hidden: int = 256
  num_classes: int | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    height, width, channels = self.image_shape
    h, w = -(-height // 4), -(-width // 4)
    x = beside(z, label, self.num_classes)
    for size in (self.hidden, h * w * 2 * self.width):
      x = nn.relu(Dense(size, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = x.reshape(-1, h, w, 2 * self.width)
    for size in (2 * self.width, self.width):
      x = nn.relu(ConvTranspose(size, 3, 2, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = Conv(channels, 3, dtype=self.dtype)(x)
    return x[:, :height, :width].astype(jnp.float32)
