"""Encoder and decoder of an autoencoder whose latent is a grid of vectors."""
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.layers import Conv, ConvTranspose
from jaxsynth.models.residual_vae import Block

KERNEL = nn.initializers.he_normal()


class Encoder(nn.Module):
  """Images to a grid of vectors: `[B, H, W, C] -> [B, H / 4, W / 4, features]`, rounded up.

  Two strided convolutions, then residual blocks, as van den Oord et al. 2017,
  https://arxiv.org/abs/1711.00937, section 4.1.

  Attributes:
    features: of a vector.
    width: channels at half the image's size; twice as many at a quarter.
    layers: residual blocks.
    dtype: of the computation; parameters and outputs are float32.
  """
  features: int
  width: int = 32
  layers: int = 2
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, *, train: bool) -> Array:
    x = nn.silu(Conv(self.width, 4, 2, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = Conv(2 * self.width, 4, 2, dtype=self.dtype, kernel_init=KERNEL)(x)
    for _ in range(self.layers):
      x = Block(self.dtype)(x)
    return Conv(self.features, 1, dtype=self.dtype)(nn.silu(x)).astype(jnp.float32)


class Decoder(nn.Module):
  """A grid of vectors to what a likelihood takes: `[B, h, w, features] -> [B, H, W, C]`.

  A convolution, residual blocks and two transposed convolutions. Sizes that 4 does not divide are
  made larger and cropped.

  Attributes:
    image_shape: `(H, W, C)`.
    width: as the encoder's.
    layers: as the encoder's.
    dtype: of the computation; parameters and outputs are float32.
  """
  image_shape: tuple[int, int, int] = (28, 28, 1)
  width: int = 32
  layers: int = 2
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z: Array, *, train: bool) -> Array:
    height, width, channels = self.image_shape
    x = Conv(2 * self.width, 3, dtype=self.dtype, kernel_init=KERNEL)(z)
    for _ in range(self.layers):
      x = Block(self.dtype)(x)
    x = ConvTranspose(self.width, 4, 2, dtype=self.dtype, kernel_init=KERNEL)(nn.silu(x))
    x = ConvTranspose(channels, 4, 2, dtype=self.dtype)(nn.silu(x))
    return x[:, :height, :width].astype(jnp.float32)


def grid(image_shape: tuple[int, int, int]) -> tuple[int, int]:
  """`(h, w)` of the encoder's output.

  >>> grid((28, 30, 1))
  (7, 8)
  """
  return -(-image_shape[0] // 4), -(-image_shape[1] // 4)
