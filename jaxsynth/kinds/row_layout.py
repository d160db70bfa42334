"""How a row of a table lies in a model: what its columns are there."""
from collections.abc import Sequence
import functools
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.kinds import quantiles
from jaxsynth.kinds.columns import Column, Schema, Type
from jaxsynth.kinds.quantiles import Table

MISSING, PRESENT = -1., (-.8, 1.)  # of numbers, where some may be missing
BETWEEN = -.9  # what is below is missing


class ModelColumn(NamedTuple):
  """One column in a model, a number in [-1, 1] an example.

  Attributes:
    name: as the file has it.
    type: see `Column`; other than `category` the order of positions is that of values.
    values: `[K]`, what may be drawn, as on disk, NaN if missing; empty where it is continuous.
    positions: `[K]` rising, where a model sees them.
    ends: `[K - 1]`: what is above `ends[k]` and no more than `ends[k + 1]` is value `k + 1`.
    missing: whether values may be missing: the last of a category, the first of other atoms,
      and -1, which is drawn by all that is below -.9, of a continuous column.
  """
  name: str
  type: Type
  values: tuple[float, ...] = ()
  positions: tuple[float, ...] = ()
  ends: tuple[float, ...] = ()
  missing: bool = False

  @property
  def size(self) -> int:
    """How many values it may take, missing among them; 0 of a continuous column."""
    return len(self.values)


class Layout(NamedTuple):
  """The columns of a row in a model.

  Attributes:
    columns: in their order, `C` of them.
    reach: a normal score of 1 is `1 / reach` in the model, where nothing may be missing.
  """
  columns: tuple[ModelColumn, ...]
  reach: float

  @property
  def discrete(self) -> tuple[int, ...]:
    """Which columns take some values alone: `D` of them."""
    return tuple(i for i, column in enumerate(self.columns) if column.size)

  @property
  def continuous(self) -> tuple[int, ...]:
    """Which columns take any."""
    return tuple(i for i, column in enumerate(self.columns) if not column.size)

  def codes(self, rows: Array) -> Array:
    """Which value each discrete column is drawn as: int32 `[B, D]` of rows `[B, C]`; inside jit.

    >>> Layout((ModelColumn('sex', 'category', (0, 1), (-.5, .5), (0.,)),), 3.).codes(
    ...     jnp.array([[-.4], [.9]])).tolist()
    [[0], [1]]
    """
    ends = padded([self.columns[i].ends for i in self.discrete], np.inf)
    # no search by halves: unrolled, XLA:CPU gave wrong places where devices share a batch
    count = jax.vmap(lambda ends, x: jnp.searchsorted(ends, x, method='compare_all'), (0, 1), 1)
    return count(ends, rows[:, np.array(self.discrete, int)]).astype(jnp.int32)

  def positions(self, codes: Array) -> Array:
    """Where a model sees these values: float32 `[B, D]` of int `[B, D]`; inside jit."""
    return picked([self.columns[i].positions for i in self.discrete], codes)


def picked(of_columns: Sequence[Sequence[float]], codes: Array) -> Array:
  """Of each column's numbers that which a code says: float32 `[B, D]` of int `[B, D]`."""
  table = padded(of_columns, 0.)
  return jnp.asarray(table)[np.arange(len(table))[None], codes]


def padded(of_columns: Sequence[Sequence[float]], fill: float) -> np.ndarray:
  """Lists of several lengths as float32 `[D, K]`; at least one number each."""
  most = max([1, *map(len, of_columns)])
  table = np.full((len(of_columns), most), fill, np.float32)
  for row, values in zip(table, of_columns):
    row[:len(values)] = values
  return table


def squeezed(x: np.ndarray, missing: bool) -> np.ndarray:
  """Positions in [-1, 1] of values that are there, and leave room for those that are not."""
  low, high = PRESENT
  return low + (high - low) * (x + 1) / 2 if missing else x


@functools.lru_cache(maxsize=16)
def layout_of(schema: Schema, tables: tuple[Table | None, ...], size: int) -> Layout:
  """The layout of rows that were fitted on `size` others.

  Args:
    schema: of the columns.
    tables: of each, `None` where it is discrete.
    size: how many rows they were fitted on.
  """
  return Layout(tuple(_classes(column) if table is None else _numbers(column, table, size)
                      for column, table in zip(schema, tables)), quantiles.reach(size))


def _classes(column: Column) -> ModelColumn:
  """A category of `K` values, `(2 code + 1) / K - 1`."""
  values = [float(i) for i in range(len(column.categories))] + [np.nan] * column.missing
  k = len(values)
  return ModelColumn(column.name, column.type, tuple(values), tuple(
      (2 * i + 1) / k - 1 for i in range(k)), tuple(2 * i / k - 1 for i in range(1, k)),
      column.missing)


def _numbers(column: Column, table: Table, size: int) -> ModelColumn:
  if not table.atoms:
    return ModelColumn(column.name, column.type, missing=column.missing)
  middles, ends = (squeezed(f(table, size), column.missing).tolist()
                   for f in (quantiles.middles, quantiles.ends))
  if column.missing:
    middles, ends = [MISSING, *middles], [BETWEEN, *ends]
  values = (np.nan,) * column.missing + table.values
  return ModelColumn(column.name, column.type, values, *_apart(middles, ends), column.missing)


def _apart(middles: list[float], ends: list[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
  """The same as float32, with each end between two middles that differ, however close they are."""
  at = np.array(middles, np.float32)
  for i in range(1, len(at)):
    at[i] = max(at[i], np.nextafter(at[i - 1], np.float32(2)))
  between = np.clip(np.array(ends, np.float32), at[:-1], np.nextafter(at[1:], np.float32(-2)))
  return tuple(at.tolist()), tuple(between.tolist())
