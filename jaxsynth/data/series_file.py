"""A long series, of several columns, from a .csv or an .npz file."""
import csv
from collections.abc import Sequence
import os
import pathlib
from typing import NamedTuple

import numpy as np

from jaxsynth.data.price_file import moment

MISSING = ('', 'na', 'n/a', 'nan', 'null', 'none', '-')
VALUES = 'values'  # the array of an .npz file


class Span(NamedTuple):
  """The first and the last time of a file, as they are written there."""
  first: str | None
  last: str | None


class SeriesFile(NamedTuple):
  """What a file holds.

  Attributes:
    rows: float32 `[N, C]`, the oldest first.
    columns: a name each.
    dropped: how many rows lacked a value, and are not among these.
    first: the time of the first row as it is written; `None` where there are no times.
    last: that of the last.
  """
  rows: np.ndarray
  columns: tuple[str, ...]
  dropped: int = 0
  first: str | None = None
  last: str | None = None


def read_series(path: str | os.PathLike, columns: Sequence[str] | None = None,
                time: str | None = None, *, missing: str = 'refuse') -> SeriesFile:
  """The columns of a file.

  Args:
    path: of a .csv with a line of names, or an .npz whose array `values` is `[N, C]`, with
      `columns` beside it where they have names.
    columns: which, in this order; by default all but that of the times.
    time: column of a csv with ISO dates or numbers, which must rise or fall throughout; rows that
      begin with the newest are turned round. `None` for rows that are in order.
    missing: what becomes of rows that lack a value: `'refuse'`, `'drop'`, or `'hold'`, which
      takes the value before it.

  Raises:
    FileNotFoundError: no such file.
    ValueError: another format, no such column, a line of another length, a value that is no
      number or missing, or times that are out of order; it names the line and the column.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  if missing not in ('refuse', 'drop', 'hold'):
    raise ValueError(f'--missing={missing}: expected refuse, drop or hold')
  if path.suffix.lower() == '.npz':
    return _of_npz(path, columns)
  if path.suffix.lower() != '.csv':
    raise ValueError(f'{path}: expected a .csv or an .npz file')
  names, table, lines = _table(path)
  for name in (*(columns or ()), *((time,) if time else ())):
    if name not in names:
      raise ValueError(f'{path}: no column {name!r}, only {", ".join(names)}; name one of them')
  chosen = tuple(columns or (name for name in names if name != time))
  if not chosen:
    raise ValueError(f'{path}: no column beside {time!r}; expected one of numbers at least')
  order, span = slice(None), Span(None, None)
  if time:
    order, span = _in_order(path, [row[names.index(time)].strip() for row in table], lines, time)
  values = _numbers(path, names, table, lines, chosen, missing)
  values, dropped = _without_gaps(values[order], missing)
  if not len(values):
    raise ValueError(f'{path}: no row has a value in each of {", ".join(chosen)}')
  return SeriesFile(values.astype(np.float32), chosen, dropped, *span)


def _numbers(path: pathlib.Path, names: list[str], table: list[list[str]], lines: list[int],
             chosen: Sequence[str], missing: str) -> np.ndarray:
  """The values of some columns, NaN where there are none."""
  values = np.full((len(table), len(chosen)), np.nan)
  for j, name in enumerate(chosen):
    place = names.index(name)
    for i, row in enumerate(table):
      text = row[place].strip()
      if text.lower() in MISSING:
        if missing == 'refuse':
          raise ValueError(f'{path}, line {lines[i]}: {name} is missing; expected a number, or '
                           '--missing=drop or hold')
        continue
      try:
        values[i, j] = float(text)
      except ValueError:
        raise ValueError(f'{path}, line {lines[i]}: {name}={text!r}, expected a number; leave the '
                         'column out by --columns, or mend it') from None
      if not np.isfinite(values[i, j]):
        raise ValueError(f'{path}, line {lines[i]}: {name}={text}, expected a finite number')
  return values


def _without_gaps(values: np.ndarray, missing: str) -> tuple[np.ndarray, int]:
  if missing == 'hold':
    there = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    last = np.maximum.accumulate(there, 0)
    values = np.where(last >= 0, np.take_along_axis(values, np.maximum(last, 0), 0), np.nan)
  whole = np.isfinite(values).all(1)
  return values[whole], int((~whole).sum())


def _table(path: pathlib.Path) -> tuple[list[str], list[list[str]], list[int]]:
  """Names, rows of texts, and the line of each row."""
  table, lines = [], []
  try:
    with open(path, encoding='utf-8-sig', newline='') as f:
      rows = csv.reader(f)
      names = [name.strip() for name in next(rows, [])]
      if not names or len(set(names)) < len(names):
        raise ValueError(f'{path}, line 1: {names}, expected a name of each column, each once')
      for row in rows:
        if not row:
          continue
        if len(row) != len(names):
          raise ValueError(f'{path}, line {rows.line_num}: {len(row)} values, expected '
                           f'{len(names)}, one a column')
        table.append(row)
        lines.append(rows.line_num)
  except (UnicodeDecodeError, csv.Error) as error:
    raise ValueError(f'{path}: not a table of text in UTF-8 ({error})') from error
  if not table:
    raise ValueError(f'{path}: no rows below the names')
  return names, table, lines


def _in_order(path: pathlib.Path, texts: list[str], lines: list[int], time: str
              ) -> tuple[slice, Span]:
  """How rows come to the order of time, and the first and the last time."""
  stamps = [moment(text, f'{path}, line {line}: {time}') for text, line in zip(texts, lines)]
  turned = stamps[0] > stamps[-1]
  for before, after, line, text in zip(stamps, stamps[1:], lines[1:], texts[1:]):
    if after == before or (after < before) != turned:
      what = 'is there twice' if after == before else 'is out of order'
      raise ValueError(f'{path}, line {line}: {time}={text} {what}; expected times in order, each '
                       'once: sort the file')
  step = -1 if turned else 1
  return slice(None, None, step), Span(texts[::step][0], texts[::step][-1])


def _of_npz(path: pathlib.Path, columns: Sequence[str] | None) -> SeriesFile:
  try:
    with np.load(path, allow_pickle=False) as file:
      keys = list(file.files)
      values = file[VALUES] if VALUES in keys else None
      names = tuple(map(str, file['columns'])) if 'columns' in keys else None
  except Exception as error:  # a zip, a .npy or neither, each fails in its own way
    raise ValueError(f'{path}: not an .npz file of plain arrays ({error})') from error
  if values is None or values.ndim != 2 or not values.size or values.dtype.kind not in 'uif':
    given = ', '.join(keys) if values is None else f'{values.dtype}{list(values.shape)}'
    raise ValueError(f'{path}: {given}; expected numbers {VALUES!r} [rows, columns]')
  names = names or tuple(map(str, range(values.shape[1])))
  unknown = [name for name in columns or () if name not in names]
  if unknown or len(names) != values.shape[1]:
    raise ValueError(f'{path}: no column {unknown[0] if unknown else ""!r}, only '
                     f'{", ".join(names)}; name one of the {values.shape[1]}')
  chosen = tuple(columns or names)
  return SeriesFile(values[:, [names.index(name) for name in chosen]].astype(np.float32), chosen)
