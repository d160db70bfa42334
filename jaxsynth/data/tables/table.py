"""A table as numbers."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxsynth.kinds.columns import Schema
from jaxsynth.kinds.row_texts import Label


class Table(NamedTuple):
  """A whole table.

  Attributes:
    rows: float32 `[N, C]`, as `columns.Column` says.
    schema: of the columns.
    labels: int32 `[N]`, or `None`.
    names: of the labels' classes, in their order.
    label: which column the labels were, or `None`.
    notes: what a person should know of some columns: `name: what`.
    dropped: rows that were left out, of classes that the schema lacks.
  """
  rows: np.ndarray
  schema: Schema
  labels: np.ndarray | None = None
  names: tuple[str, ...] = ()
  label: Label | None = None
  notes: tuple[str, ...] = ()
  dropped: int = 0


def label_of(names: Sequence[str], schema: Schema, label: str) -> Label:
  """The column that is the label, among the names of a file's columns."""
  before = set(names[:names.index(label)])
  return Label(label, sum(column.name in before for column in schema))
