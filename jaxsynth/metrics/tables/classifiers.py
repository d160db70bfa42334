"""The classifiers that judge tables, of other packages, and how they see rows."""
from collections.abc import Sequence
import importlib
from typing import Any, Literal
import warnings

import numpy as np

from jaxsynth.metrics.tables.column import Column

Name = Literal['boosting', 'logistic', 'xgboost']
LINES = {'sklearn': "scikit-learn: pip install 'jaxsynth[report]'",
         'xgboost': 'xgboost: pip install xgboost'}


def load(name: str) -> Any:
  """A module of scikit-learn or XGBoost.

  Raises:
    ImportError: it is not installed; the message has the line that installs it.
  """
  try:
    return importlib.import_module(name)
  except ImportError as error:
    raise ImportError(f'this judge of tables needs {LINES[name.partition(".")[0]]}') from error


def features(rows: np.ndarray, schema: Sequence[Column], name: Name = 'logistic') -> np.ndarray:
  """Rows as a classifier sees them, float32 `[N, D]`.

  Numbers and days stay as they are, NaN where they are missing. For `boosting` classes stay
  positions, which trees part as they like; for others a column of classes becomes one of zeros and
  ones for each, and another for "missing" where values of it may be.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column('age', 'integer'), Column('sex', 'category', ('f', 'm'))]
  >>> features(np.array([[7., 1.]]), schema)
  array([[7., 0., 1.]], dtype=float32)
  """
  parts = []
  for values, column in zip(rows.T, schema):
    if column.discrete and name != 'boosting':
      parts += [values == k for k in range(len(column.categories))]
      parts += [np.isnan(values)] if column.missing else []
    else:
      parts.append(values)
  return np.stack(parts, 1).astype(np.float32)


def fitted(model: Any, x: np.ndarray, y: np.ndarray) -> Any:
  """The model, fitted; a logistic regression that could be better yet does not say so."""
  with warnings.catch_warnings():
    warnings.simplefilter('ignore', load('sklearn.exceptions').ConvergenceWarning)
    return model.fit(x, y)
