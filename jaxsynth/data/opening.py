"""Opening a data set by its spec."""
import pathlib
from typing import Any

from absl import logging
import numpy as np

from jaxsynth.data import ruled
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import Source
from jaxsynth.data.classes import names_of, occurring
from jaxsynth.data.embedded_digits import mnist5k
from jaxsynth.data.embedded_series import embedded_series, FILES
from jaxsynth.data.image_folder import folder
from jaxsynth.data.kinded import KindSource, of_kind
from jaxsynth.data.kinded_npz import kinded_npz
from jaxsynth.data.labelled_file import labelled_series
from jaxsynth.data.log_changes import log_changes
from jaxsynth.data.memory import in_memory
from jaxsynth.data.npz_file import npz
from jaxsynth.data.prepared import tfds_source
from jaxsynth.data.prepared_kinded import tfds_kinded
from jaxsynth.data.preprocess import preprocessed
from jaxsynth.data.series_file import read_series
from jaxsynth.data.spec import DatasetSpec
from jaxsynth.data.tables.source import table_source
from jaxsynth.data.windows import windows
from jaxsynth.metrics import predict

SAMPLE = 256  # images that are looked at of a set that does not fit into memory


def open_dataset(spec: DatasetSpec) -> Source:
  """The examples that a spec means, with images `[H, W, C]` of one shape.

  Args:
    spec: which.

  Returns:
    The source: uint8 in memory where that is how its format is read, decoded on demand
    otherwise. `num_classes` is `None` where there are no labels. In memory its classes are
    those that have examples, by their names; what is left out is said in the log.

  Raises:
    FileNotFoundError: no such data set.
    ValueError: a split of a set without splits, an unknown split or feature, or examples that
      cannot be read.
    ImportError: a package that this format needs is missing.

  >>> open_dataset(DatasetSpec('mnist5k', 'test')).size
  500
  """
  _check_split(spec)
  kind = spec.kind
  if kind == 'mnist5k':
    return preprocessed(mnist5k(spec.split or 'train'), spec.preprocess)
  if kind == 'rule':
    return _ruled(spec)
  if kind == 'series':
    return _windows(spec)
  if kind == 'labelled':
    _check_no_pictures(spec, 'series')
    return labelled_series(spec.dataset, spec.array or '', spec.split or 'train')
  if kind == 'table':
    return _rows(spec)
  if kind == 'npz':
    others = kinded_npz(spec.dataset)
    if others is not None:
      _check_no_pictures(spec, others.kind.plural)
      return others
    return _without_empty_classes(npz(spec.dataset, spec.preprocess))
  if kind == 'folder':
    return _sampled(in_memory(folder(spec.dataset, spec.preprocess)))
  source = _tfds(spec)
  return source if isinstance(source, KindSource) else _without_empty_classes(
      _sampled(in_memory(source)))


def open_raw(spec: DatasetSpec) -> Source:
  """The same examples as they lie there: a folder's images keep their own sizes, prices their
  levels.

  Raises:
    As `open_dataset`.
  """
  _check_split(spec)
  spec = spec._replace(image_size=None, channels=None, log_changes=False)
  if spec.kind == 'folder':
    return folder(pathlib.Path(spec.dataset).expanduser())
  return _tfds(spec) if spec.kind == 'tfds' else open_dataset(spec)


def _check_split(spec: DatasetSpec) -> None:
  if spec.kind in ('npz', 'folder') and spec.split not in (None, 'train'):
    raise ValueError(f'--split={spec.split}: {spec.dataset} has no splits; expected train, '
                     'which is all of it')
  if spec.kind not in ('series', 'table') and (spec.window is not None or spec.log_changes):
    flag = '--log_changes' if spec.window is None else f'--window={spec.window}'
    raise ValueError(f'{flag}: {spec.dataset} is no long series; expected sp500, a .csv file or an '
                     '.npz file of values')


def _check_no_pictures(spec: DatasetSpec, what: str) -> None:
  if spec.image_size or spec.channels:
    raise ValueError(f'--image_size, --channels: {spec.title} holds {what} and no images')


def _rows(spec: DatasetSpec) -> Source:
  _check_no_pictures(spec, 'rows')
  if spec.window is not None or spec.log_changes or spec.columns or spec.time_column or (
      spec.missing != 'refuse'):
    raise ValueError(f'{spec.title}: --window, --columns, --time_column and --missing are of a '
                     'series, and --table, --label_column and --schema of a table; give the ones '
                     'or the others')
  return table_source(spec.dataset, spec.split or 'train', schema=spec.schema,
                      label_column=spec.label_column, unseen=spec.unseen, like=spec.like)


def _windows(spec: DatasetSpec) -> Source:
  _check_no_pictures(spec, 'series')
  if spec.window is None:
    raise ValueError(f'{spec.title}: a table, or a series in the order of time? Of a table say '
                     '--table, or its --label_column; of a series how many steps an example has, '
                     'as --window=24')
  table = embedded_series(spec.dataset, spec.columns) if spec.dataset in FILES else read_series(
      spec.dataset, spec.columns, spec.time_column, missing=spec.missing)
  if table.dropped:
    logging.warning('%s: %d rows lack a value and are left out', spec.title, table.dropped)
  rows = log_changes(table.rows, table.columns, spec.title) if spec.log_changes else table.rows
  return windows(rows, spec.window, spec.split or 'train', stride=spec.stride, name=spec.title,
                 columns=table.columns)


def _ruled(spec: DatasetSpec) -> Source:
  if spec.image_size or spec.channels:
    raise ValueError(f'--image_size, --channels: {spec.title} draws its own size; give it in the '
                     'spec, as rule:shapes{"image_size": [32, 32], "channels": 3}')
  source = ruled.rule_source(spec.dataset, spec.split or 'train', ruled.learned(spec.dataset))
  field = source.kind.fields[source.kind.name]
  if source.size * int(np.prod(field.shape)) * np.dtype(field.dtype).itemsize > ruled.LARGEST:
    return source
  batch = source.take(np.arange(source.size))
  return of_kind(batch[source.kind.name], batch.get('label'), source.num_classes, source.name,
                 source.kind, source.class_names)


def _sampled(source: Source) -> Source:
  """The source; where it is not in memory, a sample of it is checked as all arrays are."""
  if not isinstance(source, ArraySource):
    positions = np.unique(np.linspace(0, source.size - 1, SAMPLE).astype(np.int64))
    predict.checked(source.take(positions)['image'], who=source.name)
  return source


def _without_empty_classes(source: Source) -> Source:
  """A model that is given the label must not be asked for a class that it has never seen."""
  if not isinstance(source, ArraySource) or source.labels is None:
    return source
  labels, names = occurring(source.labels, names_of(source), source.name)
  if len(names) == source.num_classes:
    return source
  return source._replace(labels=labels, num_classes=len(names), class_names=names)


def _tfds(spec: DatasetSpec) -> Any:
  others = tfds_kinded(spec.dataset, spec.split or 'train', spec.data_dir, key=spec.image_key,
                       label_key=spec.label_key or None)
  if others is not None:
    return others
  return tfds_source(spec.dataset, spec.split or 'train', spec.data_dir, spec.preprocess,
                     image_key=spec.image_key, label_key=spec.label_key or None)
