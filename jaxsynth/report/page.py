"""What a page says, before it is HTML: plain data, plain text."""
from collections.abc import Sequence
from typing import Literal, NamedTuple

Cell = str | int | float | None
Mark = Literal['good', 'neutral', 'bad']


class Table(NamedTuple):
  """Rows of cells; numbers are aligned right, `None` is shown as "n/a".

  Attributes:
    caption: what the rows are.
    columns: a heading each.
    rows: as many cells as columns; the first names the row.
  """
  caption: str
  columns: Sequence[str]
  rows: Sequence[Sequence[Cell]]


class Figure(NamedTuple):
  """A picture with what it means.

  Attributes:
    picture: markup from this package's own functions; the one string not escaped.
    meaning: a sentence under it, that says how to read it.
    alt: the same for who cannot see it.
    wide: whether it takes the whole width rather than share it.
  """
  picture: str
  meaning: str
  alt: str
  wide: bool = False


class Note(NamedTuple):
  """A paragraph that stands out, by its word as well as by its colour."""
  text: str
  kind: Literal['note', 'good', 'warning', 'bad'] = 'note'


class Score(NamedTuple):
  """A row of a headline table.

  Attributes:
    name: of the score, with its protocol.
    value: of the data judged.
    floor: the same between two sets of real data: what a perfect generator gets.
    error: standard error of `value`.
    mark: how good that is.
    better: which way is better.
  """
  name: str
  value: float | None
  floor: float | None = None
  error: float | None = None
  mark: Mark = 'neutral'
  better: Literal['lower', 'higher'] = 'lower'


class Scores(NamedTuple):
  """The headline table."""
  caption: str
  rows: Sequence[Score]


class Links(NamedTuple):
  """Where to read on.

  Attributes:
    text: what there is.
    targets: `(text, path)` of each: a file beside the page or below it, as
      `analyse/report.html`, not yet quoted.
  """
  text: str
  targets: Sequence[tuple[str, str]]


class Code(NamedTuple):
  """Commands, as they are typed; long lines break on a phone."""
  text: str


Item = Table | Figure | Note | Scores | Links | Code


class Section(NamedTuple):
  """A heading, paragraphs (parted by blank lines), and what stands under them."""
  heading: str
  text: str = ''
  items: Sequence[Item] = ()


class Page(NamedTuple):
  """A whole report.

  Attributes:
    title: of the page.
    lead: what was found, in a few sentences.
    sections: in reading order.
    foot: how it was made.
  """
  title: str
  lead: str
  sections: Sequence[Section]
  foot: str = ''


def checked(page: Page) -> Page:
  """The page, if nothing that a reader needs is missing.

  Raises:
    ValueError: no title or heading, a figure without picture, meaning or alternative
      text, a row of another length than its columns, a link that leaves the page's
      folder, or an unknown mark or kind.
  """
  if not page.title.strip():
    raise ValueError('a page without a title')
  for section in page.sections:
    if not section.heading.strip():
      raise ValueError(f'{page.title}: a section without a heading')
    for item in section.items:
      fault = _fault(item)
      if fault:
        raise ValueError(f'{section.heading}: {fault}')
  return page


def _fault(item: Item) -> str | None:
  match item:
    case Figure(picture, meaning, alt):
      missing = [name for name, x in (('picture', picture), ('meaning', meaning),
                                      ('alt', alt)) if not x.strip()]
      return f'a figure without {" and ".join(missing)}' if missing else None
    case Table(caption, columns, rows):
      odd = [i for i, row in enumerate(rows) if len(row) != len(columns)]
      return (f'table {caption!r}: row {odd[0]} has {len(rows[odd[0]])} cells, expected '
              f'{len(columns)}, as many as columns' if odd else None)
    case Note(_, kind):
      return None if kind in ('note', 'good', 'warning', 'bad') else f'a note of kind {kind!r}'
    case Scores(_, scores):
      odd_marks = [s for s in scores if s.mark not in ('good', 'neutral', 'bad')
                   or s.better not in ('lower', 'higher')]
      return (f'score {odd_marks[0].name!r}: mark {odd_marks[0].mark!r}, better '
              f"{odd_marks[0].better!r}, expected 'good', 'neutral' or 'bad', and 'lower' "
              "or 'higher'" if odd_marks else None)
    case Links(_, targets):
      out = [path for _, path in targets
             if not path or path.startswith(('/', '\\')) or '..' in path.split('/')]
      return f'a link to {out[0]!r}, expected a file below the page' if out else None
    case Code():
      return None
  return f'{type(item).__name__}: expected a Table, Figure, Note, Scores, Links or Code'


def number(x: Cell) -> str:
  """A cell as a reader wants it: four figures, thousands parted.

  >>> [number(x) for x in (12345, 0.000123456, 98.76543, 3.0, None, float('nan'))]
  ['12,345', '0.0001235', '98.77', '3', 'n/a', 'not a number']
  """
  if x is None:
    return 'n/a'
  if isinstance(x, str):
    return x
  if x != x:
    return 'not a number'
  if float(x).is_integer() and abs(x) < 1e15:
    return f'{int(x):,}'
  return f'{x:,.0f}' if abs(x) >= 1e4 and abs(x) < 1e15 else f'{x:,.4g}'
