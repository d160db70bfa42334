"""Examples that are no images of a data set that tensorflow-datasets has prepared."""
from collections.abc import Mapping
import json
import os
import pathlib
from typing import Any

import numpy as np

from jaxsynth.data.kinded import KindSource, of_settings
from jaxsynth.data.prepared import builder_of, is_prepared, records_of, split_size
from jaxsynth.data.prepared_series import tfds_series


def tfds_kinded(name: str, split: str, data_dir: str | os.PathLike | None = None, *,
                key: str = 'series', label_key: str | None = 'label') -> KindSource | None:
  """The examples of a split, in memory; `None` where they are images.

  A data set that this library wrote says in its metadata.json what they are.

  Args:
    name: as `tfds_source`'s.
    split: as there.
    data_dir: as there.
    key: the feature, of data sets that do not say what they are, see `tfds_series`.
    label_key: feature of the labels, a `ClassLabel`; `None` for no labels.

  Raises:
    As `tfds_source`.
  """
  builder = builder_of(name, data_dir)
  settings = _settings(pathlib.Path(builder.data_dir))
  if not settings:
    return tfds_series(name, split, data_dir, key=key, label_key=label_key)
  import tensorflow_datasets as tfds  # takes a second
  features = builder.info.features
  title = builder.info.name if is_prepared(name) else name
  size = split_size(builder, title, split)
  label = features[label_key] if label_key in features else None
  example = next(x for x in features
                 if not isinstance(features[x], tfds.features.ClassLabel))
  wanted = tfds.features.FeaturesDict(
      {example: features[example], **({} if label is None else {label_key: label})})
  read = records_of(builder, title, split)
  examples = [wanted.deserialize_example_np(record) for record in read(range(size))]
  return of_settings(
      np.stack([x[example] for x in examples]), settings,
      None if label is None else np.array([int(x[label_key]) for x in examples]),
      None if label is None else list(label.names), title)


def _settings(folder: pathlib.Path) -> Mapping[str, Any]:
  """`Kind.settings` of what lies in a folder, if it says so."""
  try:
    settings = json.loads((folder / 'metadata.json').read_text(encoding='utf-8')).get('kind', {})
  except (OSError, ValueError, AttributeError):
    return {}
  return settings
