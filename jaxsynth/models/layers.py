"""Linen layers over `jaxsynth.ops`, with Linen's parameters."""
from collections.abc import Callable
from typing import Any

from flax import linen as nn
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import ops
from jaxsynth.ops.geometry import Padding, pair


class Conv(nn.Module):
  """`nn.Conv` of images: `[B, H, W, C] -> [B, ceil(H / s), ceil(W / s), features]`.

  Attributes:
    features: channels out.
    kernel_size: of both axes, or two.
    strides: of both axes, or two.
    padding: `'SAME'`, `'VALID'` or explicit.
    dtype: of the computation; parameters are float32.
    kernel_init: of `kernel` `[k, k, C, features]`.
    use_bias: whether there is one.
  """
  features: int
  kernel_size: int | tuple[int, int]
  strides: int | tuple[int, int] = 1
  padding: Padding = 'SAME'
  dtype: Any = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  use_bias: bool = True

  @nn.compact
  def __call__(self, x: Array) -> Array:
    return self._convolve(ops.conv, x)

  def _convolve(self, f: Any, x: Array) -> Array:
    sides = pair(self.kernel_size)
    kernel = self.param('kernel', self.kernel_init, (*sides, x.shape[-1], self.features))
    y = f(x, kernel, self.strides, self.padding, self.dtype)
    if not self.use_bias:
      return y
    return _plus(self.param('bias', nn.initializers.zeros, (self.features,)), y)


class ConvTranspose(Conv):
  """`nn.ConvTranspose` of images: `[B, H, W, C] -> [B, H * s, W * s, features]`."""

  @nn.compact
  def __call__(self, x: Array) -> Array:
    return self._convolve(ops.conv_transpose, x)


class GroupedConv(nn.Module):
  """`nn.Conv` in groups of channels: `[B, H, W, C] -> [B, H, W, features]`.

  Attributes:
    features: channels out.
    kernel_size: of both axes.
    groups: divides the channels in and out.
    dtype: of the computation; parameters are float32.
    kernel_init: of `kernel` `[k, k, C / groups, features]`.
  """
  features: int
  kernel_size: int
  groups: int
  dtype: Any = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

  @nn.compact
  def __call__(self, x: Array) -> Array:
    k = self.kernel_size
    kernel = self.param('kernel', self.kernel_init,
                        (k, k, x.shape[-1] // self.groups, self.features))
    y = ops.grouped_conv(x, kernel, self.groups, 'SAME', self.dtype)
    return _plus(self.param('bias', nn.initializers.zeros, (self.features,)), y)


class Dense(nn.Module):
  """`nn.Dense`, whose sums over the batch are float32: `[..., C] -> [..., features]`.

  Attributes:
    features: channels out.
    dtype: of the computation; parameters and their gradients are float32.
    kernel_init: of `kernel` `[C, features]`.
    use_bias: whether there is one.
  """
  features: int
  dtype: Any = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
  use_bias: bool = True

  @nn.compact
  def __call__(self, x: Array) -> Array:
    kernel = self.param('kernel', self.kernel_init, (x.shape[-1], self.features))
    y = ops.dense(x, kernel, self.dtype)
    if not self.use_bias:
      return y
    return _plus(self.param('bias', nn.initializers.zeros, (self.features,)), y)


def _plus(bias: Array, y: Array) -> Array:
  """`y [..., C]` and a bias `[C]`, whose gradient is summed in float32 whatever `y` is in."""
  wide = ops.summed(y.dtype)
  bias = bias.astype(wide).reshape((1,) * (y.ndim - 1) + (-1,))
  return (y.astype(wide) + bias).astype(y.dtype)


def spectral(layer: nn.Module, train: bool) -> Callable[[Array], Array]:
  """The layer with its weights divided by their largest singular value; parameters' names stay.

  Miyato et al. 2018, https://arxiv.org/abs/1802.05957, by a step of power iteration a batch.

  Args:
    layer: of the module that calls this.
    train: whether the iteration's vectors are kept, in the collection `'spectral'`: they are no
      statistics of a batch.
  """
  normalised = nn.SpectralNorm(layer, collection_name='spectral')
  return lambda x: normalised(x, update_stats=train)


class Dropout(nn.Module):
  """Zeroes a share `rate` of `x` (any shape) and scales the rest to the same mean.

  `nn.Dropout` with 16 random bits an element instead of 32: half the generator's
  work, which is 3 % of the article's step on CPU. The rate is met to 2^-17, the mean
  exactly. Draws from `'dropout'`.

  Attributes:
    rate: share that is zeroed, in [0, 1).
    deterministic: whether `x` passes unchanged.
  """
  rate: float
  deterministic: bool

  @nn.compact
  def __call__(self, x: Array) -> Array:
    if not 0 <= self.rate < 1:
      raise ValueError(f'rate: expected a share in [0, 1), got {self.rate}')
    if self.deterministic or not self.rate:
      return x
    kept = max(2**16 - round(self.rate * 2**16), 1)
    words = jax.random.bits(self.make_rng('dropout'), (-(-x.size // 2),), jnp.uint32)
    bits = jax.lax.bitcast_convert_type(words, jnp.uint16).reshape(-1)[:x.size]
    scaled = x.astype(ops.summed(x.dtype)) * (2**16 / kept)  # 1 / (1 - rate) is no bfloat16
    return jnp.where(bits.reshape(x.shape) < kept, scaled.astype(x.dtype), 0)
