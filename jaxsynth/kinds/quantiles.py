"""The quantiles of a column of numbers, as a record keeps them, and where a model sees them."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

MOST_ATOMS = 512  # values of a column that is drawn as one of them
MOST_QUANTILES = 1024


class Table(NamedTuple):
  """Some of the distinct values of the `n` numbers that a column was fitted on, rising.

  Attributes:
    values: `[K]`.
    below: how many of the `n` are less than each.
    up_to: how many are no more than each; the last is `n`.
    atoms: whether these are all the values there are, so that nothing else is drawn.
  """
  values: tuple[float, ...]
  below: tuple[int, ...]
  up_to: tuple[int, ...]
  atoms: bool

  @classmethod
  def of_json(cls, kept: Mapping[str, Any]) -> 'Table':
    """From what `_asdict` gives once it has been through JSON.

    Raises:
      ValueError: lists that are no table.
    """
    table = cls(tuple(map(float, kept['values'])), tuple(map(int, kept['below'])),
                tuple(map(int, kept['up_to'])), bool(kept['atoms']))
    values, below, up_to = map(np.asarray, table[:3])
    if not (len(values) == len(below) == len(up_to) > 0 and np.isfinite(values).all()
            and (np.diff(values) > 0).all() and (below < up_to).all() and below[0] >= 0
            and (below[1:] >= up_to[:-1]).all()):
      raise ValueError(f'a table of {len(values)} values, {len(below)} and {len(up_to)} counts; '
                       'expected as many of each, all of them rising')
    return table


def fitted(values: np.ndarray) -> Table:
  """The table of a column.

  A column of at most 512 distinct values keeps all. Of another at most 1,024 stay, half of them
  at equal steps of the rank, half at equal steps of the normal score, where the tails are; a
  value that fills several of these places is in the table with all of its rows.

  Args:
    values: finite `[n]`, n > 0.

  >>> fitted(np.array([3., 1., 3., 3.]))
  Table(values=(1.0, 3.0), below=(0, 1), up_to=(1, 4), atoms=True)
  """
  distinct, counts = np.unique(np.asarray(values, np.float32), return_counts=True)
  up_to, atoms = np.cumsum(counts), len(distinct) <= MOST_ATOMS
  if not atoms:
    from scipy import special
    n, half = int(up_to[-1]), MOST_QUANTILES // 2
    most = reach(n)
    ranks = np.concatenate([np.linspace(0, n - 1, half),
                            n * special.ndtr(np.linspace(-most, most, half)) - .5])
    kept = np.unique(np.searchsorted(up_to, np.clip(np.rint(ranks), 0, n - 1), side='right'))
    distinct, counts, up_to = distinct[kept], counts[kept], up_to[kept]
  return Table(tuple(distinct.tolist()), tuple((up_to - counts).tolist()), tuple(up_to.tolist()),
               atoms)


def reach(size: int) -> float:
  """The normal score of the extreme mid-quantile of `size` rows: what 1 stands for in a model.

  Raises:
    ValueError: fewer than two rows.

  >>> round(reach(1000), 3)
  3.291
  """
  if size < 2:
    raise ValueError(f'{size} rows: expected at least 2, to learn quantiles from')
  return float(_score(1 - .5 / size))


def middles(table: Table, size: int) -> np.ndarray:
  """Where a model sees each value: its mid-quantile's normal score over `reach`, float64 `[K]`.

  >>> middles(Table((1., 3.), (0, 1), (1, 4), True), 4).round(3)
  array([-1.   ,  0.277])
  """
  share = (np.asarray(table.below) + np.asarray(table.up_to)) / (2 * table.up_to[-1])
  return _score(share) / reach(size)


def ends(table: Table, size: int) -> np.ndarray:
  """Where one value's part ends and the next one's begins, of atoms: float64 `[K - 1]`.

  >>> ends(Table((1., 3.), (0, 1), (1, 4), True), 4).round(3)
  array([-0.586])
  """
  return _score(np.asarray(table.up_to[:-1]) / table.up_to[-1]) / reach(size)


def knots(table: Table, size: int) -> tuple[np.ndarray, np.ndarray]:
  """The quantile function: positions in a model that never fall, and values, float64 `[2 K]`.

  Each value has two, its first row's and its last one's, between which it is flat.

  >>> knots(Table((1., 3.), (0, 1), (1, 4), True), 4)[1].tolist()
  [1.0, 1.0, 3.0, 3.0]
  """
  rows = np.stack([np.asarray(table.below) + .5, np.asarray(table.up_to) - .5], 1).ravel()
  return _score(rows / table.up_to[-1]) / reach(size), np.repeat(table.values, 2)


def _score(share: Any) -> np.ndarray:
  """What a standard normal number is below with this probability."""
  from scipy import special
  return special.ndtri(share)
