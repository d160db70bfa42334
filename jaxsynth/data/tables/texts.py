"""A table of text, a piece at a time: cells as they are written, and the lines they stand in."""
from collections.abc import Iterator, Sequence
import csv
import os
import pathlib
from typing import Any, NamedTuple

PIECE = 1000  # rows that are in memory as text at a time; 20,000 take half as long again
COMMENTS = ('|', '#')  # what a first line that belongs to no row begins with
DELIMITERS = (',', ';', '\t')
MISSING = ('', '?', 'na', 'n/a', '#n/a', '<na>', 'nan', 'null')


class TextFile(NamedTuple):
  """A file of rows.

  Attributes:
    path: of it.
    names: of its columns.
    named: whether its first line has them.
    delimiter: between cells.
  """
  path: pathlib.Path
  names: tuple[str, ...]
  named: bool
  delimiter: str


class Piece(NamedTuple):
  """Some rows.

  Attributes:
    columns: of each its cells, `[C][n]`.
    lines: of each row the line that it ends in, `[n]`.
  """
  columns: Sequence[Sequence[str]]
  lines: Sequence[int]


def opened(path: str | os.PathLike, names: Sequence[str] | None = None) -> TextFile:
  """Looks at the first line of a file.

  Args:
    path: of a file whose cells are parted by commas, semicolons or tabs. One line before the
      table that begins with `|` or `#` is passed over.
    names: of its columns; needed where the file does not have them. Where it does, these may be
      some of them.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not text, no rows, names that are not one a column, twice, or plainly values.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  first, delimiter = '', ','
  for number, first, delimiter in _first(path):
    break
  else:
    raise ValueError(f'{path}: no rows')
  cells = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter,
                                                    skipinitialspace=True))]
  where = f'{path}, line {number}'
  if names is not None and not set(names) & set(cells):
    if len(names) != len(cells):
      raise ValueError(f'{where}: {len(cells)} values, and the schema names {len(names)} columns; '
                       'name each of them, in the order of the file')
    return TextFile(path, tuple(names), False, delimiter)
  if names is None and any(_is_number(cell) for cell in cells):
    value = next(cell for cell in cells if _is_number(cell))
    raise ValueError(f'{where}: {value} is no name of a column; a file without a line of names '
                     'needs them in --schema=FILE, as ["age", "income"]')
  if len(set(cells)) < len(cells) or '' in cells:
    raise ValueError(f'{where}: {cells}, expected a name of each column, each once')
  lacking = [name for name in names or () if name not in cells]
  if lacking:
    raise ValueError(f'{where}: no column {lacking[0]!r}, which the schema has; only '
                     f'{", ".join(cells)}')
  return TextFile(path, tuple(cells), True, delimiter)


def pieces(file: TextFile, most: int = PIECE) -> Iterator[Piece]:
  """The rows of a file, in its order, `most` at a time; empty lines are passed over.

  Raises:
    ValueError: not text in UTF-8, a row of another length, or none at all; it names the line.
  """
  rows: list[list[str]] = []
  lines: list[int] = []
  some = False
  try:
    with open(file.path, encoding='utf-8-sig', newline='') as f:
      reader: Any = csv.reader(f, delimiter=file.delimiter, skipinitialspace=True, strict=True)
      to_pass = file.named
      for row in reader:
        if not row or not some and not rows and len(row) < len(file.names) and (
            row[0].startswith(COMMENTS)):
          continue
        if to_pass:
          to_pass = False
          continue
        if len(row) != len(file.names):
          raise ValueError(f'{file.path}, line {reader.line_num}: {len(row)} values, expected '
                           f'{len(file.names)}, one a column')
        rows.append(row)
        lines.append(reader.line_num)
        if len(rows) == most:
          yield Piece(list(zip(*rows)), lines)
          rows, lines, some = [], [], True
  except (UnicodeDecodeError, csv.Error) as error:
    raise ValueError(f'{file.path}, line {reader.line_num + 1} or near it: not a table of text in '
                     f'UTF-8 ({error})') from error
  if rows:
    yield Piece(list(zip(*rows)), lines)
  elif not some:
    raise ValueError(f'{file.path}: no rows' + (' below the names' if file.named else ''))


def is_missing(text: str) -> bool:
  """Whether a cell says that its value is not known.

  >>> is_missing('?'), is_missing('NA'), is_missing('None')
  (True, True, False)
  """
  return text.strip().lower() in MISSING


def _first(path: pathlib.Path) -> Iterator[tuple[int, str, str]]:
  """The first line of the table, its number, and what parts its cells."""
  try:
    with open(path, encoding='utf-8-sig') as f:
      for number, line in enumerate(f, 1):
        if line.strip() and not (number == 1 and line.startswith(COMMENTS)):
          yield number, line, max(DELIMITERS, key=line.count)
  except UnicodeDecodeError as error:
    raise ValueError(f'{path}: not a table of text in UTF-8 ({error})') from error


def _is_number(text: str) -> bool:
  try:
    float(text)
  except ValueError:
    return False
  return text.lower() != 'nan'
