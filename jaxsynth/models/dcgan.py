"""DCGAN (Radford et al. 2015, https://arxiv.org/abs/1511.06434) as the article draws it.

The default arguments give the article's networks: 1,869,697 and 419,329
trainable parameters. The initialisation is DCGAN's, not the article's; see
BUILD_NOTES.md.
"""
from collections.abc import Sequence
import math
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.conditions import checked, one_hot
from jaxsynth.models.layers import Conv, ConvTranspose, Dense, Dropout

KERNEL = nn.initializers.normal(0.02)
LATENT = nn.initializers.lecun_normal()  # keeps the latent's variance


class Generator(nn.Module):
  """Latents (and labels) to images: `[B, latent] -> [B, H, W, C]` in [-1, 1].

  Dense, then one 5x5 transposed convolution with batch norm and relu for each
  stride, then a 7x7 convolution and tanh. Sizes that the strides do not divide
  are made larger and cropped.

  Attributes:
    image_shape: `(H, W, C)`.
    width: channels of every layer but the last.
    strides: of the transposed convolutions; its length is the depth.
    num_classes: number of labels, given as one-hot beside the latent; `None`
      for an unconditional network.
    dtype: of the computation; parameters and statistics are float32.
    axis_name: mapped axis for global batch statistics under `pmap`.
    kernel_size: of the transposed convolutions.
    batch_norm: whether blocks normalise by the batch, or (GroupNorm) each example by
      itself, in groups of 16 channels or fewer.
    conditional_norm: whether every label has its own scale and shift after each
      normalisation, https://arxiv.org/abs/1707.00683, as in Miyato & Koyama 2018.
    tapered: whether, as in Radford et al., channels are as many times `width` as the
      image is smaller a side; `width` is then that of the last block.

  Raises:
    ValueError: `conditional_norm` without labels.
  """
  image_shape: tuple[int, int, int] = (28, 28, 1)
  width: int = 128
  strides: Sequence[int] = (1, 2, 2)
  num_classes: int | None = None
  dtype: Any = jnp.float32
  axis_name: str | None = None
  kernel_size: int = 5
  batch_norm: bool = True
  conditional_norm: bool = False
  tapered: bool = False

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    height, width, channels = self.image_shape
    scale = math.prod(self.strides)
    h, w = -(-height // scale), -(-width // scale)
    if self.num_classes is not None:
      z = jnp.concatenate([z, one_hot(label, self.num_classes, z.dtype)], -1)
    c = self.width * (scale if self.tapered else 1)
    x = Dense(h * w * c, dtype=self.dtype, kernel_init=LATENT)(z)
    x = nn.relu(x).reshape(-1, h, w, c)
    for s in self.strides:
      c //= s if self.tapered else 1
      x = ConvTranspose(c, self.kernel_size, s, dtype=self.dtype, kernel_init=KERNEL)(x)
      x = nn.relu(self._normalise(x, label, train))
    x = Conv(channels, 7, dtype=self.dtype, kernel_init=KERNEL)(x)
    return jnp.tanh(x[:, :height, :width].astype(jnp.float32))

  def _normalise(self, x: Array, label: Array | None, train: bool) -> Array:
    shared = not self.conditional_norm  # scale and shift of all labels
    if self.batch_norm:
      x = nn.BatchNorm(use_running_average=not train, momentum=0.9, dtype=self.dtype,
                       use_scale=shared, use_bias=shared,
                       axis_name=self.axis_name if train else None)(x)
    else:
      x = nn.GroupNorm(num_groups=None, group_size=math.gcd(16, x.shape[-1]), use_scale=shared,
                       use_bias=shared, dtype=self.dtype)(x)
    if shared:
      return x
    if self.num_classes is None:
      raise ValueError('conditional_norm=True: expected num_classes, got None')
    # (1 + scale[label]) x + shift[label]
    scale, shift = (
        nn.Embed(self.num_classes, x.shape[-1], embedding_init=nn.initializers.zeros)(
            checked(label, self.num_classes))[:, None, None]
        for _ in range(2))
    return ((1 + scale) * x + shift).astype(self.dtype)  # in float32, where gradients are summed


class Discriminator(nn.Module):
  """Images (and labels) to logits: `[B, H, W, C] -> [B]`.

  One 5x5 strided convolution with leaky relu 0.2 and dropout for each stride,
  then a dense layer; a label adds its own dense layer's output, the projection of
  Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637.

  Attributes:
    width: channels of every layer.
    strides: of the convolutions; its length is the depth.
    dropout: rate after every convolution.
    num_classes: number of labels, or `None` for an unconditional network.
    dtype: of the computation; parameters and logits are float32.
    kernel_size: of the convolutions.
    tapered: whether, as in Radford et al., each convolution after the first has as many
      times the channels of the one before as its stride.
  """
  width: int = 128
  strides: Sequence[int] = (2, 2)
  dropout: float = 0.3
  num_classes: int | None = None
  dtype: Any = jnp.float32
  kernel_size: int = 5
  tapered: bool = False

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool) -> Array:
    c = self.width
    for i, s in enumerate(self.strides):
      c *= s if self.tapered and i else 1
      x = Conv(c, self.kernel_size, s, dtype=self.dtype, kernel_init=KERNEL)(x)
      x = nn.leaky_relu(x, 0.2)
      x = Dropout(self.dropout, deterministic=not train)(x)
    x = x.reshape(x.shape[0], -1).astype(jnp.float32)
    logits = Dense(1, kernel_init=KERNEL)(x)[:, 0]
    if self.num_classes is None:
      return logits
    direction = nn.Embed(self.num_classes, x.shape[1], embedding_init=KERNEL)(
        checked(label, self.num_classes))
    return logits + jnp.sum(direction * x, -1)
