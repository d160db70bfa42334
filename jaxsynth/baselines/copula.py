"""The Gaussian copula: right columns, and one number of dependence for each two of them."""
from collections.abc import Sequence

import numpy as np

from jaxsynth.baselines.rows import generator, whole
from jaxsynth.kinds.columns import checked_rows, Column

RIDGE = 1e-6  # of the correlations, so that they have a root where columns are one another's


def gaussian_copula(table: np.ndarray, schema: Sequence[Column], num: int, seed: int
                    ) -> np.ndarray:
  """Rows whose normal scores are normal together: float32 `[num, C]`.

  With `F_j` the empirical distribution of a column and R the correlations of the normal scores
  `Phi^-1(F_j(x_j))`, rows are `x_j = F_j^-1(Phi(z_j))`, z from N(0, R). Classes are parts of the
  line, those of an order in it and others from the most to the least frequent; a score is then
  that of the part's middle rank, and so is that of a missing number, which is below all others.
  Numbers are drawn between two neighbours among those there were, all else as one of them.

  Args:
    table: numbers `[N, C]`, as `Column` says; the label may be one of the columns.
    schema: of the columns.
    num: rows to draw, above 0.
    seed: of which.

  Raises:
    ValueError: rows that are none of the schema's, or no rows to draw.

  Nelsen 2006, An Introduction to Copulas, sections 2.3 and 2.9; Patki et al. 2016, The Synthetic
  Data Vault, section 3.

  >>> x = np.arange(100.)
  >>> drawn = gaussian_copula(np.stack([x, -x], 1), (Column('a', 'number'), Column('b', 'number')),
  ...                         5, 0)
  >>> bool(np.abs(drawn.sum(1)).max() < 1)
  True
  """
  from scipy import special
  x, draws = checked_rows(table, schema), generator(num, seed)
  places = np.stack([_places(values, column) for values, column in zip(x.T, schema)], 1)
  scores = np.stack([special.ndtri(_middle_ranks(values)) for values in places.T], 1)
  z = draws.standard_normal((num, len(schema))) @ np.linalg.cholesky(correlations(scores)).T
  shares = special.ndtr(z)
  return np.stack([_values(shares[:, j], x[:, j], places[:, j], column)
                   for j, column in enumerate(schema)], 1).astype(np.float32)


def correlations(scores: np.ndarray) -> np.ndarray:
  """Pearson's, `[C, C]` of `[N, C]`, with a root; those of a constant column are 0."""
  centred = scores - scores.mean(0)
  deviations = np.sqrt((centred ** 2).mean(0))
  unit = centred / np.where(deviations > 0, deviations, 1)
  matrix = unit.T @ unit / len(scores)
  np.fill_diagonal(matrix, 1)
  return (matrix + RIDGE * np.eye(len(matrix))) / (1 + RIDGE)


def _places(values: np.ndarray, column: Column) -> np.ndarray:
  """Numbers in whose order the values of a column lie on the line."""
  if column.type == 'category':
    # missing values are one more class
    distinct, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.empty(len(distinct))
    rank[np.argsort(-counts, kind='stable')] = np.arange(len(distinct))
    return rank[which]
  return np.where(np.isnan(values), -np.inf, values.astype(np.float64))


def _middle_ranks(places: np.ndarray) -> np.ndarray:
  """The middle of the ranks of equal values, as shares in (0, 1)."""
  _, which, counts = np.unique(places, return_inverse=True, return_counts=True)
  last = np.cumsum(counts)
  return ((last - counts / 2) / len(places))[which]


def _values(shares: np.ndarray, values: np.ndarray, places: np.ndarray, column: Column
            ) -> np.ndarray:
  """The quantiles of a column."""
  order = np.argsort(places, kind='stable')
  rising, at = values[order].astype(np.float64), shares * len(values)
  nearest = rising[np.minimum(at.astype(int), len(values) - 1)]
  if column.discrete:
    return nearest
  there = np.isfinite(rising)
  if not there.any():
    return nearest
  between = np.interp(at, np.flatnonzero(there) + .5, rising[there])
  return np.where(np.isnan(nearest), np.nan, whole(between, column))
