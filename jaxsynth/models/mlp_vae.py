"""Encoder and decoder of a variational autoencoder, of dense layers alone."""
import math
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.labels import beside
from jaxsynth.models.layers import Dense

KERNEL = nn.initializers.he_normal()


class Encoder(nn.Module):
  """Images (and labels) to a normal of latents: `[B, H, W, C] -> 2 x [B, latent_dim]`.

  Attributes:
    latent_dim: size of the latent.
    hidden: size of every layer.
    layers: how many, with relu; then the mean and the logarithm of the variance.
    num_classes: number of labels, given as one-hot beside the image; `None` for an
      unconditional network.
    dtype: of the computation; parameters and outputs are float32.
  """
  latent_dim: int
  hidden: int = 400
  layers: int = 1
  num_classes: int | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool
               ) -> tuple[Array, Array]:
    x = beside((x.reshape(len(x), -1) + 1) / 2, label, self.num_classes)
    x = _layers(x, self.hidden, self.layers, self.dtype)
    mean, log_variance = jnp.split(Dense(2 * self.latent_dim)(x.astype(jnp.float32)), 2, -1)
    return mean, log_variance


class Decoder(nn.Module):
  """Latents (and labels) to what a likelihood takes: `[B, latent_dim] -> [B, H, W, C]`.

  Attributes:
    image_shape: `(H, W, C)`, or another.
    hidden: size of every layer but the last.
    layers: how many, with relu, before the last.
    num_classes: number of labels, given as one-hot beside the latent; `None` for an
      unconditional network.
    dtype: of the computation; parameters and outputs are float32.
  """
  image_shape: tuple[int, ...] = (28, 28, 1)
  hidden: int = 400
  layers: int = 1
  num_classes: int | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    x = _layers(beside(z, label, self.num_classes), self.hidden, self.layers, self.dtype)
    x = Dense(math.prod(self.image_shape), dtype=self.dtype)(x)
    return x.reshape(-1, *self.image_shape).astype(jnp.float32)


def _layers(x: Array, hidden: int, layers: int, dtype: Any) -> Array:
  for _ in range(layers):
    x = nn.relu(Dense(hidden, dtype=dtype, kernel_init=KERNEL)(x))
  return x
