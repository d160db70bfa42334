"""A table from its file: a csv, or an .npz of arrays."""
from collections.abc import Mapping, Sequence
import json
import os
import pathlib
from typing import Any

from absl import logging
import numpy as np

from jaxsynth.data.tables import texts
from jaxsynth.data.tables.encoding import encoded
from jaxsynth.data.tables.inferring import inferred, LEAST
from jaxsynth.data.tables.npz_table import npz_table
from jaxsynth.data.tables.table import label_of, Table
from jaxsynth.kinds import columns
from jaxsynth.kinds.columns import Column, Schema


def read_table(path: str | os.PathLike, *, schema: str | os.PathLike | None = None,
               label_column: str | None = None, like: Table | None = None,
               unseen: str = 'refuse') -> Table:
  """Reads a table, in two passes of which each holds 1,000 rows as text.

  Args:
    path: of a file of text, with names of columns in its first line or in the schema; or an .npz
      with numbers `rows` `[N, C]`, and `columns`, `labels` and `class_names` beside them if they
      are known.
    schema: a file of JSON, a list with an entry a column: its name, or an object with `name` and
      perhaps `type`, `categories` and `missing`, see `columns.Column`. Without a type all of it is
      inferred, and of a category without `categories` these are; columns that the schema does not
      have are left out.
    label_column: the column that is the label, of classes.
    like: the table of which this is another part: its columns and classes are this one's too.
    unseen: what becomes of rows with a class that `like` or the schema lacks: `'refuse'`, or
      `'drop'`.

  Raises:
    FileNotFoundError: no such file.
    ValueError: a file that is no such table; it names the line and the column.
  """
  path = pathlib.Path(path).expanduser()
  given = [] if schema is None else given_schema(schema)
  if path.suffix.lower() == '.npz':
    return npz_table(path, given, label_column, like)
  names = [entry['name'] for entry in given]
  if like is not None:
    label = None if like.label is None else like.label
    names = [column.name for column in like.schema]
    names[label.place if label else 0:0] = [label.name] if label else []
    file = _with_names(path, names, [entry['name'] for entry in given])
    result = encoded(file, texts.pieces(file), like.schema, label and label.name, like.names,
                     unseen=unseen)
    return like._replace(rows=result.rows, labels=result.labels, notes=(),
                         dropped=_dropped(path, result.dropped))
  file = texts.opened(path, names or None)
  known = inferred(file, texts.pieces(file), given, label_column)
  result = encoded(file, texts.pieces(file), known.schema, label_column, known.classes,
                   size=known.size, unseen=unseen)
  label = None if label_column is None else label_of(file.names, known.schema, label_column)
  return Table(result.rows, known.schema, result.labels, known.classes, label,
               (*known.notes, *_unlike(result.rows, known.schema)), _dropped(path, result.dropped))


def given_schema(path: str | os.PathLike) -> list[dict[str, Any]]:
  """What a person has written of the columns.

  Raises:
    FileNotFoundError: no such file.
    ValueError: no JSON, or no such list.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'--schema={path}: no such file')
  try:
    entries = json.loads(path.read_text(encoding='utf-8'))
  except ValueError as error:
    raise ValueError(f'--schema={path}: not JSON ({error})') from error
  whole = [{'name': x} if isinstance(x, str) else x for x in entries] if isinstance(
      entries, list) else []
  try:
    for entry in whole:  # types and categories where they are given
      if not isinstance(entry, Mapping) or 'type' in entry and not (
          entry['type'] == 'category' and 'categories' not in entry):
        columns.of_json([entry])
    columns.of_json([{'name': str(entry['name']), 'type': 'number'} for entry in whole])
    unknown = sorted({key for entry in whole for key in entry} - set(Column._fields))
    if unknown:
      raise ValueError(f'{unknown[0]!r}, which no column has; expected {", ".join(Column._fields)}')
  except (ValueError, KeyError, TypeError) as error:
    raise ValueError(f'--schema={path}: {error}; expected a list with a name or an object of each '
                     'column, as ["age", {"name": "sex", "type": "category"}]') from error
  return whole


def _with_names(path: pathlib.Path, names: Sequence[str], every: Sequence[str]) -> texts.TextFile:
  """A file whose columns are those of another, which had a line of names or not."""
  try:
    return texts.opened(path, names)
  except ValueError:
    if not every:
      raise
    return texts.opened(path, every)


def _dropped(path: pathlib.Path, dropped: Mapping[str, int]) -> int:
  for name, count in dropped.items():
    logging.warning('%s: %d rows of classes of %s that are not known are left out', path.name,
                    count, name)
  return max(dropped.values(), default=0)


def _unlike(rows: np.ndarray, schema: Schema) -> list[str]:
  """Notes on whole numbers of which hardly any comes twice."""
  return [f'{column.name}: a whole number of which hardly any comes twice; if it is an id, leave '
          'the column out of --schema' for j, column in enumerate(schema)
          if column.type == 'integer' and len(rows) >= LEAST
          and len(np.unique(rows[:, j])) > .95 * len(rows)]
