"""DCGAN (Radford et al. 2015, https://arxiv.org/abs/1511.06434) as the article draws it.

The default arguments give the article's networks: 1,869,697 and 419,329
trainable parameters. The initialisation is DCGAN's, not the article's; see
BUILD_NOTES.md.
"""
from collections.abc import Callable, Sequence
import math
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.conditions import checked, one_hot
from jaxsynth.models.layers import Conv, ConvTranspose, Dense, Dropout, spectral

KERNEL = nn.initializers.normal(0.02)
LATENT = nn.initializers.lecun_normal()  # keeps the latent's variance
CONDITIONINGS = ('projection', 'concatenation', 'auxiliary')


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
  then a dense layer.

  Attributes:
    width: channels of every layer.
    strides: of the convolutions; its length is the depth.
    dropout: rate after every convolution.
    num_classes: number of labels, or `None` for an unconditional network.
    dtype: of the computation; parameters and logits are float32.
    kernel_size: of the convolutions.
    tapered: whether, as in Radford et al., each convolution after the first has as many
      times the channels of the one before as its stride.
    conditioning: what becomes of a label, one of `CONDITIONINGS`. `'projection'` adds its
      own dense layer's output to the logit, Miyato & Koyama 2018,
      https://arxiv.org/abs/1802.05637; `'concatenation'` lays it beside the image as one-hot
      channels, Mirza & Osindero 2014, https://arxiv.org/abs/1411.1784; `'auxiliary'` leaves it
      to the loss: the output is then a pair, the logits `[B]` and those of classes
      `[B, num_classes]`, for `gan(auxiliary=1.)`, Odena et al. 2017,
      https://arxiv.org/abs/1610.09585.
    spectral_norm: whether the weights of every layer are divided by their largest singular
      value, Miyato et al. 2018, https://arxiv.org/abs/1802.05957, by a step of power
      iteration a batch.

  Raises:
    ValueError: a `conditioning` that there is not.
  """
  width: int = 128
  strides: Sequence[int] = (2, 2)
  dropout: float = 0.3
  num_classes: int | None = None
  dtype: Any = jnp.float32
  kernel_size: int = 5
  tapered: bool = False
  conditioning: str = 'projection'
  spectral_norm: bool = False

  @nn.compact
  def __call__(self, x: Array, label: Array | None = None, *, train: bool
               ) -> Array | tuple[Array, Array]:
    if self.conditioning not in CONDITIONINGS:
      raise ValueError(f'conditioning={self.conditioning!r}: expected one of '
                       f'{", ".join(CONDITIONINGS)}')
    how = self.conditioning if self.num_classes is not None else ''
    if how == 'concatenation':
      planes = one_hot(label, self.num_classes or 0, x.dtype)[:, None, None]
      x = jnp.concatenate([x, jnp.broadcast_to(planes, (*x.shape[:3], planes.shape[-1]))], -1)
    c = self.width
    for i, s in enumerate(self.strides):
      c *= s if self.tapered and i else 1
      x = self._layer(Conv(c, self.kernel_size, s, dtype=self.dtype, kernel_init=KERNEL), train)(x)
      x = nn.leaky_relu(x, 0.2)
      x = Dropout(self.dropout, deterministic=not train)(x)
    x = x.reshape(x.shape[0], -1).astype(jnp.float32)
    logits = self._layer(Dense(1, kernel_init=KERNEL), train)(x)[:, 0]
    if how == 'auxiliary':
      return logits, self._layer(Dense(self.num_classes or 0, kernel_init=KERNEL), train)(x)
    if how != 'projection':
      return logits
    direction = self._layer(nn.Embed(self.num_classes or 0, x.shape[1], embedding_init=KERNEL),
                            train)(checked(label, self.num_classes or 0))
    return logits + jnp.sum(direction * x, -1)

  def _layer(self, layer: nn.Module, train: bool) -> Callable[[Array], Array]:
    return spectral(layer, train) if self.spectral_norm else layer
