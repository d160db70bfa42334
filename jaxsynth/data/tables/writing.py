"""Rows as a csv, in the words of the table that they are of."""
from collections.abc import Iterable
import csv
import io
import os
import pathlib

import numpy as np

from jaxsynth.files import write_aside
from jaxsynth.kinds.kind import Kind

BLOCK = 20_000  # rows that are in memory as text at a time


def write_csv(path: str | os.PathLike, kind: Kind, values: np.ndarray,
              labels: np.ndarray | None = None) -> None:
  """Writes examples as a table of text, whole or not at all.

  Args:
    path: of the file.
    kind: what they are.
    values: `[N, C]`, as on disk.
    labels: integers `[N]`, or `None`.

  Raises:
    ValueError: a kind that is in no table.
  """
  if kind.texts is None:
    raise ValueError(f'{kind.plural} are no rows of a table: there is no csv of them')
  with write_aside(pathlib.Path(path)) as f:
    for start in range(0, len(values), BLOCK):
      part = {kind.name: values[start:start + BLOCK]}
      if labels is not None:
        part['label'] = labels[start:start + BLOCK]
      cells = kind.texts(part)
      f.write(_lines([list(cells)]) if not start else b'')
      f.write(_lines(zip(*cells.values())))


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
  text = io.StringIO()
  csv.writer(text, lineterminator='\n').writerows(rows)
  return text.getvalue().encode()
