"""Exact nearest neighbours, in memory that grows with one set only."""
import functools
import math
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics import checks

# a float32 product may misplace distances that differ in the seventh digit: so many more
# candidates than asked for are measured again
SLACK = 4
LARGE = 4096  # rows, for which searching takes longer than compiling


def nearest(queries: Any, points: Any, k: int = 1, *, block: int | None = None
            ) -> tuple[np.ndarray, np.ndarray]:
  """The `k` nearest points of each query, in Euclidean distance.

  Blocks of queries are compared with all points by `|q|^2 + |p|^2 - 2 q.p`, centred,
  in float32; the `k + 4` nearest are then measured again as `|q - p|`, so that distances
  are accurate to about 1e-6 of themselves, and those of equal rows are 0.

  Args:
    queries: `[Q, D]`.
    points: `[N, D]`.
    k: neighbours a query, in [1, N].
    block: queries at a time; memory is `O(block * N)`. Found from `N` by default.

  Returns:
    Distances float32 `[Q, k]`, ascending, and the points' indices int32 `[Q, k]`.

  Raises:
    ValueError: see `checks.features`; or `k` or `block` out of range.

  >>> distances, indices = nearest([[0., 0.], [3., 3.]], [[0., 1.], [3., 3.], [9., 9.]], k=2)
  >>> indices.tolist()
  [[0, 1], [1, 0]]
  >>> print(distances[1].round(3))
  [0.    3.606]
  """
  q, p = checks.pair('queries', queries, 'points', points)
  return _search(q, p, k, block, skip_self=False)


def nearest_other(points: Any, k: int = 1, *, block: int | None = None
                  ) -> tuple[np.ndarray, np.ndarray]:
  """As `nearest` of the points among themselves, where no point is its own neighbour.

  >>> nearest_other([[0.], [1.], [5.]])[1].tolist()
  [[1], [0], [1]]
  """
  p = checks.features('points', points, least=2)
  return _search(p, p, k, block, skip_self=True)


def _search(q: np.ndarray, p: np.ndarray, k: int, block: int | None,
            skip_self: bool) -> tuple[np.ndarray, np.ndarray]:
  most = len(p) - skip_self
  if not 1 <= k <= most:
    raise ValueError(f'k={k}: expected 1 <= k <= {most}, the points there are to choose from')
  if block is not None and block < 1:
    raise ValueError(f'block={block}: expected at least 1')
  if not len(q):
    raise ValueError('queries: none, expected at least 1')
  q, p, scale = centred(q, p)
  points, queries = (np.pad(x, ((0, size_for(len(x)) - len(x)), (0, 0)), 'edge') for x in (p, q))
  block = block_size(len(queries), len(points)) if block is None else min(block, len(queries))
  distances, indices = _nearest(queries, points, len(p), k=k, wanted=min(k + SLACK, most),
                                block=block, skip_self=skip_self)
  return np.asarray(distances)[:len(q)] * scale, np.asarray(indices)[:len(q)]


def centred(q: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.float32]:
  """Both sets in float32, about the points' mean, divided by a power of two: `q, p, scale`.

  Squares then neither cancel nor overflow, and equal rows stay equal.
  """
  # rounded, so that equal rows of different dtypes stay equal too
  mean = p.mean(0, dtype=np.float64).astype(np.float32)
  largest = max(np.abs(x - mean.astype(x.dtype)).max() for x in (q, p))
  scale = 2. ** math.ceil(math.log2(largest)) if largest > 0 else 1.
  fit = lambda x: ((x - mean.astype(x.dtype)) / x.dtype.type(scale)).astype(np.float32)
  centred_p = fit(p)
  return centred_p if q is p else fit(q), centred_p, np.float32(scale)


def size_for(rows: int) -> int:
  """Rows that so many are padded to: few sizes are few programs to compile.

  Sizes are 64 apart up to 1,024, and a sixteenth of their octave above; large sets stay.

  >>> [size_for(n) for n in (3, 64, 65, 1024, 1025, 3000, 5000)]
  [64, 64, 128, 1024, 1088, 3072, 5000]
  """
  step = max(64, 2 ** ((rows - 1).bit_length() - 5))
  return rows if rows > LARGE else -(-rows // step) * step


def block_size(queries: int, points: int) -> int:
  """Queries at a time: on CPU, so that their distances stay in its cache."""
  held = 2 ** (21 if jax.default_backend() == 'cpu' else 25)
  return min(queries, 1024, max(32, held // points))


def blocks(x: Array, block: int) -> Array:
  """`[N, ...]` as `[blocks, block, ...]`, padded with the last element."""
  widths = ((0, -len(x) % block),) + ((0, 0),) * (x.ndim - 1)
  return jnp.pad(x, widths, mode='edge').reshape(-1, block, *x.shape[1:])


@functools.partial(jax.jit, static_argnames=('k', 'wanted', 'block', 'skip_self'))
def _nearest(q: Array, p: Array, count: int, *, k: int, wanted: int, block: int,
             skip_self: bool) -> tuple[Array, Array]:
  """Of the first `count` points."""
  n = len(p)
  # the `wanted` least are in the `wanted` groups of least minimum: column l, l + L, ...
  groups = max(1, math.isqrt(n // wanted))
  length = -(-n // groups)
  padded = jnp.pad(p, ((0, groups * length - n), (0, 0)))
  square = jnp.where(jnp.arange(groups * length) < count, jnp.sum(padded ** 2, 1), jnp.inf)

  def nearest_of_block(args: tuple[Array, Array]) -> tuple[Array, Array]:
    x, row = args
    # |q|^2 is the same for all points of a query
    s = square[None] - 2 * jnp.matmul(x, padded.T, precision=lax.Precision.HIGHEST)
    if skip_self:
      s = jnp.where(row[:, None] == jnp.arange(groups * length)[None], jnp.inf, s)
    s = s.reshape(block, groups, length)
    _, group = lax.top_k(-s.min(1), wanted)
    few = jnp.take_along_axis(s, group[:, None], 2).reshape(block, -1)
    _, place = lax.top_k(-few, wanted)
    index = place // wanted * length + jnp.take_along_axis(group, place % wanted, 1)
    exact = jnp.sum((x[:, None] - padded[index]) ** 2, -1)
    least, order = lax.top_k(-exact, k)
    return jnp.sqrt(-least), jnp.take_along_axis(index, order, 1)

  distances, indices = lax.map(
      nearest_of_block, (blocks(q, block), blocks(jnp.arange(len(q)), block)))
  return distances.reshape(-1, k)[:len(q)], indices.reshape(-1, k)[:len(q)]
