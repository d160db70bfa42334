"""How far rows are from the nearest of others: whether train rows are nearer than fresh ones."""
from collections.abc import Sequence
import functools
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics import memorisation
from jaxsynth.metrics.memorisation import Nearer
from jaxsynth.metrics.neighbours import block_size, blocks, size_for
from jaxsynth.metrics.tables import column as columns
from jaxsynth.metrics.tables.column import Column


class Nearest(NamedTuple):
  """Of each row the distance to the nearest of others, float32 `[N]`, and which, `[N]`."""
  distances: np.ndarray
  indices: np.ndarray


class Closest(NamedTuple):
  """What `closest` measures.

  Attributes:
    nearer: of the synthetic rows, those nearer to train than to the holdout.
    synthetic: from each synthetic row to the nearest of the train rows in `train`.
    holdout: from each holdout row in `held` to the nearest of these.
    train: the train rows that took part, `[n]`.
    held: the holdout rows, `[n]`.
  """
  nearer: Nearer
  synthetic: Nearest
  holdout: Nearest
  train: np.ndarray
  held: np.ndarray


class Encoded(NamedTuple):
  """Rows as distances see them: numbers by their range, float32 `[N, A]`; classes, `[N, B]`."""
  numbers: np.ndarray
  codes: np.ndarray


def closest(synthetic: Any, train: Any, holdout: Any, schema: Sequence[Column], *,
            seed: int = 0) -> Closest:
  """Whether synthetic rows are nearer to train rows than to rows that were never learned from.

  The share of rows whose closest record is in train is one half if the generator has learned the
  distribution and not its rows. It means that only of sets of one size, so the larger is thinned
  to the size of the smaller; rows as near to one as to the other are left out. The standard error
  is that of `memorisation.nearer`, which knows that many synthetic rows may share a closest.

  Args:
    synthetic: rows `[M, C]`.
    train: rows `[N, C]`, what the generator learned from.
    holdout: rows `[H, C]`, from the same source.
    schema: their columns.
    seed: of the rows that the larger set keeps.

  Raises:
    ValueError: rows that are not of the schema; or all are as near to one as to the other.

  >>> from jaxsynth.kinds.columns import Column
  >>> train, holdout = np.arange(8.)[:, None], np.arange(8.)[:, None] + .5
  >>> closest(train + .1, train, holdout, [Column('height', 'number')]).nearer.share.value
  1.0
  """
  named = {'synthetic': synthetic, 'train': train, 'holdout': holdout}
  tables = [columns.rows(name, x, schema) for name, x in named.items()]
  rng, size = np.random.default_rng(seed), min(len(tables[1]), len(tables[2]))
  kept = [np.sort(rng.permutation(len(x))[:size]) for x in tables[1:]]
  tables[1:] = [x[rows] for x, rows in zip(tables[1:], kept)]
  made, learned, held = encode(tables, schema, ranges(tables[1:]))
  to_train, to_holdout = nearest(made, learned), nearest(made, held)
  return Closest(memorisation.nearer(to_train, to_holdout, size, size), to_train,
                 nearest(held, learned), *kept)


def encode(tables: Sequence[np.ndarray], schema: Sequence[Column], spans: np.ndarray
           ) -> list[Encoded]:
  """Tables as `nearest` compares them.

  Args:
    tables: of rows `[N, C]` each.
    schema: their columns.
    spans: `[C, 2]`, the least and the largest value of each column; see `ranges`.
  """
  numeric = [j for j, column in enumerate(schema) if not column.discrete]
  low, high = spans[numeric].T
  width = np.where(high > low, high - low, 1)
  encoded = []
  for rows in tables:
    x = (rows[:, numeric] - low[None]) / width[None]
    codes = [np.where(np.isnan(rows[:, j]), len(column.categories), rows[:, j])
             for j, column in enumerate(schema) if column.discrete]
    encoded.append(Encoded(x.astype(np.float32), np.stack(codes, 1).astype(np.int32) if codes
                           else np.zeros((len(rows), 0), np.int32)))
  return encoded


def ranges(tables: Sequence[np.ndarray]) -> np.ndarray:
  """Of all rows together the least and the largest value of each column, `[C, 2]`."""
  low = np.min([np.where(np.isnan(x), np.inf, x).min(0) for x in tables], 0)
  high = np.max([np.where(np.isnan(x), -np.inf, x).max(0) for x in tables], 0)
  return np.stack([low, high], 1)


def nearest(queries: Encoded, points: Encoded) -> Nearest:
  """The nearest point of each query, exactly.

  The distance is `sum |a - b| / range` over numbers and days, and 2 for each class that differs,
  as one-hot vectors differ in L1; a number that is missing in one row alone counts 1. It is that of
  TabSyn's "distance to closest record". Of points as near as each other it is the first.

  Args:
    queries: `[Q, ...]`.
    points: `[N, ...]`; memory is bounded, time grows with `Q N`.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column('age', 'integer'), Column('sex', 'category', ('f', 'm'))]
  >>> a, b = np.array([[30., 0]]), np.array([[50., 0], [30, 1]])
  >>> nearest(*encode([a, b], schema, ranges([a, b])))
  Nearest(distances=array([1.], dtype=float32), indices=array([0], dtype=int32))
  """
  pad = lambda x: [*np.pad(x, ((0, size_for(len(x)) - len(x)), (0, 0)), 'edge').T]
  q, p = ([pad(part) for part in x] for x in (queries, points))  # columns apart
  sizes = [size_for(len(x.numbers)) for x in (queries, points)]
  of_padded = _nearest(q, p, *sizes, block=block_size(*sizes))
  return Nearest(*(np.asarray(x)[:len(queries.numbers)] for x in of_padded))


@functools.partial(jax.jit, static_argnums=(2, 3), static_argnames='block')
def _nearest(q: list[list[Array]], p: list[list[Array]], queries: int, points: int, *, block: int
             ) -> tuple[Array, Array]:
  def nearest_of_block(columns_of_block: list[list[Array]]) -> tuple[Array, Array]:
    total = jnp.zeros((block, points), jnp.float32)
    for a, b in zip(columns_of_block[0], p[0]):
      gap = jnp.abs(a[:, None] - b[None])
      lacks = jnp.isnan(a)[:, None] != jnp.isnan(b)[None]
      total += jnp.where(jnp.isnan(gap), lacks.astype(jnp.float32), gap)
    for a, b in zip(columns_of_block[1], p[1]):
      total += 2 * (a[:, None] != b[None])
    least = total.min(1)
    return least, jnp.argmax(total == least[:, None], 1).astype(jnp.int32)

  distances, indices = lax.map(nearest_of_block, jax.tree.map(
      functools.partial(blocks, block=block), q))
  return distances.reshape(-1)[:queries], indices.reshape(-1)[:queries]
