"""The networks of R3GAN: residual blocks of grouped convolutions, and nothing normalised.

Huang et al. 2025, https://arxiv.org/abs/2501.05441: with the relativistic loss, R1 and R2
(`losses.relativistic.RELATIVISTIC`, `losses.penalties`). Its configuration for CIFAR-10, four
sizes of 768 channels in 96 groups with two blocks each, has 20,732,160 and 20,683,776 parameters.
"""
from collections.abc import Sequence
import math
from typing import Any

from flax import linen as nn
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.conditions import one_hot
from jaxsynth.models.layers import Conv, Dense, GroupedConv

SLOPE = .2  # of the leaky relu
GAIN = math.sqrt(2 / (1 + SLOPE ** 2))  # by which it keeps the variance
LAYERS = 3  # linear ones of a block
EXPANSION = 2  # channels inside a block for each outside


def scaled(gain: float) -> nn.initializers.Initializer:
  """Normal with variance `gain^2 / fan-in`: He et al. 2015, https://arxiv.org/abs/1502.01852."""
  return nn.initializers.variance_scaling(gain ** 2, 'fan_in', 'normal')


class Block(nn.Module):
  """`x + conv1(act(conv3(act(conv1(x)))))`, wider inside, the middle one in groups.

  The last layer begins at zero and the others are scaled by `blocks^(-1 / (2 LAYERS - 2))`, so
  that a step changes the network as much however deep it is: fix-up initialisation, Zhang et al.
  2019, https://arxiv.org/abs/1901.09321.

  Attributes:
    groups: of channels of the middle convolution.
    blocks: of the whole network.
    dtype: of the computation; parameters are float32.
  """
  groups: int
  blocks: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array) -> Array:
    width, init = x.shape[-1], scaled(GAIN * self.blocks ** (-1 / (2 * LAYERS - 2)))
    inner = width * EXPANSION
    h = Conv(inner, 1, dtype=self.dtype, kernel_init=init)(x)
    h = GroupedConv(inner, 3, self.groups, self.dtype, init)(nn.leaky_relu(h, SLOPE))
    return x + Conv(width, 1, dtype=self.dtype, kernel_init=nn.initializers.zeros, use_bias=False)(
        nn.leaky_relu(h, SLOPE))


class Generator(nn.Module):
  """Latents (and labels) to images: `[B, latent] -> [B, H, W, C]`.

  The first image is a learned one whose channels the latent scales; each further stage has twice
  the side, by bilinear resampling. What comes out is not bounded in training and is clipped to
  [-1, 1] else.

  Attributes:
    image_shape: `(H, W, C)`; sizes that the stages do not divide are made larger and cropped.
    widths: channels of the stages, the smallest image's first.
    groups: of each stage.
    blocks: of each stage.
    num_classes: number of labels, given as an embedding beside the latent, as long as it; `None`
      for an unconditional network.
    dtype: of the computation; parameters and images are float32.
  """
  image_shape: tuple[int, int, int] = (28, 28, 1)
  widths: Sequence[int] = (96, 64, 32)
  groups: Sequence[int] = (8, 8, 4)
  blocks: Sequence[int] = (2, 2, 2)
  num_classes: int | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    checked_stages(self.widths, self.groups, self.blocks)
    height, width, channels = self.image_shape
    scale = 2 ** (len(self.widths) - 1)
    h, w, c = -(-height // scale), -(-width // scale), self.widths[0]
    if self.num_classes is not None:
      z = jnp.concatenate([z, Dense(z.shape[-1], kernel_init=scaled(1.), use_bias=False)(
          one_hot(label, self.num_classes, z.dtype))], -1)
    basis = self.param('basis', nn.initializers.normal(1.), (h, w, c))
    x = basis[None] * Dense(c, kernel_init=scaled(1.), use_bias=False)(z)[:, None, None]
    x = x.astype(self.dtype)
    for stage, (c, groups, blocks) in enumerate(zip(self.widths, self.groups, self.blocks)):
      if stage:
        x = resampled(_channels(x, c, self.dtype), 2)
      for _ in range(blocks):
        x = Block(groups, sum(self.blocks), self.dtype)(x)
    x = Conv(channels, 1, dtype=self.dtype, kernel_init=scaled(1.), use_bias=False)(x)
    x = x[:, :height, :width].astype(jnp.float32)
    return x if train else jnp.clip(x, -1, 1)


class Discriminator(nn.Module):
  """Images (and labels) to logits: `[B, H, W, C] -> [B]`.

  Each further stage has half the side, by bilinear resampling; the last image becomes one number
  a channel by a learned weight of each place.

  Attributes:
    widths: channels of the stages, the largest image's first.
    groups: of each stage.
    blocks: of each stage.
    num_classes: number of labels, of which each has a direction whose product with the features
      `[B, widths[-1]]` is the logit; `None` for an unconditional network.
    dtype: of the computation; parameters and logits are float32.
  """
  widths: Sequence[int] = (32, 64, 96)
  groups: Sequence[int] = (4, 8, 8)
  blocks: Sequence[int] = (2, 2, 2)
  num_classes: int | None = None
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool) -> Array:
    checked_stages(self.widths, self.groups, self.blocks)
    x = Conv(self.widths[0], 1, dtype=self.dtype, kernel_init=scaled(1.), use_bias=False)(x)
    for stage, (c, groups, blocks) in enumerate(zip(self.widths, self.groups, self.blocks)):
      if stage:
        x = _channels(resampled(x, .5), c, self.dtype)
      for _ in range(blocks):
        x = Block(groups, sum(self.blocks), self.dtype)(x)
    h, w, c = x.shape[1:]
    basis = self.param('basis', nn.initializers.normal((h * w) ** -.5), (h, w, c))
    x = jnp.sum(basis[None] * x.astype(jnp.float32), (1, 2))
    if self.num_classes is None:
      return Dense(1, kernel_init=scaled(1.), use_bias=False)(x)[:, 0]
    x = Dense(c, kernel_init=scaled(1.), use_bias=False)(x)
    direction = Dense(c, kernel_init=scaled(c ** -.5), use_bias=False)(
        one_hot(label, self.num_classes))
    return jnp.sum(direction * x, -1)


def resampled(x: Array, scale: float) -> Array:
  """Images with `scale` times the side, rounded up, by bilinear interpolation without aliasing.

  R3GAN's filter is (1, 2, 1), this one (1, 3, 3, 1): pixels are squares, not points.

  >>> resampled(jnp.array([[[[0.], [4.]]]]), 2)[0, 0, :, 0].tolist()
  [0.0, 1.0, 3.0, 4.0]
  """
  h, w = (math.ceil(n * scale) for n in x.shape[1:3])
  return jax.image.resize(x, (x.shape[0], h, w, x.shape[3]), 'bilinear')


def checked_stages(widths: Sequence[int], groups: Sequence[int], blocks: Sequence[int]) -> None:
  """Raises ValueError if the stages' lists are not of one length."""
  if not len(widths) == len(groups) == len(blocks) or not widths:
    raise ValueError(f'widths={tuple(widths)}, groups={tuple(groups)}, blocks={tuple(blocks)}: '
                     'expected a number of each for every stage')


def _channels(x: Array, c: int, dtype: Any) -> Array:
  """As many channels, by a map of each pixel where they are others."""
  return x if x.shape[-1] == c else Conv(c, 1, dtype=dtype, kernel_init=scaled(1.),
                                         use_bias=False)(x)
