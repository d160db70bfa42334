"""What was collected, as later stages and the page ask for it."""
from collections.abc import Mapping
import shlex
from typing import Any

from absl import flags

from common import dataset_flags, role_flags
from jaxsynth.data import DatasetSpec
from jaxsynth.kinds.kind import Kind
from jaxsynth.kinds.recorded import kind_of_record


def image_shape(spec: DatasetSpec, collection: Mapping[str, Any]) -> tuple[int, ...]:
  """Of a training example once it is prepared; they are taken to be alike.

  >>> image_shape(DatasetSpec(channels=3), {'sets': {'train': {'shapes': {'28x30x1': 9}}}})
  (28, 30, 3)
  """
  first = next(iter(collection['sets']['train']['shapes']))
  shape = tuple(map(int, first.split('x')))
  if spec.image_size is None and spec.channels is None:
    return shape
  height, width, channels = shape
  height, width = spec.image_size or (height, width)
  return height, width, spec.channels or channels


def kind_of(collection: Mapping[str, Any]) -> Kind:
  """What the training examples are; images where nothing is said."""
  first = next(iter(collection['sets']['train']['shapes']))
  names = collection.get('names') or None
  return kind_of_record(tuple(map(int, first.split('x'))), collection.get('kind', {}),
                        names and len(names), names)


def class_counts(collection: Mapping[str, Any]) -> dict[str, int]:
  """Training images of each class that has some; none of data without labels.

  >>> class_counts({'names': ['cat', 'dog'], 'sets': {'train': {'classes': [0, 5]}}})
  {'dog': 5}
  """
  counts = collection['sets']['train']['classes'] or []
  return {name: n for name, n in zip(collection['names'], counts) if n}


def spec_of(record: Mapping[str, Any]) -> DatasetSpec | None:
  """The data set that a stage's record says it was run on; `None` where it cannot be told.

  Args:
    record: of the stage collect.
  """
  values = flags.FlagValues()
  role_flags.define(values)
  try:
    _, _, *args = shlex.split(record['shown'][0])
    values(['', *args])
  except (flags.Error, LookupError, ValueError):  # of another version, or written by hand
    return None
  return dataset_flags.spec(values)
