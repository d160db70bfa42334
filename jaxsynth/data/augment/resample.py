"""Images looked up at any positions: the one place where pixels are resampled."""
from collections.abc import Callable
import functools
from typing import Literal, TypeAlias

from jax import Array, lax
import jax.numpy as jnp

Mode: TypeAlias = Literal['constant', 'edge', 'reflect']
MODES = ('constant', 'edge', 'reflect')
SMALL = 64 * 64  # pixels up to which a product beats a gather on TPU


def warp(image: Array, y: Array, x: Array, *, fill: float | Array = -1., mode: Mode = 'constant',
         order: int = 1) -> Array:
  """`out[i, j] = image[y[i, j], x[i, j]]`, between pixels by interpolation.

  Bilinear (`order=1`): `out = sum_p image[p] * hat(y - p_y) * hat(x - p_x)` with
  `hat(t) = max(0, 1 - |t|)`: linear in the image, so its gradient there is the
  transposed sum, and piecewise differentiable in the positions. Nearest
  (`order=0`): halves go to the larger index.

  On CPU and GPU pixels are gathered. On TPU, where gathers are slow, positions that
  are a product of rows and columns (`y` `[h, 1]`, `x` `[1, w]`) become two matrix
  products, and images of up to 64x64 pixels one product and a weighted sum.

  Args:
    image: `[H, W, C]`; any dtype with `order=0`, floating with `order=1`.
    y: rows, `[h, w]` or `[h, 1]`; pixel centres are the integers.
    x: columns, `[h, w]` or `[1, w]`.
    fill: what is around the image in mode `'constant'`: `[]` or `[C]`, finite.
    mode: what is around the image: `'constant'`, its `'edge'` pixels, or its mirror
      image without the edge repeated (`'reflect'`); numpy.pad's names.
    order: 1 or 0.

  Returns:
    `[h, w, C]` of the image's dtype; within the image's and the fill's values.

  >>> import jax.numpy as jnp
  >>> image = jnp.arange(4.).reshape(1, 4, 1)
  >>> print(warp(image, jnp.zeros((1, 1)), jnp.array([[0.5, 2., 3.5]]), fill=0.).ravel())
  [0.5 2.  1.5]
  """
  h, w, channels = image.shape
  y, x = (_inside(c.astype(jnp.float32), n, mode) for c, n in ((y, h), (x, w)))
  fill = jnp.broadcast_to(jnp.asarray(fill, image.dtype), (channels,))
  aligned = y.shape[1] == 1 and x.shape[0] == 1
  with_order = functools.partial(functools.partial, order=order)
  forms = {}
  if aligned or h * w <= SMALL:
    forms['tpu'] = with_order(_separable if aligned else _product)
  return lax.platform_dependent(image, y, x, fill, default=with_order(_gathered), **forms)


def _inside(c: Array, n: int, mode: Mode) -> Array:
  if mode == 'constant':
    return jnp.clip(c, -1, n)  # beyond them all is fill
  if mode == 'edge' or n == 1:
    return jnp.clip(c, 0, n - 1)
  return (n - 1) - jnp.abs((n - 1) - jnp.mod(c, 2 * (n - 1)))


def _gathered(image: Array, y: Array, x: Array, fill: Array, order: int) -> Array:
  """The pixels around each position, by their weights; the last row is the fill."""
  h, w, channels = image.shape
  y, x = jnp.broadcast_arrays(y, x)
  rows = jnp.concatenate([image.reshape(-1, channels), fill[None]])
  if not order:
    return rows.at[_flat(jnp.floor(y + .5), jnp.floor(x + .5), h, w)].get(
        mode='promise_in_bounds')
  y0, x0 = jnp.floor(y), jnp.floor(x)
  taps = [(_flat(y0 + i, x0 + j, h, w), _part(y - y0, i) * _part(x - x0, j))
          for i in (0, 1) for j in (0, 1)]
  dtype = jnp.promote_types(image.dtype, jnp.float32)
  out = sum(rows.at[pixel].get(mode='promise_in_bounds') * weight[..., None].astype(dtype)
            for pixel, weight in taps)
  return jnp.asarray(out, image.dtype)


def _flat(y: Array, x: Array, h: int, w: int) -> Array:
  inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
  return jnp.where(inside, y * w + x, h * w).astype(jnp.int32) if h * w < 2 ** 24 else (
      jnp.where(inside, y.astype(jnp.int32) * w + x.astype(jnp.int32), h * w))


def _part(fraction: Array, i: int) -> Array:
  return fraction if i else 1 - fraction


def _weights(c: Array, n: int, order: int) -> Array:
  """Of each of `n` pixels at each position: `[...] -> [..., n]`."""
  pixels = jnp.arange(n).reshape((1,) * c.ndim + (n,))
  if not order:
    return (jnp.floor(c + .5)[..., None] == pixels).astype(jnp.float32)
  return jnp.maximum(0, 1 - jnp.abs(c[..., None] - pixels))


def _separable(image: Array, y: Array, x: Array, fill: Array, order: int) -> Array:
  h, w, _ = image.shape
  ty, tx = _weights(y[:, 0], h, order), _weights(x[0], w, order)
  return _over(image, fill, lambda z: jnp.einsum(
      'ap,pqc,bq->abc', ty, z, tx, precision=lax.Precision.HIGHEST))


def _product(image: Array, y: Array, x: Array, fill: Array, order: int) -> Array:
  h, w, _ = image.shape
  y, x = jnp.broadcast_arrays(y, x)
  ty, tx = _weights(y, h, order), _weights(x, w, order)
  return _over(image, fill, lambda z: jnp.sum(tx[..., None] * jnp.einsum(
      'abp,pqc->abqc', ty, z, precision=lax.Precision.HIGHEST), 2))


def _over(image: Array, fill: Array, linear: Callable[[Array], Array]) -> Array:
  """A linear map of the image over the fill; weights that miss it count as fill."""
  dtype = jnp.promote_types(image.dtype, jnp.float32)
  under = fill[None, None].astype(dtype)
  out = linear(image.astype(dtype) - under) + under
  return jnp.asarray(out if jnp.issubdtype(image.dtype, jnp.floating) else jnp.rint(out),
                     image.dtype)
