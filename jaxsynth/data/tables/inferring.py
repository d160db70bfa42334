"""What the columns of a file are, by all of its cells."""
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
import re
from typing import Any, NamedTuple

from jaxsynth.data import classes
from jaxsynth.data.tables.texts import is_missing, Piece, TextFile
from jaxsynth.kinds import columns
from jaxsynth.kinds.columns import Schema

MOST = 1000  # classes of a column
LEAST = 50  # rows of which it can be said that nearly all are different
EXACT = 2 ** 24  # whole numbers up to which float32 has all
INTEGER = re.compile(r'[+-]?(0|[1-9]\d*)')
DATE = re.compile(r'\d{4}-\d{2}-\d{2}')


class Inferred(NamedTuple):
  """What a file holds.

  Attributes:
    schema: of the columns that are learned, in the order of the file.
    size: how many rows there are.
    classes: the classes of the label column, in their order; empty without one.
    notes: what a person should know of some columns: `name: what`.
  """
  schema: Schema
  size: int
  classes: tuple[str, ...]
  notes: tuple[str, ...]


class Cells:
  """What is known of a column once some of its cells were seen."""

  def __init__(self, name: str):
    self.name = name
    self.counts = dict.fromkeys(('integer', 'number', 'date', 'text', 'missing'), 0)
    self.first: dict[str, tuple[int, str]] = {}  # of each type: a line, and what is there
    self.words: set[str] | None = set()  # `None` once there are too many
    self.largest = 0.
    self.rising = True  # by one from row to row
    self._last: int | None = None

  def see(self, cells: Sequence[str], lines: Sequence[int]) -> None:
    """More of them."""
    for cell, count in Counter(cells).items():
      text = cell.strip()
      kind = type_of(text)
      self.counts[kind] += count
      if kind not in self.first:
        self.first[kind] = lines[cells.index(cell)], text
      if kind == 'missing':
        continue
      if kind == 'integer':
        self.largest = max(self.largest, abs(float(text)))
      if self.words is not None:
        self.words.add(text)
        self.words = self.words if len(self.words) <= MOST else None
    self._count(cells)

  def _count(self, cells: Sequence[str]) -> None:
    if not self.rising:
      return
    for cell in cells:
      text = cell.strip()
      if not INTEGER.fullmatch(text) or self._last not in (None, int(text) - 1):
        self.rising = False
        return
      self._last = int(text)

  @property
  def present(self) -> int:
    """How many cells have a value."""
    return sum(self.counts.values()) - self.counts['missing']


def type_of(text: str) -> str:
  """What a cell is, by itself: `integer`, `number`, `date`, `missing` or else `text`.

  >>> [type_of(x) for x in ('12', '-1e3', '2001-12-31', '?', '02139', 'inf')]
  ['integer', 'number', 'date', 'missing', 'text', 'text']
  """
  if INTEGER.fullmatch(text):
    return 'integer'
  if is_missing(text):
    return 'missing'
  if DATE.fullmatch(text):
    return 'date'
  if text[:1] in '+-.0123456789' and text[-1:].isdigit() or text[-1:] == '.':
    try:
      float(text)
    except ValueError:
      return 'text'
    return 'text' if '_' in text or re.match(r'[+-]?0\d', text) else 'number'
  return 'text'


def inferred(file: TextFile, pieces: Iterable[Piece], given: Sequence[Mapping[str, Any]] = (),
             label: str | None = None) -> Inferred:
  """The types of a file's columns; those that are given are left as they are.

  A column of numbers is one of whole numbers if all are; one of days has dates as 2001-12-31; any
  other has classes. Left out, with a note, are columns without values, row counters, and texts of
  more than 1,000 or of nearly as many values as there are rows, of which nothing can be learned.

  Args:
    file: of the rows.
    pieces: all of them.
    given: of some columns `name`, and if they are known `type`, `categories` and `missing`. If
      there are any, other columns of the file are left out.
    label: the column that is the label.

  Raises:
    ValueError: no such column, nothing to learn, a column of numbers and of texts, or a label
      that is missing or of too many values; it names the line and the column.
  """
  if label is not None and label not in file.names:
    raise ValueError(f'--label_column={label}: {file.path} has {", ".join(file.names)}; name one '
                     'of these')
  seen = {name: Cells(name) for name in file.names}
  size = 0
  for piece in pieces:
    size += len(piece.lines)
    for cells, column in zip(piece.columns, seen.values()):
      column.see(cells, piece.lines)
  known = {entry['name']: entry for entry in given}
  schema, notes = [], []
  for name, column in seen.items():
    if known and name not in known and name != label:
      notes.append(f'{name}: not in the schema, and left out')
      continue
    if name == label:
      continue
    entry, said = _entry(file, column, size, known.get(name, {}))
    notes += [f'{name}: {text}' for text in said]
    schema += [entry] if entry else []
  if not schema:
    raise ValueError(f'{file.path}: no column to learn' + (
        f' beside the label {label!r}' if label else '') + ''.join(f'; {x}' for x in notes))
  names = () if label is None else _classes(file, seen[label], known.get(label, {}))
  return Inferred(columns.of_json(schema), size, names, tuple(notes))


def _entry(file: TextFile, cells: Cells, size: int, given: Mapping[str, Any]
           ) -> tuple[dict[str, Any] | None, list[str]]:
  """A column as `columns.of_json` takes it, `None` if it is left out; and what to say of it."""
  kind = given.get('type') or _type(file, cells)
  lacks = 'type' not in given and cells.counts['missing'] > 0
  entry = {'missing': lacks, **given, 'name': cells.name, 'type': kind}
  if 'type' not in given:
    reason = _useless(cells, kind, size)
    if reason:
      return None, [f'{reason}, and left out; to keep it, give its type by --schema']
  if kind == 'category' and not given.get('categories'):
    if cells.words is None:
      raise ValueError(f'{file.path}: {cells.name} has more than {MOST:,} classes; leave the '
                       'column out of the schema, or list its categories there')
    entry['categories'] = classes.ordered(list(cells.words))
  notes = []
  if cells.words is not None and len(cells.words) == 1 and not cells.counts['missing']:
    notes.append(f'constant, {next(iter(cells.words))!r}; kept as it is')
  if kind == 'integer' and cells.largest > EXACT:
    notes.append(f'whole numbers up to {cells.largest:,.0f}, of which float32 keeps seven digits; '
                 'what is larger than 16,777,216 is rounded')
  return entry, notes


def _type(file: TextFile, cells: Cells) -> columns.Type:
  counts, present = cells.counts, cells.present
  numbers = counts['integer'] + counts['number']
  if numbers == present:
    return 'number' if counts['number'] or not present else 'integer'
  if counts['date'] == present:
    return 'date'
  for kind, n in (('number', numbers), ('date', counts['date'])):
    if 2 * n > present:
      odd = [cells.first[x] for x in cells.first if x not in ('missing', kind, 'integer')
             or x == 'integer' and kind == 'date']
      line, text = min(odd)
      raise ValueError(f'{file.path}, line {line}: {cells.name}={text!r}, and {n / present:.1%} of '
                       f'the column are {kind}s; mend the file, or give the type category by '
                       '--schema')
  return 'category'


def _useless(cells: Cells, kind: str, size: int) -> str:
  """Why nothing can be learned of a column; empty if something can."""
  if not cells.present:
    return 'no values'
  if kind == 'integer' and cells.rising and size >= LEAST:
    return 'counts the rows'
  if kind == 'category' and cells.words is None:
    return f'texts of more than {MOST:,} values, as names are'
  if kind == 'category' and cells.words is not None and size >= LEAST and (
      len(cells.words) > size / 2):
    return f'texts of {len(cells.words):,} values in {size:,} rows, as names are'
  return ''


def _classes(file: TextFile, cells: Cells, given: Mapping[str, Any]) -> tuple[str, ...]:
  """The classes of the label column, in their order."""
  if cells.counts['missing']:
    line, text = cells.first['missing']
    raise ValueError(f'{file.path}, line {line}: {cells.name}={text!r}, a label that is missing; '
                     'remove the row')
  if given.get('categories'):
    return tuple(map(str, given['categories']))
  if cells.words is None or cells.counts['number']:
    raise ValueError(f'--label_column={cells.name}: {file.path} has '
                     f'{"numbers" if cells.words else f"more than {MOST:,} values"} there; '
                     'expected classes. Without a label the column is one of each row')
  return tuple(classes.ordered(list(cells.words)))
