"""Rows that are train rows, value by value."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics.score import clopper_pearson, Share
from jaxsynth.metrics.tables import column as columns
from jaxsynth.metrics.tables.column import Column


class Copies(NamedTuple):
  """What `copies` counts, with intervals.

  Attributes:
    share: synthetic rows that are equal to a train row.
    holdout: rows of the holdout that are: what chance makes of it.
    repeated: synthetic rows that are equal to an earlier synthetic one.
    repeated_train: train rows that are equal to an earlier train row.
  """
  share: Share
  holdout: Share
  repeated: Share
  repeated_train: Share


def copies(synthetic: Any, train: Any, holdout: Any, schema: Sequence[Column]) -> Copies:
  """How many rows are equal to others in all columns; values that are missing are equal.

  Args:
    synthetic: rows `[M, C]`.
    train: rows `[N, C]`.
    holdout: rows `[H, C]`.
    schema: their columns.

  Raises:
    ValueError: rows that are not of the schema.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column('age', 'integer')]
  >>> copied = copies([[1], [1], [5], [6]], [[1], [2]], [[2], [3]], schema)
  >>> copied.share.value, copied.holdout.value, copied.repeated.value
  (0.5, 0.5, 0.25)
  """
  named = {'synthetic': synthetic, 'train': train, 'holdout': holdout}
  made, learned, held = (_keys(columns.rows(name, x, schema)) for name, x in named.items())
  among = lambda x: clopper_pearson(int(np.isin(x, learned).sum()), len(x))
  again = lambda x: clopper_pearson(len(x) - len(np.unique(x)), len(x))
  return Copies(among(made), among(held), again(made), again(learned))


def _keys(rows: np.ndarray) -> np.ndarray:
  """A row each as one value, equal where all columns are: `[N]`."""
  x = np.ascontiguousarray(np.where(np.isnan(rows), np.nan, rows + 0.))  # one NaN, and no -0
  return x.view(np.dtype((np.void, x[0].nbytes)))[:, 0]
