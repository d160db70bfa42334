"""A series of prices or returns, from a .csv or an .npz file."""
import csv
import datetime
import math
import os
import pathlib
from typing import NamedTuple

import numpy as np


class PriceFile(NamedTuple):
  """What a file holds.

  Attributes:
    returns: float64 `[T]`, log-returns, the oldest first.
    first: the time of the first row, as it is written; `None` where there are no times.
    last: that of the last.
  """
  returns: np.ndarray
  first: str | None = None
  last: str | None = None


def read(path: str | os.PathLike, column: str = 'close', times: str | None = 'date', *,
         returns: bool = False, least: int = 500) -> PriceFile:
  """The log-returns of a file.

  Args:
    path: of a .csv with a line of names, or an .npz of arrays `[T]` or `[T, 1]`.
    column: of the csv, or array of the npz, that has the prices.
    times: column of a csv with ISO dates or numbers, which rise or fall throughout; rows that
      begin with the newest are turned round. None for rows that are in order; not looked at in
      an npz, whose values are.
    returns: whether `column` has log-returns and not prices.
    least: how many values there must be.

  Raises:
    FileNotFoundError: no such file.
    ValueError: another format, no such column, a value that is no number, a price that is not
      above 0, times that are out of order, or too few values.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  readers = {'.csv': _of_csv, '.npz': _of_npz}
  if path.suffix.lower() not in readers:
    raise ValueError(f'{path}: expected a .csv or an .npz file')
  values, lines, span = readers[path.suffix.lower()](path, column, times)
  if len(values) < least:
    raise ValueError(f'{path}: {len(values)} values, expected at least {least}; the numbers of a '
                     'shorter series are mostly chance')
  wrong = ~np.isfinite(values) if returns else ~(np.isfinite(values) & (values > 0))
  if wrong.any():
    at = int(np.argmax(wrong))
    raise ValueError(f'{path}, {lines[at]}: {column}={values[at]:g}, expected a ' + (
        'finite number' if returns else 'price above 0; if these are log-returns, say so'))
  return PriceFile(values if returns else np.diff(np.log(values)), *span)


Rows = tuple[np.ndarray, list[str], tuple[str | None, str | None]]


def _of_csv(path: pathlib.Path, column: str, times: str | None) -> Rows:
  """Values, the place of each, and the first and last time."""
  values, stamps, texts, lines = [], [], [], []
  try:
    with open(path, encoding='utf-8-sig', newline='') as f:
      rows = csv.DictReader(f)
      names = rows.fieldnames or []
      for name in (column, times):
        if name is not None and name not in names:
          raise ValueError(f'{path}: no column {name!r}, only {", ".join(names) or "none"}; name '
                           'one of them')
      for row in rows:
        line = f'line {rows.line_num}'
        values.append(_number(row[column], f'{path}, {line}: {column}'))
        lines.append(line)
        if times is not None:
          texts.append(str(row[times]).strip())
          stamps.append(moment(texts[-1], f'{path}, {line}: {times}'))
  except (UnicodeDecodeError, csv.Error) as error:
    raise ValueError(f'{path}: not a table of text in UTF-8 ({error})') from error
  if len(stamps) < 2:
    return np.array(values), lines, (None, None)
  turned = stamps[0] > stamps[-1]
  step = -1 if turned else 1
  for before, after, line, text in zip(stamps, stamps[1:], lines[1:], texts[1:]):
    if (after - before) * step <= 0:
      way = 'backwards' if not turned else 'forwards, though the file begins with the newest'
      raise ValueError(f'{path}, {line}: {times}={text} ' + (
          'is there twice' if after == before else f'goes {way}') + '; expected times in order, '
          'each once: sort the file')
  return np.array(values)[::step], lines[::step], (texts[::step][0], texts[::step][-1])


def _number(text: str | None, place: str) -> float:
  try:
    return float(text or '')
  except ValueError:
    raise ValueError(f'{place}={text!r}, expected a number; remove the line or mend it') from None


def moment(text: str, place: str) -> float:
  """Seconds since 1970 of an ISO date, or the number."""
  try:
    if text.isdigit() and len(text) == 8:
      raise ValueError  # a date without hyphens
    number = float(text)
    if math.isfinite(number):
      return number
  except ValueError:
    pass
  try:
    moment = datetime.datetime.fromisoformat(text)
  except ValueError:
    raise ValueError(f'{place}={text!r}, expected a date as 2015-12-31, or a number') from None
  zone = moment.tzinfo or datetime.timezone.utc
  return moment.replace(tzinfo=zone).timestamp()


def _of_npz(path: pathlib.Path, column: str, times: str | None) -> Rows:
  del times
  try:
    with np.load(path, allow_pickle=False) as file:
      names = list(file.files)
      values = file[column] if column in names else None
  except Exception as error:  # a zip, a .npy or neither, each fails in its own way
    raise ValueError(f'{path}: not an .npz file of plain arrays ({error})') from error
  if values is None:
    raise ValueError(f'{path}: no array {column!r}, only {", ".join(names) or "none"}; name one of '
                     'them')
  if values.dtype.kind not in 'fiu' or values.ndim not in (1, 2) or values.shape[1:] not in (
      (), (1,)):
    raise ValueError(f'{path}: {column!r} is {values.dtype}{list(values.shape)}, expected numbers '
                     '[T], one series')
  flat = values.reshape(-1).astype(np.float64)
  return flat, [f'value {i}' for i in range(len(flat))], (None, None)
