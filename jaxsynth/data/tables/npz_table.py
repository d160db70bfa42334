"""A table of numbers from an .npz file."""
from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import numpy as np

from jaxsynth.data import classes
from jaxsynth.data.tables.inferring import EXACT
from jaxsynth.data.tables.table import label_of, Table
from jaxsynth.kinds import columns
from jaxsynth.kinds.columns import checked_rows, Schema

ROWS = 'rows'  # the array of the numbers


def npz_table(path: pathlib.Path, given: Sequence[Mapping[str, Any]] = (),
              label_column: str | None = None, like: Table | None = None) -> Table:
  """The arrays of a file, whose numbers are what `columns.Column` says.

  Args:
    path: of an .npz with `rows` `[N, C]`, and perhaps `columns`, a name each, and `labels` and
      `class_names` beside them.
    given: as `inferring.inferred`'s; without it all columns are numbers.
    label_column: one of the columns, of whole numbers.
    like: the table of which this is another part.

  Raises:
    FileNotFoundError: no such file.
    ValueError: no such arrays, or rows that the schema does not allow.
  """
  arrays = _arrays(path)
  rows = arrays[ROWS]
  names = [str(x) for x in arrays.get('columns', np.arange(rows.shape[1]))]
  if len(names) != rows.shape[1]:
    raise ValueError(f'{path}: {len(names)} columns, and rows of {rows.shape[1]}')
  if label_column is not None and label_column not in names:
    raise ValueError(f'--label_column={label_column}: {path} has {", ".join(names)}; name one of '
                     'these')
  at = {name: rows[:, j] for j, name in enumerate(names)}
  schema, notes = (like.schema, ()) if like else _schema(at, given, label_column)
  lacking = [column.name for column in schema if column.name not in at]
  if lacking:
    raise ValueError(f'{path}: no column {lacking[0]!r}, only {", ".join(names)}')
  chosen = checked_rows(np.stack([at[column.name] for column in schema], 1), schema, path.name)
  if label_column is None or like and like.label is None:
    known = like.names if like else tuple(map(str, arrays.get('class_names', ())))
    labels = _labels(path, arrays, known)
    known = known or (() if labels is None else classes.numbered(int(labels.max()) + 1))
    return Table(chosen, schema, labels, known, None, notes)
  labels, known = _classes(path, at[label_column], label_column, like)
  return Table(chosen, schema, labels, known, label_of(names, schema, label_column), notes)


def _arrays(path: pathlib.Path) -> dict[str, np.ndarray]:
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  try:
    with np.load(path, allow_pickle=False) as file:
      keys = file.files
      arrays = {key: file[key] for key in (ROWS, 'columns', 'labels', 'class_names')
                if key in keys}
  except Exception as error:  # a zip, a .npy or neither, each fails in its own way
    raise ValueError(f'{path}: not an .npz file of plain arrays ({error})') from error
  if ROWS not in arrays:
    raise ValueError(f'{path}: no array {ROWS!r}, only {", ".join(keys)}; expected numbers {ROWS} '
                     '[N, columns]')
  rows = arrays[ROWS]
  if rows.ndim != 2 or not rows.size or rows.dtype.kind not in 'uif':
    raise ValueError(f'{path}: {ROWS} is {rows.dtype}{list(rows.shape)}, expected numbers [N, '
                     'columns], N > 0')
  return arrays


def _schema(at: Mapping[str, np.ndarray], given: Sequence[Mapping[str, Any]], label: str | None
            ) -> tuple[Schema, tuple[str, ...]]:
  known = {entry['name']: entry for entry in given}
  entries, notes = [], []
  for name, x in at.items():
    if name == label or known and name not in known:
      continue
    there = x[np.isfinite(x)]
    whole = there.size > 0 and bool((there == np.round(there)).all())
    entries.append({'type': 'integer' if whole else 'number', 'missing': bool(np.isnan(x).any()),
                    **known.get(name, {}), 'name': name})
    if whole and np.abs(there).max() > EXACT:
      notes.append(f'{name}: whole numbers beyond 16,777,216, which float32 rounds')
  return columns.of_json(entries), tuple(notes)


def _labels(path: pathlib.Path, arrays: Mapping[str, np.ndarray], names: Sequence[str]
            ) -> np.ndarray | None:
  if 'labels' not in arrays:
    return None
  labels = classes.integers(arrays['labels'], len(arrays[ROWS]), path.name)
  if names and labels.max() >= len(names):
    raise ValueError(f'{path}: label {labels.max()}, and names of {len(names)} classes')
  return labels


def _classes(path: pathlib.Path, numbers: np.ndarray, label: str, like: Table | None
             ) -> tuple[np.ndarray, tuple[str, ...]]:
  """Labels from a column of whole numbers, and their names."""
  if not np.isfinite(numbers).all() or (numbers != np.round(numbers)).any():
    raise ValueError(f'--label_column={label}: {path} has numbers there that are no classes')
  names = like.names if like else tuple(map(str, np.unique(numbers.astype(int)).tolist()))
  places = {name: k for k, name in enumerate(names)}
  texts = [str(x) for x in numbers.astype(int).tolist()]
  unknown = [i for i, text in enumerate(texts) if text not in places]
  if unknown:
    raise ValueError(f'{path}, row {unknown[0]}: {label}={texts[unknown[0]]}, which is none of '
                     f'{classes.listed(names)}')
  return np.array([places[text] for text in texts], np.int32), names
