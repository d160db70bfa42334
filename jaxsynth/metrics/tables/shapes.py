"""How alike the columns of two tables are, each by itself."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import statistics
from jaxsynth.metrics.tables import column as columns
from jaxsynth.metrics.tables.column import Column

DECIMALS = 14  # that the peer rounds to before it compares


class Columns(NamedTuple):
  """A score a column.

  Attributes:
    mean: of the columns that have a score; NaN without any.
    scores: `[C]` in [0, 1], 1 for the same distribution; NaN of a column without values.
  """
  mean: float
  scores: np.ndarray


def shape(real: Any, synthetic: Any, schema: Sequence[Column]) -> Columns:
  """One minus the distance of each column's distributions, the field's "Shape".

  Of numbers and days it is `1 - max |F - G|`, the complement of the Kolmogorov-Smirnov
  statistic; of classes `1 - sum |p - q| / 2`, that of the total variation. Missing values are
  left out: `missing` scores them. This is `Column Shapes` of SDMetrics 0.29 (KSComplement and
  TVComplement). Columns drawn independently of each other score as if they were perfect.

  Args:
    real: rows `[N, C]`.
    synthetic: rows `[M, C]`.
    schema: their columns.

  Raises:
    ValueError: rows that are not of the schema.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column('age', 'integer'), Column('sex', 'category', ('f', 'm'))]
  >>> shape([[1, 0], [2, 0]], [[2, 0], [3, 1]], schema).scores.tolist()
  [0.5, 0.5]
  """
  real, synthetic = columns.pair(real, synthetic, schema)
  scores = np.array([_score(a[~np.isnan(a)], b[~np.isnan(b)], column)
                     for a, b, column in zip(real.T, synthetic.T, schema)])
  return Columns(mean(scores), scores)


def missing(real: Any, synthetic: Any, schema: Sequence[Column]) -> np.ndarray:
  """One minus the difference of the shares of values that are missing, `[C]` in [0, 1].

  It is SDMetrics' MissingValueSimilarity.

  >>> from jaxsynth.kinds.columns import Column
  >>> missing([[1.], [np.nan]], [[1.], [2.]], [Column('age', 'integer', missing=True)])
  array([0.5])
  """
  real, synthetic = columns.pair(real, synthetic, schema)
  return 1 - np.abs(np.isnan(real).mean(0) - np.isnan(synthetic).mean(0))


def mean(scores: np.ndarray) -> float:
  """Of the scores that there are; NaN without any."""
  there = scores[~np.isnan(scores)]
  return float(there.mean()) if there.size else float('nan')


def _score(a: np.ndarray, b: np.ndarray, column: Column) -> float:
  if not (len(a) and len(b)):
    return float('nan')
  if column.discrete:
    p, q = (np.bincount(x.astype(int), minlength=len(column.categories)) / len(x)
            for x in (a, b))
    return 1 - float(np.abs(p - q).sum()) / 2
  return 1 - statistics.marginal(a.round(DECIMALS), b.round(DECIMALS))[0]
