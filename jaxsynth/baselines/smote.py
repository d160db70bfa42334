"""SMOTE: rows between a real row and one of its nearest, within a class."""
from collections.abc import Sequence

import numpy as np

from jaxsynth.baselines.rows import generator, whole
from jaxsynth.kinds.columns import checked_rows, Column

CHUNK = 512  # rows whose distances to all others are in memory together


def smote(table: np.ndarray, schema: Sequence[Column], num: int, seed: int, *,
          target: int | None = None, neighbours: int = 5) -> np.ndarray:
  """Interpolated rows, as SMOTE-NC makes them: float32 `[num, C]`.

  Of a real row x, drawn at random, and one of its k nearest of the same class, numbers are
  `x + u (neighbour - x)`, u uniform; classes are those that most of the k have. Numbers count in
  units of their standard deviation, and another class, or a value that one of two lacks, as the
  median of these, 1. What one of two lacks is that of the nearer one.

  Every row drawn lies between two real ones, and numbers of both can be read off a few such rows:
  it is a bound on what trains well, and no way to keep anything private.

  Args:
    table: numbers `[N, C]`, as `Column` says; the label may be one of the columns.
    schema: of the columns.
    num: rows to draw, above 0.
    seed: of which.
    target: which column is the class; it is kept. `None` for neighbours among all rows.
    neighbours: k, above 0; fewer in a class of fewer rows.

  Raises:
    ValueError: rows that are none of the schema's, no rows to draw, a class of one row, which has
      no neighbour, or a target that is no column of classes.

  Chawla et al. 2002, https://arxiv.org/abs/1106.1813, sections 4.2 and 6.1.

  >>> drawn = smote(np.array([[0.], [1.], [3.]]), (Column('x', 'number'),), 9, 0, neighbours=1)
  >>> bool((drawn >= 0).all() and (drawn <= 3).all())
  True
  """
  x, draws = checked_rows(table, schema), generator(num, seed)
  if neighbours < 1:
    raise ValueError(f'neighbours={neighbours}: expected at least 1')
  if target is not None and not (0 <= target < len(schema) and schema[target].discrete):
    raise ValueError(f'target={target}: expected the place of a column of classes')
  first = draws.integers(0, len(x), num)
  near = nearest(x, schema, np.unique(first), target, neighbours)
  near = near[np.searchsorted(np.unique(first), first)]  # [num, k]
  have = (near >= 0).sum(1)
  other = near[np.arange(num), (draws.random(num) * have).astype(int)]
  share = draws.random(num)
  out = np.empty((num, len(schema)), np.float32)
  for j, column in enumerate(schema):
    a, b = x[first, j].astype(np.float64), x[other, j].astype(np.float64)
    if j == target:
      out[:, j] = a
    elif column.discrete:
      out[:, j] = _most(np.where(near >= 0, x[near, j], -1), len(column.categories))
    else:
      between = whole(a + share * (b - a), column)
      out[:, j] = np.where(np.isnan(a) | np.isnan(b), np.where(share < .5, a, b), between)
  return out


def nearest(x: np.ndarray, schema: Sequence[Column], rows: np.ndarray, target: int | None,
            neighbours: int) -> np.ndarray:
  """The nearest others of some rows in their class: int `[R, k]`, -1 where a class has no more.

  Args:
    x: float32 `[N, C]`.
    schema: of the columns.
    rows: `[R]`, positions.
    target: which column is the class, or `None`.
    neighbours: k.

  Raises:
    ValueError: a class of one row.
  """
  points = _points(x, schema, target)
  classes = np.zeros(len(x)) if target is None else np.nan_to_num(x[:, target], nan=-1.)
  out = np.full((len(rows), neighbours), -1)
  for value in np.unique(classes[rows]):
    members = np.flatnonzero(classes == value)
    if len(members) < 2:
      raise ValueError(f'one row of class {value:g}: it has no neighbour; leave the class out')
    k, asked = min(neighbours, len(members) - 1), np.flatnonzero(classes[rows] == value)
    there = points[members]
    squares = (there ** 2).sum(1)
    for begin in range(0, len(asked), CHUNK):
      some = asked[begin:begin + CHUNK]
      distances = squares[None] - 2 * points[rows[some]] @ there.T
      distances[np.arange(len(some)), np.searchsorted(members, rows[some])] = np.inf
      best = np.argpartition(distances, k - 1, 1)[:, :k]
      order = np.argsort(np.take_along_axis(distances, best, 1), 1, kind='stable')
      out[some, :k] = members[np.take_along_axis(best, order, 1)]
  return out


def _points(x: np.ndarray, schema: Sequence[Column], target: int | None) -> np.ndarray:
  """Rows whose squared Euclidean distances are those that count: float32 `[N, P]`."""
  parts = []
  for j, column in enumerate(schema):
    lacks = np.isnan(x[:, j])
    if j == target:
      continue
    if column.discrete:  # two one-hot rows are 1 apart
      codes = np.where(lacks, len(column.categories), x[:, j]).astype(int)
      parts.append(np.eye(len(column.categories) + 1, dtype=np.float32)[codes] / np.sqrt(2))
      continue
    there = x[~lacks, j].astype(np.float64)
    mean, deviation = (there.mean(), there.std()) if len(there) else (0., 0.)
    unit = np.where(lacks, 0, (x[:, j] - mean) / (deviation if deviation > 0 else 1))
    parts.append(np.stack([unit, lacks], 1).astype(np.float32))
  return np.concatenate(parts, 1).astype(np.float32)


def _most(codes: np.ndarray, size: int) -> np.ndarray:
  """The most frequent class of each row, the first of equals; NaN if most lack one: `[num]`.

  Args:
    codes: `[num, k]`, NaN where missing and -1 where there is none.
    size: number of classes.
  """
  at = np.where(np.isnan(codes), size, codes).astype(int)
  counts = np.zeros((len(at), size + 1), int)
  for column in at.T:
    counts[np.arange(len(at)), np.maximum(column, 0)] += column >= 0
  most = counts.argmax(1).astype(np.float64)
  return np.where(most == size, np.nan, most)
