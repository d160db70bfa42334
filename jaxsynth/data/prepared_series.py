"""Series of a data set that tensorflow-datasets has prepared."""
import os

import numpy as np

from jaxsynth.data.kinded import KindSource, of_series
from jaxsynth.data.prepared import builder_of, is_prepared, records_of, split_size
from jaxsynth.kinds.series_kind import NAME as SERIES


def tfds_series(name: str, split: str, data_dir: str | os.PathLike | None = None, *,
                key: str = 'series', label_key: str | None = 'label') -> KindSource | None:
  """The series of a split, in memory; `None` where the feature is none of numbers `[T, C]`.

  Args:
    name: as `tfds_source`'s.
    split: as there.
    data_dir: as there.
    key: the feature, a tensor of floats `[T]` or `[T, C]` of known length; `series` where there
      is none of this name.
    label_key: feature of the labels, a `ClassLabel`; `None` for no labels.

  Raises:
    As `tfds_source`.
  """
  import tensorflow_datasets as tfds  # takes a second
  builder = builder_of(name, data_dir)
  features = builder.info.features
  key = key if key in features else SERIES
  feature = features[key] if key in features else None
  if (not isinstance(feature, tfds.features.Tensor) or feature.np_dtype.kind != 'f' or
      len(feature.shape) not in (1, 2) or None in feature.shape):
    return None
  label = features[label_key] if label_key in features else None
  if label_key is not None and not isinstance(label, tfds.features.ClassLabel):
    raise ValueError(f'{name}: feature {label_key!r} is {label}, expected an integer ClassLabel; '
                     'give another label_key, or None for no labels')
  wanted = tfds.features.FeaturesDict(
      {key: feature, **({} if label is None else {label_key: label})})
  title = builder.info.name if is_prepared(name) else name
  size = split_size(builder, title, split)
  read = records_of(builder, title, split)
  examples = [wanted.deserialize_example_np(record) for record in read(range(size))]
  names = None if label is None else tuple(label.names)
  return of_series(
      np.stack([x[key] for x in examples]),
      None if label is None else np.array([int(x[label_key]) for x in examples]),
      None, title, names)
