"""The same three forms as XLA:CPU likes them: dense stride-1 work.

XLA:CPU runs stride-1 convolutions and matrix products at nearly the machine's
peak, and dilated ones, or ones with a single output channel, at a few per cent
of it. Measurements are in BUILD_NOTES.md.

No convolution here has negative padding: XLA:CPU (jaxlib 0.10.2) then computes
wrong values for some shapes, so images are cropped first.
"""
from collections.abc import Callable, Sequence

from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.ops import native
from jaxsynth.ops import precision
from jaxsynth.ops.geometry import Geometry

FEW = 4  # at most this many channels: the image is one of pixels, not of features


def wide(form: Callable[[Array, Array, Geometry], Array]):
  """Computes images in float32 from what arrives in less: CPUs emulate bfloat16 slowly."""
  def computed(a: Array, b: Array, g: Geometry) -> Array:
    return form(*_widened(a, b), g).astype(jnp.promote_types(a.dtype, b.dtype))
  return computed


def _widened(a: Array, b: Array) -> tuple[Array, Array]:
  dtype = precision.summed(jnp.promote_types(a.dtype, b.dtype))
  return a.astype(dtype), b.astype(dtype)


@wide
def gather(y: Array, v: Array, g: Geometry) -> Array:
  """See `native.gather`; features to pixels as one product and shifted adds."""
  if g.strides != (1, 1) or v.shape[3] > FEW or v.shape[3] >= v.shape[2]:
    return native.gather(*_cropped(y, v, g))
  (kh, kw), (h, w) = g.kernel, g.small
  taps = y.reshape(-1, v.shape[2]) @ jnp.moveaxis(v, 2, 0).reshape(v.shape[2], -1)
  taps = taps.T.reshape(kh, kw, v.shape[3], y.shape[0], *g.big)
  taps = _pad(taps, g.padding, axis=4)
  rows = sum((taps[i, ..., i:i + h, :] for i in range(kh)), jnp.zeros(()))
  x = sum((rows[j, ..., j:j + w] for j in range(kw)), jnp.zeros(()))
  return jnp.moveaxis(x, 0, -1)


@wide
def scatter(x: Array, v: Array, g: Geometry) -> Array:
  """See `native.scatter`; by phases, but for few channels."""
  if v.shape[2] <= FEW and all(k > max(p) for k, p in zip(g.kernel, g.padding)):
    return native.scatter(x, v, g)
  return phases(x, v, g)


@wide
def phases(x: Array, v: Array, g: Geometry) -> Array:
  """See `native.scatter`; a stride-1 convolution for each sub-pixel phase.

  `y[s*q + r]` meets only the taps `t = (r + low) mod s`, `+ s`, `+ 2s`, ...:
  each of the `sh*sw` phases is a dense convolution by a sub-kernel, and no
  product with a zero is computed.
  """
  (sh, sw), (height, width) = g.strides, g.big
  apart = jnp.stack([jnp.stack([_phase(x, v, g, (a, b)) for b in range(sw)], 3)
                      for a in range(sh)], 2)  # [N, Q, sh, R, sw, Cy]
  n, q, _, r, _, channels = apart.shape
  return apart.reshape(n, q * sh, r * sw, channels)[:, :height, :width]


def _phase(x: Array, v: Array, g: Geometry, r: tuple[int, int]) -> Array:
  """`y[r::s]`, `ceil(big / s)` long on each axis."""
  starts, pads = [], []
  sizes = [-(-big // s) for big, s in zip(g.big, g.strides)]
  for s, low, small, k, phase, size in zip(
      g.strides, g.low, g.small, g.kernel, r, sizes):
    shift, start = divmod(phase + low, s)
    taps = len(range(start, k, s))
    if not taps:  # a stride beyond the kernel: nothing reaches this phase
      return jnp.zeros((x.shape[0], *sizes, v.shape[2]), x.dtype)
    before = taps - 1 - shift
    starts.append(start)
    pads.append((before, size + taps - 1 - small - before))
  kernel = v[starts[0]::g.strides[0], starts[1]::g.strides[1]]
  x = _pad(x, [(min(a, 0), min(b, 0)) for a, b in pads], axis=1)
  return lax.conv_general_dilated(
      x, jnp.swapaxes(jnp.flip(kernel, (0, 1)), 2, 3), (1, 1),
      [(max(a, 0), max(b, 0)) for a, b in pads], dimension_numbers=native.IMAGES)


def correlate(y: Array, x: Array, g: Geometry) -> Array:
  """See `native.correlate`; against pixels, one product with their windows."""
  y, x = _widened(y, x)
  if g.strides != (1, 1) or x.shape[3] > FEW or x.shape[3] >= y.shape[3]:
    y, x, g = _cropped(y, x, g)
    return native.correlate(y, x, g)
  (kh, kw), (h, w) = g.kernel, g.big
  # v[t] = sum_o y[o].T @ x[o - t + low]: shift the few channels, not the many.
  pads = [(k - 1 - low, k - 1 - high)
          for k, (low, high) in zip(g.kernel, g.padding)]
  x = _pad(jnp.moveaxis(x, -1, 0), pads, axis=2)
  windows = jnp.stack([x[..., i:i + h, j:j + w]
                       for i in range(kh) for j in range(kw)])
  v = windows.reshape(kh * kw * x.shape[0], -1) @ y.reshape(-1, y.shape[3])
  v = v.reshape(kh, kw, x.shape[0], y.shape[3])
  return jnp.swapaxes(v, 2, 3)[::-1, ::-1]


def _pad(x: Array, pads: Sequence[tuple[int, int]], axis: int) -> Array:
  """Zeros around the two axes from `axis` on; cropped where a pad is negative."""
  if not any(a or b for a, b in pads):
    return x
  config = [(0, 0, 0)] * x.ndim
  config[axis:axis + 2] = [(a, b, 0) for a, b in pads]
  return lax.pad(x, jnp.zeros((), x.dtype), config)


def _cropped(y: Array, other: Array, g: Geometry) -> tuple[Array, Array, Geometry]:
  """The same operation with what no window of `y` meets cut away."""
  cuts = [(min(low, 0), min(high, 0)) for low, high in g.padding]
  big = tuple(n + a + b for n, (a, b) in zip(g.big, cuts))
  low = tuple(n - a for n, (a, _) in zip(g.low, cuts))
  return _pad(y, cuts, axis=1), other, g._replace(big=big, low=low)
