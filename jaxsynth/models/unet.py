"""A U-Net that is told time and label, small enough to be trained on a CPU."""
from collections.abc import Sequence
import math
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.layers import Conv, ConvTranspose, Dense
from jaxsynth.models.time_mlp import FASTEST, TimeAndLabel

ZEROS = nn.initializers.zeros
KERNEL = nn.initializers.he_normal()


class UNet(nn.Module):
  """A field over images: `[B, H, W, C], [B] or [B, T], [B, K] -> [B, H, W, C]`.

  Or over series `[B, T, C]`, which are images of one column: all sizes are then along time.

  After Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597, and Ho et al. 2020,
  https://arxiv.org/abs/2006.11239, with what saves work: the image enters as patches, since
  a convolution at full size costs as much as one of twice the channels at half of it
  (Hoogeboom et al. 2023, https://arxiv.org/abs/2301.11093, section 3.1), and what comes from
  the same size on the way down is added and not appended. Residual blocks take time and
  label as a scale and a shift (Dhariwal & Nichol 2021, https://arxiv.org/abs/2105.05233,
  section 4), and end in layers that begin at zero, as the whole network does. No statistics
  are of the batch. Any height and width: images are padded and cropped.

  At 28x28x1 the default has 0.74 million parameters.

  Attributes:
    widths: channels at each size, each half of the one before; its length is the depth.
    blocks: residual blocks at each size, on the way down and again on the way up.
    patch: side of the patches in which the image enters.
    features: of the vector that says time and label.
    heads: of the attention between the two ways, at the smallest size; 0 for none.
    dtype: of the computation; parameters and outputs are float32.
    fastest: see `TimeAndLabel`.
  """
  widths: Sequence[int] = (64, 96)
  blocks: int = 1
  patch: int = 2
  features: int = 128
  heads: int = 4
  dtype: Any = jnp.float32
  fastest: float = FASTEST

  @nn.compact
  def __call__(self, x: Array, time: Array, cond: Array | None = None, *, train: bool) -> Array:
    if x.ndim == 3:
      return self._field(x[:, :, None], time, cond, 1)[:, :, 0]
    return self._field(x, time, cond, None)

  def _field(self, x: Array, time: Array, cond: Array | None, across: int | None) -> Array:
    """The field; `across` is the size across of kernels, strides and patches of series."""
    sides = lambda n: (n, across or n)
    height, width, channels = x.shape[1:]
    vector = TimeAndLabel(self.features, self.dtype, self.fastest)(time, cond)
    patch, shrink = sides(self.patch), 2 ** (len(self.widths) - 1)
    x = padded(x, sides(self.patch * shrink))
    h = Conv(self.widths[0], sides(3), dtype=self.dtype)(patches(x, patch))
    down = []
    for level, features in enumerate(self.widths):
      if level:
        h = Conv(features, sides(3), sides(2), dtype=self.dtype, kernel_init=KERNEL)(h)
      h = self._blocks(h, vector, sides(3))
      down.append(h)
    if self.heads:
      h = Attention(self.heads, self.dtype)(h)
    for level, features in reversed(list(enumerate(self.widths))):
      if level < len(self.widths) - 1:
        h = down[level] + ConvTranspose(
            features, sides(3), sides(2), dtype=self.dtype, kernel_init=KERNEL)(h)
      h = self._blocks(h, vector, sides(3))
    h = nn.silu(group_norm(h, self.dtype))
    y = Conv(channels * math.prod(patch), sides(3), dtype=self.dtype, kernel_init=ZEROS)(h)
    return from_patches(y, patch)[:, :height, :width].astype(jnp.float32)

  def _blocks(self, h: Array, vector: Array, kernel: tuple[int, int]) -> Array:
    for _ in range(self.blocks):
      h = Block(self.dtype, kernel)(h, vector)
    return h


class Block(nn.Module):
  """`x + conv(silu(scale norm(conv(silu(norm(x)))) + shift))`, scale and shift from a vector."""
  dtype: Any = jnp.float32
  kernel: int | tuple[int, int] = 3

  @nn.compact
  def __call__(self, x: Array, vector: Array) -> Array:
    width = x.shape[-1]
    h = nn.silu(group_norm(x, self.dtype))
    h = Conv(width, self.kernel, dtype=self.dtype, kernel_init=KERNEL)(h)
    scale, shift = (Dense(width, dtype=self.dtype)(vector).astype(jnp.float32)[:, None, None]
                    for _ in range(2))
    # in float32, where gradients are summed over places
    h = nn.silu((group_norm(h, jnp.float32) * (1 + scale) + shift).astype(self.dtype))
    return x + Conv(width, self.kernel, dtype=self.dtype, kernel_init=ZEROS)(h)


class Attention(nn.Module):
  """Every place looks at all places of its image: `x + attention(norm(x))`."""
  heads: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array) -> Array:
    b, h, w, c = x.shape
    if c % self.heads:
      raise ValueError(f'heads={self.heads}: expected a divisor of the {c} channels at the '
                       'smallest size, or 0 for no attention')
    flat = group_norm(x, self.dtype).reshape(b, h * w, c)
    query, key, value = (
        Dense(c, use_bias=False, dtype=self.dtype)(flat).reshape(b, h * w, self.heads, -1)
        for _ in range(3))
    logits = jnp.einsum('bqhd,bkhd->bhqk', query, key) / math.sqrt(c // self.heads)
    weights = nn.softmax(logits.astype(jnp.float32)).astype(self.dtype)
    out = jnp.einsum('bhqk,bkhd->bqhd', weights, value).reshape(b, h * w, c)
    return x + Dense(c, dtype=self.dtype, kernel_init=ZEROS)(out).reshape(x.shape)


def group_norm(x: Array, dtype: Any) -> Array:
  return nn.GroupNorm(math.gcd(8, x.shape[-1]), dtype=dtype)(x)


def padded(x: Array, multiples: tuple[int, int]) -> Array:
  """Zeros at the right and the bottom until both sides are multiples of these."""
  more = ((0, -n % multiple) for n, multiple in zip(x.shape[1:3], multiples))
  return jnp.pad(x, [(0, 0), *more, (0, 0)])


def patches(x: Array, sides: tuple[int, int]) -> Array:
  """`[B, H, W, C] -> [B, H / p, W / q, p q C]`."""
  (b, h, w, c), (p, q) = x.shape, sides
  x = x.reshape(b, h // p, p, w // q, q, c)
  return jnp.moveaxis(x, 2, 3).reshape(b, h // p, w // q, p * q * c)


def from_patches(x: Array, sides: tuple[int, int]) -> Array:
  """Back again: `[B, h, w, p q C] -> [B, h p, w q, C]`."""
  (b, h, w, c), (p, q) = x.shape, sides
  x = x.reshape(b, h, w, p, q, c // (p * q))
  return jnp.moveaxis(x, 3, 2).reshape(b, h * p, w * q, c // (p * q))
