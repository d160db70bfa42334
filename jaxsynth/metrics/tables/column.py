"""What the scores of tables ask of a column, and rows that they can trust."""
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Column(Protocol):
  """A column, as `jaxsynth.kinds.columns.Column` is one."""

  @property
  def name(self) -> str:
    """As the file has it."""

  @property
  def categories(self) -> tuple[str, ...]:
    """Of classes, the texts; else empty."""

  @property
  def missing(self) -> bool:
    """Whether values may be missing."""

  @property
  def discrete(self) -> bool:
    """Whether its values are positions in `categories`."""


def pair(real: Any, synthetic: Any, schema: Sequence[Column]) -> tuple[np.ndarray, np.ndarray]:
  """Both sets of rows in float64, `[N, C]` and `[M, C]`.

  Raises:
    ValueError: see `rows`.
  """
  return rows('real', real, schema), rows('synthetic', synthetic, schema)


def rows(name: str, x: Any, schema: Sequence[Column]) -> np.ndarray:
  """Rows in float64.

  Args:
    name: of the argument, for messages.
    x: numbers `[N, C]`, N > 0; NaN where a value is missing.
    schema: a column each.

  Raises:
    ValueError: another shape, infinite values, or a position that no category has.

  >>> from jaxsynth.kinds.columns import Column
  >>> rows('real', [[1.], [np.nan]], [Column('sex', 'category', ('f', 'm'))]).dtype
  dtype('float64')
  """
  x = np.asarray(x)
  if x.ndim != 2 or not len(x) or x.shape[1] != len(schema) or x.dtype.kind not in 'uif':
    raise ValueError(f'{name}: {x.dtype}{list(x.shape)}, expected rows [N, {len(schema)}] of '
                     'numbers, a column each of the schema, N > 0')
  x = x.astype(np.float64)
  for values, column in zip(x.T, schema):
    bad = np.isinf(values)
    if column.discrete:
      bad |= ~np.isnan(values) & ~np.isin(values, np.arange(len(column.categories)))
    if bad.any():
      at = int(np.argmax(bad))
      raise ValueError(f'{name}, row {at}: {column.name}={values[at]}, expected ' + (
          f'a position among {len(column.categories)} categories' if column.discrete else
          'a finite number, or NaN where it is missing'))
  return x
