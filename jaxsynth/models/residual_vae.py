"""Residual convolutional encoder and decoder of a variational autoencoder.

No batch statistics, so an example's loss does not depend on the others in its batch.
"""
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.labels import beside
from jaxsynth.models.layers import Conv, ConvTranspose, Dense, Dropout

KERNEL = nn.initializers.he_normal()
DEEPER = 3  # times as many channels at a quarter of the image's size as at half of it


class Block(nn.Module):
  """`x + conv(silu(conv(silu(x))))`, whose second convolution starts at zero.

  After He et al. 2016, https://arxiv.org/abs/1603.05027.
  """
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array) -> Array:
    y = Conv(x.shape[-1], 3, dtype=self.dtype, kernel_init=KERNEL)(nn.silu(x))
    return x + Conv(x.shape[-1], 3, dtype=self.dtype,
                    kernel_init=nn.initializers.zeros)(nn.silu(y))


class Encoder(nn.Module):
  """Images (and labels) to a normal of latents: `[B, H, W, C] -> 2 x [B, latent_dim]`.

  Two strided convolutions, each with residual blocks, and a dense layer.

  Attributes:
    latent_dim: size of the latent.
    width: channels at half the image's size; a quarter of it has three times as many.
    hidden: size of the dense layer.
    layers: residual blocks at either size.
    num_classes: number of labels, given as one-hot before the dense layer; `None` for an
      unconditional network.
    dropout: rate on what the dense layer takes.
    dtype: of the computation; parameters and outputs are float32.
  """
  latent_dim: int
  width: int = 16
  hidden: int = 256
  layers: int = 1
  num_classes: int | None = None
  dropout: float = 0.
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool
               ) -> tuple[Array, Array]:
    for channels, kernel in ((self.width, 5), (DEEPER * self.width, 3)):
      x = Conv(channels, kernel, 2, dtype=self.dtype, kernel_init=KERNEL)(x)
      for _ in range(self.layers):
        x = Block(self.dtype)(x)
    x = Dropout(self.dropout, not train)(nn.silu(x.reshape(len(x), -1)))
    x = beside(x, label, self.num_classes)
    x = nn.silu(Dense(self.hidden, dtype=self.dtype, kernel_init=KERNEL)(x))
    mean, log_variance = jnp.split(Dense(2 * self.latent_dim)(x.astype(jnp.float32)), 2, -1)
    return mean, log_variance


class Decoder(nn.Module):
  """Latents (and labels) to what a likelihood takes: `[B, latent_dim] -> [B, H, W, C]`.

  The encoder's mirror image. Pixels are the channels of the last convolution, four for each,
  so that none is computed at the image's full size (Shi et al. 2016,
  https://arxiv.org/abs/1609.05158). Sizes that 4 does not divide are made larger and cropped.

  Attributes:
    image_shape: `(H, W, C)`.
    width: as the encoder's.
    hidden: size of the first dense layer.
    layers: as the encoder's.
    num_classes: number of labels, given as one-hot beside the latent; `None` for an
      unconditional network.
    dropout: rate on the dense layers.
    dtype: of the computation; parameters and outputs are float32.
  """
  image_shape: tuple[int, int, int] = (28, 28, 1)
  width: int = 16
  hidden: int = 256
  layers: int = 1
  num_classes: int | None = None
  dropout: float = 0.
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    height, width, channels = self.image_shape
    h, w = -(-height // 4), -(-width // 4)
    x = beside(z, label, self.num_classes)
    x = nn.silu(Dense(self.hidden, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = Dropout(self.dropout, not train)(x)
    x = Dense(h * w * DEEPER * self.width, dtype=self.dtype, kernel_init=KERNEL)(x)
    x = x.reshape(-1, h, w, DEEPER * self.width)
    for _ in range(self.layers):
      x = Block(self.dtype)(x)
    x = ConvTranspose(self.width, 3, 2, dtype=self.dtype, kernel_init=KERNEL)(nn.silu(x))
    for _ in range(self.layers):
      x = Block(self.dtype)(x)
    x = Conv(4 * channels, 3, dtype=self.dtype)(nn.silu(x))
    x = x.reshape(-1, 2 * h, 2 * w, 2, 2, channels).swapaxes(2, 3)
    x = x.reshape(-1, 4 * h, 4 * w, channels)
    return x[:, :height, :width].astype(jnp.float32)
