"""How alike the ties between the columns of two tables are, pair by pair."""
from collections.abc import Sequence
import itertools
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics.tables import column as columns
from jaxsynth.metrics.tables.column import Column
from jaxsynth.metrics.tables.shapes import mean

BINS = 10
TIED = .3  # Cramer's V, and
CORRELATED = .5  # the absolute correlation, above which a pair is tied


class Pairs(NamedTuple):
  """A score each pair of columns.

  Attributes:
    mean: of the pairs that have a score; NaN without any.
    tied: of the pairs that are tied in the real table; NaN without any.
    scores: symmetric `[C, C]` in [0, 1], 1 for the same tie; NaN on the diagonal, and where a
      correlation of a column is asked for that does not vary.
  """
  mean: float
  tied: float
  scores: np.ndarray


def trend(real: Any, synthetic: Any, schema: Sequence[Column]) -> Pairs:
  """How alike each pair of columns is distributed, the field's "Trend".

  Of two columns of numbers it is `1 - |r - s| / 2`, r and s Pearson's correlations of the rows
  that have both; of two columns of classes `1 - sum |p - q| / 2`, p and q the shares of each
  pair of them, "missing" counting as one more; of numbers and classes the same, the numbers cut
  into ten bins. This is `Column Pair Trends` of SDMetrics (CorrelationSimilarity and
  ContingencySimilarity): `mean` as it was up to 0.24, by which published numbers were made, and
  `tied` as 0.29 has it by default, which leaves out the pairs that are hardly tied in the real
  table. Of most tables those are most pairs, and independent columns match them.

  As there, the bins of equal width run from the least to the largest value of each table by
  itself, and the largest has a bin of its own together with those that are missing. So an extreme
  value in one table moves all bins, and pairs with skewed numbers are noisier than others.

  Args:
    real: rows `[N, C]`.
    synthetic: rows `[M, C]`.
    schema: their columns.

  Raises:
    ValueError: rows that are not of the schema.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column('age', 'number'), Column('height', 'number')]
  >>> x = np.array([[1., 1.], [2., 2.], [3., 3.]])
  >>> round(trend(x, x * [[1, -1]], schema).mean, 6)
  0.0
  """
  real, synthetic = columns.pair(real, synthetic, schema)
  r, s = correlations(real, schema), correlations(synthetic, schema)
  cells = [[binned(x, column) for x, column in zip(rows.T, schema)] for rows in (real, synthetic)]
  scores = np.full((len(schema),) * 2, np.nan)
  for i, j in itertools.combinations(range(len(schema)), 2):
    if not (schema[i].discrete or schema[j].discrete):
      scores[i, j] = 1 - abs(r[i, j] - s[i, j]) / 2
    else:
      scores[i, j] = 1 - float(np.abs(np.subtract(*(
          shares(x[i], x[j], size(schema[i]), size(schema[j])) for x in cells))).sum()) / 2
    scores[j, i] = scores[i, j]
  numbers = np.array([not column.discrete for column in schema])
  threshold = np.where(numbers[:, None] & numbers[None], CORRELATED, TIED)
  with np.errstate(invalid='ignore'):
    tied = ties(real, schema) > threshold
  return Pairs(mean(scores), mean(scores[tied]), scores)


def ties(rows: Any, schema: Sequence[Column]) -> np.ndarray:
  """How strongly each pair of columns is tied, symmetric `[C, C]`: for maps of them.

  Of two columns of numbers it is the absolute correlation, of others Cramer's V of the classes
  and bins of `trend`, in [0, 1]; NaN on the diagonal and where a column does not vary.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column(x, 'category', ('no', 'yes')) for x in 'ab']
  >>> ties([[0, 1], [1, 0]], schema)[0].tolist()
  [nan, 1.0]
  """
  x = columns.rows('rows', rows, schema)
  result = np.abs(correlations(x, schema))
  np.fill_diagonal(result, np.nan)
  cells = [binned(values, column) for values, column in zip(x.T, schema)]
  for i, j in itertools.combinations(range(len(schema)), 2):
    if schema[i].discrete or schema[j].discrete:
      result[i, j] = result[j, i] = _cramer(
          shares(cells[i], cells[j], size(schema[i]), size(schema[j])))
  return result


def correlations(x: np.ndarray, schema: Sequence[Column]) -> np.ndarray:
  """Pearson's, of the columns of numbers, over rows that have both; else NaN: `[C, C]`."""
  result = np.full((len(schema),) * 2, np.nan)
  numbers = [j for j, column in enumerate(schema) if not column.discrete]
  for i, j in itertools.combinations(numbers, 2):
    both = ~np.isnan(x[:, i]) & ~np.isnan(x[:, j])
    if both.sum() > 1:
      result[i, j] = result[j, i] = _correlation(x[both, i], x[both, j])
  return result


def binned(x: np.ndarray, column: Column) -> np.ndarray:
  """Of `[N]` values the cells that pairs are counted in, int `[N]` below `size(column)`."""
  if column.discrete:
    return np.where(np.isnan(x), len(column.categories), x).astype(int)
  there = x[~np.isnan(x)]
  if not there.size:
    return np.full(len(x), BINS + 1)
  return np.digitize(x, np.histogram_bin_edges(there, BINS))


def size(column: Column) -> int:
  """How many cells there may be."""
  return len(column.categories) + 1 if column.discrete else BINS + 2


def shares(a: np.ndarray, b: np.ndarray, rows: int, width: int) -> np.ndarray:
  """Of `[N]` pairs of cells, the share of each: `[rows, width]`."""
  return np.bincount(a * width + b, minlength=rows * width).reshape(rows, width) / len(a)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
  if not (np.ptp(a) and np.ptp(b)):
    return float('nan')
  a, b = (x - x.mean() for x in (a, b))
  return float(np.clip(a / np.linalg.norm(a) @ (b / np.linalg.norm(b)), -1, 1))


def _cramer(share: np.ndarray) -> float:
  """The root of chi squared by N and by one less than the shorter side, of what occurs."""
  share = share[share.sum(1) > 0][:, share.sum(0) > 0]
  if min(share.shape) < 2:
    return float('nan')
  expected = share.sum(1, keepdims=True) * share.sum(0, keepdims=True)
  return float(np.sqrt(((share - expected) ** 2 / expected).sum() / (min(share.shape) - 1)))
