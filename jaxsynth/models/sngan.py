"""The residual networks of SNGAN (Miyato et al. 2018, https://arxiv.org/abs/1802.05957, table 4).

With 32x32x3 images, 256 and 128 channels and a latent of 128 numbers they are those of the paper's
CIFAR-10, of 4,276,739 and 1,053,825 parameters.
"""
from collections.abc import Callable
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.conditions import checked, one_hot
from jaxsynth.models.layers import Conv, Dense, spectral

KERNEL = nn.initializers.glorot_uniform()


class Generator(nn.Module):
  """Latents (and labels) to images: `[B, latent] -> [B, H, W, C]` in [-1, 1].

  A dense layer, then residual blocks that double the side by repeating pixels, batch norm, relu,
  a 3x3 convolution and tanh.

  Attributes:
    image_shape: `(H, W, C)`; sizes that the blocks do not divide are made larger and cropped.
    width: channels of every layer.
    blocks: how many; the first image is `2^blocks` times smaller a side.
    num_classes: number of labels, given as one-hot beside the latent; `None` for none.
    dtype: of the computation; parameters and statistics are float32.
    axis_name: mapped axis for global batch statistics under `pmap`.
  """
  image_shape: tuple[int, int, int] = (32, 32, 3)
  width: int = 256
  blocks: int = 3
  num_classes: int | None = None
  dtype: Any = jnp.float32
  axis_name: str | None = None

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    height, width, channels = self.image_shape
    h, w = (-(-n // 2 ** self.blocks) for n in (height, width))
    if self.num_classes is not None:
      z = jnp.concatenate([z, one_hot(label, self.num_classes, z.dtype)], -1)
    x = Dense(h * w * self.width, dtype=self.dtype, kernel_init=KERNEL)(z)
    x = x.reshape(-1, h, w, self.width)
    for _ in range(self.blocks):
      y = self._conv(_twice(nn.relu(self._norm(x, train))))
      x = self._conv(_twice(x), 1) + self._conv(nn.relu(self._norm(y, train)))
    x = self._conv(nn.relu(self._norm(x, train)), 3, channels)
    return jnp.tanh(x[:, :height, :width].astype(jnp.float32))

  def _conv(self, x: Array, kernel_size: int = 3, channels: int | None = None) -> Array:
    return Conv(channels or self.width, kernel_size, dtype=self.dtype, kernel_init=KERNEL)(x)

  def _norm(self, x: Array, train: bool) -> Array:
    return nn.BatchNorm(use_running_average=not train, momentum=.9, dtype=self.dtype,
                        axis_name=self.axis_name if train else None)(x)


class Discriminator(nn.Module):
  """Images (and labels) to logits: `[B, H, W, C] -> [B]`.

  Two residual blocks that halve the side by averaging, more that keep it, relu, the sum over
  places and a dense layer; a label adds a product of its own, https://arxiv.org/abs/1802.05637.

  Attributes:
    width: channels of every layer.
    blocks: how many, two at least.
    num_classes: number of labels, or `None`.
    dtype: of the computation; parameters and logits are float32.
    spectral_norm: whether weights are divided by their largest singular value.
  """
  width: int = 128
  blocks: int = 4
  num_classes: int | None = None
  dtype: Any = jnp.float32
  spectral_norm: bool = True

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool) -> Array:
    if self.blocks < 2:
      raise ValueError(f'blocks={self.blocks}: expected 2 at least, which halve the side')
    conv = lambda x, k=3: self._layer(
        Conv(self.width, k, dtype=self.dtype, kernel_init=KERNEL), train)(x)
    x = conv(_half(x), 1) + _half(conv(nn.relu(conv(x))))
    for block in range(1, self.blocks):
      y = conv(nn.relu(conv(nn.relu(x))))
      x = _half(conv(x, 1)) + _half(y) if block == 1 else x + y
    x = jnp.sum(nn.relu(x).astype(jnp.float32), (1, 2))
    logits = self._layer(Dense(1, kernel_init=KERNEL), train)(x)[:, 0]
    if self.num_classes is None:
      return logits
    table = nn.Embed(self.num_classes, self.width, embedding_init=KERNEL)
    return logits + jnp.sum(self._layer(table, train)(checked(label, self.num_classes)) * x, -1)

  def _layer(self, layer: nn.Module, train: bool) -> Callable[[Array], Array]:
    return spectral(layer, train) if self.spectral_norm else layer


def _twice(x: Array) -> Array:
  """Every pixel four times; in float32, where its gradient is a sum."""
  return x.astype(jnp.float32).repeat(2, 1).repeat(2, 2).astype(x.dtype)


def _half(x: Array) -> Array:
  """The mean of every four pixels; an odd side is padded by its edge."""
  wide = jnp.pad(x.astype(jnp.float32), [(0, 0), *((0, n % 2) for n in x.shape[1:3]), (0, 0)],
                 mode='edge')
  b, h, w, c = wide.shape
  return jnp.mean(wide.reshape(b, h // 2, 2, w // 2, 2, c), (2, 4)).astype(x.dtype)
