"""Examples of an .npz file that are no images."""
from collections.abc import Mapping
import json
import os
import pathlib

import numpy as np

from jaxsynth.data.kinded import KindSource, of_rows, of_series, of_settings
from jaxsynth.data.tables.npz_table import npz_table, ROWS
from jaxsynth.kinds.kind import Kind
from jaxsynth.kinds.series_kind import NAME as SERIES

KIND = 'kind'  # the array that says what the examples are: `Kind.settings` as JSON


def kinded_npz(path: str | os.PathLike) -> KindSource | None:
  """The examples of an .npz file and their labels; `None` of one of images.

  Args:
    path: of a file that `arrays_of` wrote; or of one with an array `series` as `of_series` takes
      it, or `rows` as `npz_table` does, and perhaps `labels` and `class_names`.

  Raises:
    ValueError: as `of_series`, `of_rows` or `npz_table`, or a kind that is not known.
  """
  path = pathlib.Path(path).expanduser()
  try:
    with np.load(path, allow_pickle=False) as file:
      if 'images' in file.files or not {SERIES, ROWS, KIND} & set(file.files):
        return None
      arrays = {key: file[key] for key in file.files}
  except (OSError, ValueError, AttributeError, TypeError):  # the reader of images says what it is
    return None
  names = arrays.get('class_names')
  texts = None if names is None else names.tolist()
  if KIND in arrays:
    return _of_kind(arrays, texts, path.name)
  if SERIES in arrays:
    return of_series(arrays[SERIES], arrays.get('labels'), None, path.name, texts)
  table = npz_table(path)
  return of_rows(table.rows, table.schema, table.labels, None,
                 None if table.labels is None else table.names, path.name)


def arrays_of(kind: Kind, values: np.ndarray) -> dict[str, np.ndarray]:
  """Examples as on disk as the arrays of an .npz file; of images these alone.

  >>> from jaxsynth.kinds.image_kind import images
  >>> list(arrays_of(images((2, 2, 1)), np.zeros((1, 2, 2, 1), np.uint8)))
  ['images']
  """
  arrays = {kind.plural: values}
  if kind.columns:
    arrays['columns'] = np.array(kind.columns)
  if kind.settings:
    arrays[KIND] = np.array(json.dumps(kind.settings))
  return arrays


def _of_kind(arrays: Mapping[str, np.ndarray], class_names: list[str] | None, name: str
             ) -> KindSource:
  """Those that say what they are."""
  others = sorted(arrays.keys() - {KIND, 'labels', 'class_names', 'columns', 'synthetic'})
  try:
    settings = json.loads(str(arrays[KIND]))
    return of_settings(arrays[others[0]], settings, arrays.get('labels'), class_names, name)
  except (ValueError, LookupError, TypeError) as error:
    raise ValueError(f'{name}: {error}; its array {KIND!r} should say what {others} are') from error
