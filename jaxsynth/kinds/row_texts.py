"""Rows of a table as the text that they were."""
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxsynth.kinds.columns import Column, EPOCH


class Label(NamedTuple):
  """The column of a table that is its rows' label, and lies beside them.

  Attributes:
    name: as the file has it.
    place: before which column of the rows it stands there.
  """
  name: str
  place: int


def texts(rows: np.ndarray, schema: Sequence[Column], labels: np.ndarray | None = None,
          names: Sequence[str] = (), label: Label | None = None) -> dict[str, list[str]]:
  """The cells of each column by its name, that of the label at its place; missing ones are empty.

  Args:
    rows: float32 `[N, C]`, as `Column` says.
    schema: of the columns.
    labels: integers `[N]`, or `None`.
    names: of the labels' classes, in their order; numbers by default.
    label: which column the labels are; by default the last, and called `label`.

  >>> texts(np.array([[1.5, 0], [np.nan, 11323]], np.float32),
  ...       (Column('x', 'number', missing=True), Column('day', 'date')), np.array([1, 0]),
  ...       ('no', 'yes'), Label('sick', 1))
  {'x': ['1.5', ''], 'sick': ['yes', 'no'], 'day': ['1970-01-01', '2001-01-01']}
  """
  columns = {column.name: _cells(rows[:, j], column) for j, column in enumerate(schema)}
  if labels is None:
    return columns
  name, place = label or Label('label', len(schema))
  words = [names[k] if len(names) else str(k) for k in np.asarray(labels).tolist()]
  items = list(columns.items())
  return dict([*items[:place], (name, words), *items[place:]])


def texts_of(schema: Sequence[Column], label: Label | None, names: Sequence[str] | None,
             arrays: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
  """As `texts`, of the arrays `row` and `label`."""
  return texts(np.asarray(arrays['row']), schema, arrays.get('label'), names or (), label)


def _cells(values: np.ndarray, column: Column) -> list[str]:
  lacks = np.isnan(values)
  if column.discrete:
    words = np.array([*column.categories, ''], object)
    return words[np.where(lacks, len(words) - 1, values).astype(int)].tolist()
  if column.type == 'number':  # the shortest that is read as this number
    cells = values.astype(np.float32).astype(str)
  elif column.type == 'date':
    cells = (np.where(lacks, 0, values).astype(int) + EPOCH).astype(str)
  else:
    cells = np.where(lacks, 0, values).astype(np.int64).astype(str)
  return np.where(lacks, '', cells).tolist()
