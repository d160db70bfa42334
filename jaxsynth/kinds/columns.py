"""What the columns of a table are: the schema of its rows."""
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

# numbers, whole numbers, classes in an order, classes in none, and days
Type = Literal['number', 'integer', 'ordered', 'category', 'date']
TYPES = ('number', 'integer', 'ordered', 'category', 'date')
EPOCH = np.datetime64('1970-01-01', 'D')


class Column(NamedTuple):
  """One column of a table. A row lies on disk as float32 `[C]`, a number a column.

  Attributes:
    name: as the file has it.
    type: `number` and `integer` lie there as they are, `date` as days since 1970, `ordered` and
      `category` as positions in `categories`. NaN is a value that is missing.
    categories: of `ordered`, in their order, and of `category`; texts.
    missing: whether values may be missing.
  """
  name: str
  type: Type
  categories: tuple[str, ...] = ()
  missing: bool = False

  @property
  def discrete(self) -> bool:
    """Whether its values are positions in `categories`."""
    return self.type in ('ordered', 'category')


Schema = tuple[Column, ...]


def to_json(schema: Sequence[Column]) -> list[dict[str, Any]]:
  """A schema as JSON holds it; what is as by default is left out.

  >>> to_json([Column('age', 'integer'), Column('sex', 'category', ('f', 'm'))])[1]
  {'name': 'sex', 'type': 'category', 'categories': ['f', 'm']}
  """
  plain = lambda x: list(x) if isinstance(x, tuple) else x
  return [{name: plain(value) for name, value in column._asdict().items()
           if name not in Column._field_defaults or value != Column._field_defaults[name]}
          for column in schema]


def of_json(schema: Sequence[Mapping[str, Any]]) -> Schema:
  """A schema from what `to_json` gives, or from what a person has written.

  Raises:
    ValueError: no columns, a key that a column has not, an unknown type, a name twice, or
      categories that are missing, repeated, or of a column of numbers.

  >>> of_json([{'name': 'sex', 'type': 'category', 'categories': ['f', 'm']}])[0].discrete
  True
  """
  columns = []
  for i, entry in enumerate(schema):
    who = f'schema, column {i}'
    unknown = sorted(entry.keys() - set(Column._fields)) if isinstance(entry, Mapping) else None
    if unknown is None or unknown or not {'name', 'type'} <= entry.keys():
      raise ValueError(f'{who}: {entry!r}, expected an object with name and type, and perhaps '
                       'categories and missing')
    column = Column(**{**entry, 'categories': tuple(map(str, entry.get('categories', ())))})
    if column.type not in TYPES:
      raise ValueError(f'{who} ({column.name}): type {column.type!r}, expected one of '
                       f'{", ".join(TYPES)}')
    if column.discrete != bool(column.categories) or (
        len(set(column.categories)) < len(column.categories)):
      raise ValueError(f'{who} ({column.name}): type {column.type} with categories '
                       f'{list(column.categories)}; expected them, each once, of ordered and '
                       'category alone')
    columns.append(column)
  names = [column.name for column in columns]
  twice = sorted({name for name in names if names.count(name) > 1})
  if twice or not columns:
    raise ValueError(f'schema: {"no columns" if not columns else f"{twice} more than once"}; '
                     'expected a name of each column, each once')
  return tuple(columns)


def checked_rows(rows: Any, schema: Sequence[Column], who: str = 'rows') -> np.ndarray:
  """Rows as a schema has them: float32 `[N, C]`.

  Args:
    rows: numbers `[N, C]`.
    schema: what their columns are.
    who: has them, for messages.

  Raises:
    ValueError: another shape; NaN where nothing may be missing, infinite values, positions that
      no category has, or parts of whole numbers and days; it names the row and the column.

  >>> checked_rows([[30., 1.]], (Column('age', 'integer'), Column('sex', 'category', ('f', 'm'))))
  array([[30.,  1.]], dtype=float32)
  """
  x = np.asarray(rows)
  if x.ndim != 2 or x.shape[1] != len(schema) or not x.size or x.dtype.kind not in 'uif':
    raise ValueError(f'{who}: {x.dtype}{list(x.shape)}, expected numbers [N, {len(schema)}], a '
                     'column each of the schema, N > 0')
  x = x.astype(np.float32, copy=False)
  for j, column in enumerate(schema):
    values = x[:, j]
    lacks = np.isnan(values)
    bad, expected = np.isinf(values), 'a finite number'
    if lacks.any() and not column.missing:
      bad, expected = lacks, 'a value: the schema says that none is missing'
    elif column.discrete:
      bad = ~lacks & ~np.isin(values, np.arange(len(column.categories)))
      expected = f'a position among {len(column.categories)} categories'
    elif column.type in ('integer', 'date'):
      bad, expected = ~lacks & (values != np.round(values)), 'a whole number'
    if bad.any():
      at = int(np.argmax(bad))
      raise ValueError(f'{who}, row {at}: {column.name}={values[at]}, expected {expected}; '
                       f'{int(bad.sum()):,} of {len(x):,} rows are so')
  return x
