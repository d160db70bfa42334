"""The three adjoint forms as XLA's own convolutions.

All three come from one trilinear form over a big image `y`, a small image `x`
and a kernel `v` (`[kh, kw, Cy, Cx]`):

    sum_{n, i, t} y[n, s*i + t - low, :] . v[t] . x[n, i, :]

`gather` is its gradient in `x` (a convolution), `scatter` in `y` (a transposed
convolution), `correlate` in `v` (the weight gradient of both).
"""
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.ops import precision
from jaxsynth.ops.geometry import Geometry

IMAGES = ('NHWC', 'HWIO', 'NHWC')


def gather(y: Array, v: Array, g: Geometry) -> Array:
  """`x[i] = sum_t y[s*i + t - low] @ v[t]`: `[N, H, W, Cy] -> [N, h, w, Cx]`."""
  return lax.conv_general_dilated(
      y, v, g.strides, g.padding, dimension_numbers=IMAGES)


def scatter(x: Array, v: Array, g: Geometry) -> Array:
  """`y[s*i + t - low] += x[i] @ v[t].T`: `[N, h, w, Cx] -> [N, H, W, Cy]`."""
  pads = [(k - 1 - low, k - 1 - high)
          for k, (low, high) in zip(g.kernel, g.padding)]
  return lax.conv_general_dilated(
      x, jnp.swapaxes(jnp.flip(v, (0, 1)), 2, 3), (1, 1), pads,
      lhs_dilation=g.strides, dimension_numbers=IMAGES)


def correlate(y: Array, x: Array, g: Geometry) -> Array:
  """`v[t] = sum_{n, i} y[s*i + t - low].T @ x[i]`: `-> [kh, kw, Cy, Cx]`, float32 at least."""
  return lax.conv_general_dilated(
      y, x, (1, 1), g.padding, rhs_dilation=g.strides,
      dimension_numbers=('CHWN', 'IHWO', 'HWNC'),
      preferred_element_type=precision.summed(y.dtype))
