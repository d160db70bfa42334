"""Independent marginals: right columns, and nothing between them."""
from collections.abc import Sequence

import numpy as np

from jaxsynth.baselines.rows import generator
from jaxsynth.kinds.columns import checked_rows, Column


def independent(table: np.ndarray, schema: Sequence[Column], num: int, seed: int) -> np.ndarray:
  """Each column drawn on its own from its values, with replacement: float32 `[num, C]`.

  What a score says of these rows it says of a table without any dependence: shapes of columns are
  as good as real ones, and a logistic regression hardly tells them from real rows.

  Args:
    table: numbers `[N, C]`, as `Column` says; the label may be one of the columns.
    schema: of the columns.
    num: rows to draw, above 0.
    seed: of which.

  Raises:
    ValueError: rows that are none of the schema's, or no rows to draw.

  >>> independent(np.array([[1., 0.], [2., 1.]]), (Column('n', 'integer'), Column(
  ...     'sex', 'category', ('f', 'm'))), 3, 0).shape
  (3, 2)
  """
  x, draws = checked_rows(table, schema), generator(num, seed)
  return np.stack([column[draws.integers(0, len(x), num)] for column in x.T], 1)
