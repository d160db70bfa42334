"""Linen layers over `jaxsynth.ops`, with Linen's parameters."""
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth import ops
from jaxsynth.ops.geometry import Padding


class Conv(nn.Module):
  """`nn.Conv` of images: `[B, H, W, C] -> [B, ceil(H / s), ceil(W / s), features]`.

  Attributes:
    features: channels out.
    kernel_size: of both axes.
    strides: of both axes.
    padding: `'SAME'`, `'VALID'` or explicit.
    dtype: of the computation; parameters are float32.
    kernel_init: of `kernel` `[k, k, C, features]`.
  """
  features: int
  kernel_size: int
  strides: int = 1
  padding: Padding = 'SAME'
  dtype: Any = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

  @nn.compact
  def __call__(self, x: Array) -> Array:
    return self._convolve(ops.conv, x)

  def _convolve(self, f: Any, x: Array) -> Array:
    k = self.kernel_size
    kernel = self.param('kernel', self.kernel_init, (k, k, x.shape[-1], self.features))
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    y = f(x.astype(self.dtype), kernel.astype(self.dtype), self.strides, self.padding)
    return y + bias.astype(self.dtype).reshape(1, 1, 1, -1)


class ConvTranspose(Conv):
  """`nn.ConvTranspose` of images: `[B, H, W, C] -> [B, H * s, W * s, features]`."""

  @nn.compact
  def __call__(self, x: Array) -> Array:
    return self._convolve(ops.conv_transpose, x)
