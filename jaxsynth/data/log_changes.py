"""Prices as changes, which come from one distribution where their levels wander."""
from collections.abc import Sequence

import numpy as np


def log_changes(rows: np.ndarray, columns: Sequence[str], who: str = 'series') -> np.ndarray:
  """How each column's logarithm changes from a row to the next: `log x[i + 1] - log x[i]`.

  Of prices these are log-returns. What a model learns of the levels of twenty years says little
  of next year's, which are higher; of the changes it says more.

  Args:
    rows: numbers `[N, C]` above 0, in the order of time.
    columns: a name each.
    who: has them, for messages.

  Returns:
    float32 `[N - 1, C]`.

  Raises:
    ValueError: a number that is not above 0, or fewer than two rows.

  >>> log_changes(np.array([[1.], [2.], [1.]]), ['close']).round(3).ravel().tolist()
  [0.6930000185966492, -0.6930000185966492]
  """
  rows = np.asarray(rows, np.float64)
  if len(rows) < 2:
    raise ValueError(f'{who}: {len(rows)} rows; a change needs two')
  if (rows <= 0).any():
    at, column = np.argwhere(rows <= 0)[0].tolist()
    raise ValueError(f'--log_changes: {who}, row {at}: {columns[column]}={rows[at, column]:g} has '
                     'no logarithm; expected numbers above 0: leave the column out by --columns, '
                     'or mend it')
  return np.diff(np.log(rows), axis=0).astype(np.float32)
