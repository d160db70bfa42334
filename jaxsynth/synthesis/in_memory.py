"""Examples that are in memory as a data set: an .npz file, or records with what they are."""
from collections.abc import Iterator, Mapping
import os
import pathlib
from typing import Any

import numpy as np

from jaxsynth import files
from jaxsynth.data.kinded_npz import arrays_of
from jaxsynth.data.origin import MARK
from jaxsynth.kinds.kind import Kind
from jaxsynth.synthesis import engine, plan, records
from jaxsynth.synthesis.draw import Piece
from jaxsynth.synthesis.metadata import About, claim

PIECE = 1000  # examples that are encoded together


def write_npz(path: str | os.PathLike, kind: Kind, values: np.ndarray,
              labels: np.ndarray | None = None) -> None:
  """Writes synthetic examples as a run's synthetic.npz has them, and that they are synthetic.

  Args:
    path: of the file.
    kind: what they are, with the names of the labels.
    values: `[N, ...]`, as on disk.
    labels: integers `[N]`, or `None`.
  """
  arrays = {**arrays_of(kind, values), MARK: np.array(True)}
  if labels is not None:
    arrays.update(labels=np.asarray(labels, np.int32), class_names=np.array(_names(kind)))
  with files.write_aside(pathlib.Path(path)) as f:
    np.savez_compressed(f, **arrays)  # type: ignore[arg-type]


def write_records(out: str | os.PathLike, about: About, settings: Mapping[str, Any],
                  values: np.ndarray, labels: np.ndarray | None = None, *,
                  shard: int = 16_000) -> pathlib.Path:
  """Writes synthetic examples as ArrayRecords, which tensorflow-datasets reads.

  Args:
    out: folder of data sets.
    about: name, version and kind, whose labels are there if `labels` are.
    settings: what else metadata.json says, all that the bytes depend on.
    values: `[N, ...]`, as on disk.
    labels: integers `[N]`, or `None`.
    shard: examples a file.

  Returns:
    The folder of the data set's version.

  Raises:
    metadata.OtherSettings: the folder holds another data set.
    OSError: it cannot be written.
  """
  folder = pathlib.Path(out).expanduser() / about.name / about.version
  names = None if labels is None else _names(about.kind)
  claim(folder, {'name': about.name, 'version': about.version, 'format': 'array_record',
                 'splits': {'train': len(values)}, 'class_names': names, MARK: True,
                 **({'kind': dict(about.kind.settings)} if about.kind.settings else {}),
                 **settings})

  def stream(start: int, stop: int) -> Iterator[Piece]:
    for first in range(start, stop, PIECE):
      part = slice(first, min(first + PIECE, stop))
      arrays = {about.kind.name: values[part]}
      if labels is not None:
        arrays['label'] = np.asarray(labels[part], np.int32)
      yield Piece(first, arrays)

  form = records.array_record(folder, about)
  shards = plan.shards({'train': len(values)}, -(-len(values) // shard), 1)
  engine.write(stream, shards, form)
  engine.finish(shards, form)
  return folder


def _names(kind: Kind) -> list[str]:
  field = kind.fields['label']
  return list(field.names or map(str, range(field.num_classes or 0)))
