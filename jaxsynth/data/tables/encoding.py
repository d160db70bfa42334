"""The rows of a file as numbers."""
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxsynth.data.tables.inferring import type_of
from jaxsynth.data.tables.texts import is_missing, Piece, TextFile
from jaxsynth.kinds.columns import Column, EPOCH, Schema


class Encoded(NamedTuple):
  """Rows as numbers.

  Attributes:
    rows: float32 `[N, C]`, as `Column` says.
    labels: int32 `[N]`, or `None`.
    dropped: of each column with classes that the schema lacks, how many rows were left out.
  """
  rows: np.ndarray
  labels: np.ndarray | None
  dropped: dict[str, int]


def encoded(file: TextFile, pieces: Iterable[Piece], schema: Schema, label: str | None = None,
            names: Sequence[str] = (), *, size: int | None = None, unseen: str = 'refuse'
            ) -> Encoded:
  """The columns of a schema, and the labels.

  Args:
    file: of the rows.
    pieces: all of them.
    schema: what is read.
    label: the column that is the label, or `None`.
    names: its classes, in their order.
    size: how many rows there are, so that memory is taken once.
    unseen: what becomes of rows with a class that the schema lacks: `'refuse'` or `'drop'`.

  Raises:
    ValueError: a cell that is not what the schema says, or missing where it says that none is, or
      of a class that it lacks; it names the line and the column.
  """
  lacking = [column.name for column in schema if column.name not in file.names]
  if lacking or label is not None and label not in file.names:
    raise ValueError(f'{file.path}: no column {(*lacking, label)[0]!r}, only '
                     f'{", ".join(file.names)}')
  readers = [_Reader(file, column, unseen) for column in schema]
  if label is not None:
    readers.append(_Reader(file, Column(label, 'category', tuple(names)), unseen))
  rows = np.empty((size or 0, len(schema)), np.float32)
  labels = np.empty(size or 0, np.int32)
  parts, start = [], 0
  for piece in pieces:
    values = np.empty((len(piece.lines), len(readers)), np.float32)
    for j, reader in enumerate(readers):
      values[:, j] = reader.read(piece.columns[reader.place], piece.lines)
    if unseen == 'drop':
      values = values[_whole(values, readers)]
    if size is None:
      parts.append(values)
      continue
    stop = start + len(values)
    rows[start:stop] = values[:, :len(schema)]
    if label is not None:
      labels[start:stop] = values[:, -1]
    start = stop
  if size is None:
    everything = np.concatenate(parts)
    start, rows = len(everything), everything[:, :len(schema)]
    labels = everything[:, -1].astype(np.int32)
  if not start:
    raise ValueError(f'{file.path}: each row has a class that the schema lacks')
  return Encoded(np.ascontiguousarray(rows[:start]), None if label is None else labels[:start],
                 {x.column.name: x.dropped for x in readers if x.dropped})


def _whole(values: np.ndarray, readers: Sequence['_Reader']) -> np.ndarray:
  """Which rows have no class that the schema lacks."""
  of_classes = [j for j, reader in enumerate(readers) if reader.names]
  return np.asarray(~(values[:, of_classes] < 0).any(1))  # NaN is missing, which is known


class _Reader:
  """Turns the cells of a column into numbers."""

  def __init__(self, file: TextFile, column: Column, unseen: str):
    self.file, self.column, self.place = file, column, file.names.index(column.name)
    self.names = {name: float(i) for i, name in enumerate(column.categories)}
    self.unseen, self.dropped = unseen, 0

  def read(self, cells: Sequence[str], lines: Sequence[int]) -> np.ndarray:
    """float32 `[n]`; NaN is missing, and -1 a class that the schema lacks."""
    if self.column.type in ('number', 'integer'):
      try:
        numbers = np.array(list(map(float, cells)))
        if np.isfinite(numbers).all() and (
            self.column.type == 'number' or (numbers == np.round(numbers)).all()):
          return numbers
      except ValueError:
        pass
    # in their order, so that of several wrong ones the first is named
    known = {cell: self._number(cell.strip(), cell, cells, lines) for cell in dict.fromkeys(cells)}
    values = np.array([known[cell] for cell in cells], np.float32)
    if self.names:
      self.dropped += int((values < 0).sum())
    return values

  def _number(self, text: str, cell: str, cells: Sequence[str], lines: Sequence[int]) -> float:
    kind = self.column.type
    if is_missing(text) and text not in self.names:
      if not self.column.missing:
        raise self._wrong(text, cell, cells, lines, 'and the schema says that no value is missing '
                          'there; mend the row, or say "missing": true in --schema')
      return np.nan
    if self.names:
      number = self.names.get(text, self.names.get(text.rstrip('.')))  # adult.test ends so
      if number is None and self.unseen == 'refuse':
        raise self._wrong(text, cell, cells, lines, 'which is none of the '
                          f'{len(self.names)} classes that are known; mend the row, give the '
                          'categories by --schema, or leave such rows out by --unseen=drop')
      return -1. if number is None else number
    try:
      if kind == 'date' and type_of(text) != 'date':
        raise ValueError
      value = (float((np.datetime64(text, 'D') - EPOCH).astype(int)) if kind == 'date' else
               float(text))
      if not np.isfinite(value) or kind == 'integer' and value != round(value):
        raise ValueError
    except ValueError:
      expected = {'date': 'a date as 2001-12-31', 'integer': 'a whole number',
                  'number': 'a number'}[kind]
      raise self._wrong(text, cell, cells, lines, f'expected {expected}') from None
    return value

  def _wrong(self, text: str, cell: str, cells: Sequence[str], lines: Sequence[int], why: str
             ) -> ValueError:
    return ValueError(f'{self.file.path}, line {lines[list(cells).index(cell)]}: '
                      f'{self.column.name}={text!r}, {why}')
