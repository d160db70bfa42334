"""Any data set that tensorflow-datasets has prepared, by name."""
from collections.abc import Sequence
import contextlib
import os
import pathlib
from typing import Any

import numpy as np

from jaxsynth.data.memory import DecodedSource
from jaxsynth.data.preprocess import Preprocess, decoded, preprocess_image


def tfds_source(name: str, split: str, data_dir: str | os.PathLike | None = None,
                preprocess: Preprocess = Preprocess(), *, image_key: str = 'image',
                label_key: str | None = 'label') -> DecodedSource:
  """A split of a prepared tfds data set, decoded on demand; nothing is downloaded.

  ArrayRecord is read in place and without TensorFlow. TFRecord has no random
  access: its records are read into memory, still encoded, by TensorFlow. Pixels
  are decoded by Pillow either way; `in_memory` keeps them decoded.

  Args:
    name: `'mnist'`, `'mnist:3.0.1'`, `'data_set/config'`; it need not have a builder
      in tfds, a prepared folder is enough. Or the folder itself, that holds
      `dataset_info.json`.
    split: `'train'`, or a slice or sum in tfds's notation: `'train[:55000]'`.
    data_dir: the folder of `name`'s folder; by default tfds's own
      (`$TFDS_DATA_DIR` or `~/tensorflow_datasets`).
    preprocess: the size and channels of every image.
    image_key: feature of the images: `Image`, or a uint8 tensor `[H, W, C]`.
    label_key: feature of the labels, a `ClassLabel`; `None` for no labels.

  Returns:
    The source, of images `[H, W, C]`.

  Raises:
    FileNotFoundError: no such data set is prepared there.
    ValueError: an unknown or empty split, no such feature, or one of another kind.
    ImportError: a TFRecord data set without TensorFlow.

  https://www.tensorflow.org/datasets/api_docs/python/tfds/builder_from_directory
  """
  import tensorflow_datasets as tfds  # takes a second
  builder = builder_of(name, data_dir)
  name = builder.info.name if is_prepared(name) else name
  features = _features(builder, name, image_key, label_key)
  size = split_size(builder, name, split)
  records = records_of(builder, name, split)
  kind = features[image_key]
  encoded = isinstance(kind, tfds.features.Image)
  # own decoding, as tfds's depends on whether OpenCV is installed
  decoders = {image_key: tfds.decode.SkipDecoding()} if encoded else None
  mode = {1: 'L', 3: 'RGB', 4: 'RGB'}.get(kind.shape[-1])

  def decode(record: bytes) -> tuple[np.ndarray, int | None]:
    example = features.deserialize_example_np(record, decoders=decoders)
    image = decoded(example[image_key], mode) if encoded else example[image_key]
    label = None if label_key is None else int(example[label_key])
    return preprocess_image(image, preprocess), label

  names = None if label_key is None else tuple(features[label_key].names)
  return DecodedSource.of(name, size, None if names is None else len(names), records, decode,
                          lambda i: f'example {i} of {split}', names)


def tfds_names(name: str, data_dir: str | os.PathLike | None = None, *,
               label_key: str | None = 'label') -> tuple[tuple[str, ...], tuple[str, ...]]:
  """Names of a prepared data set's splits and of its classes.

  Classes that have no names are called by their numbers; without `label_key` there
  are none.

  Raises:
    FileNotFoundError: no such data set is prepared there.
  """
  info = builder_of(name, data_dir).info
  label = info.features[label_key] if label_key in info.features else None
  return tuple(sorted(info.splits)), tuple(getattr(label, 'names', None) or ())


def is_prepared(path: str | os.PathLike) -> bool:
  """Whether this is the folder of a prepared data set."""
  return (pathlib.Path(path).expanduser() / 'dataset_info.json').is_file()


def folder_of(name: str, data_dir: str | os.PathLike | None = None) -> pathlib.Path:
  """The folder that holds a prepared data set's files: that of its version.

  Raises:
    FileNotFoundError: no such data set is prepared there.
  """
  return pathlib.Path(builder_of(name, data_dir).data_dir)


def builder_of(name: str, data_dir: str | os.PathLike | None) -> Any:
  """tfds's reader of a prepared data set: whatever version is there, with or without code for it.

  Raises:
    FileNotFoundError: no such data set is prepared there.
  """
  from tensorflow_datasets.core.dataset_info import DatasetInfoFileError
  from tensorflow_datasets.core.read_only_builder import (
      builder_from_directory, builder_from_files)
  if is_prepared(name):
    return builder_from_directory(os.path.expanduser(name))
  where = None if data_dir is None else os.path.expanduser(os.fspath(data_dir))
  try:
    return builder_from_files(name, data_dir=where)
  except (ValueError, FileNotFoundError, DatasetInfoFileError) as error:
    raise FileNotFoundError(
        f'{name}: no data set of this name is prepared in '
        f"{where or 'the default folder of tensorflow-datasets'}; give the folder that holds it as "
        '--data_dir, or have it downloaded and prepared, by --download (of collect.py, say) or by '
        f'data.download_dataset({name!r}, data_dir), or take mnist5k, which needs no preparing'
    ) from error


def _features(builder: Any, name: str, image_key: str, label_key: str | None) -> Any:
  """The two features alone, so that only they are parsed."""
  import tensorflow_datasets as tfds
  features = builder.info.features
  for key, what in ((image_key, 'image_key'), (label_key, 'label_key')):
    if key is not None and key not in features:
      raise ValueError(f'{name}: no feature {key!r}, it has {sorted(features)}; give '
                       f'another {what}' + (', or None for no labels'
                                            if what == 'label_key' else ''))
  image = features[image_key]
  if (not isinstance(image, (tfds.features.Image, tfds.features.Tensor)) or
      image.np_dtype != np.uint8 or len(image.shape) not in (2, 3)):
    raise ValueError(f'{name}: feature {image_key!r} is {image}, expected an Image or a '
                     'Tensor of uint8 [H, W] or [H, W, C]; give another image_key')
  if label_key is None:
    return tfds.features.FeaturesDict({image_key: image})
  label = features[label_key]
  if not isinstance(label, tfds.features.ClassLabel) or not label.num_classes:
    raise ValueError(f'{name}: feature {label_key!r} is {label}, expected an integer '
                     'ClassLabel; give another label_key, or None for no labels')
  return tfds.features.FeaturesDict({image_key: image, label_key: label})


def split_size(builder: Any, name: str, split: str) -> int:
  """How many examples a split has.

  Raises:
    ValueError: no such split, or an empty one.
  """
  splits = builder.info.splits
  have = ', '.join(f'{key} ({splits[key].num_examples:,})' for key in sorted(splits))
  try:
    size = splits[split].num_examples
  except (ValueError, KeyError, AttributeError) as error:
    raise ValueError(f'{name}: no split {split!r} ({str(error).splitlines()[0]}); it has '
                     f"{have}, and slices of them such as 'train[:55000]'") from error
  if size < 1:
    raise ValueError(f'{name}: split {split!r} has no examples; there are {have}')
  return size


def records_of(builder: Any, name: str, split: str) -> Any:
  """A function from positions to serialised examples.

  Raises:
    ValueError: prepared in a format that cannot be read.
    ImportError: a TFRecord data set without TensorFlow.
  """
  import tensorflow_datasets as tfds
  formats = {str(f.value) for f in builder.info.available_file_formats()}
  if 'array_record' in formats:
    source = builder.as_data_source(
        split, file_format='array_record',
        deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)
    return source.data_source.__getitems__
  if builder.info.file_format.value != 'tfrecord':
    raise ValueError(f'{name}: prepared as {sorted(formats)}, expected array_record or '
                     "tfrecord; prepare it again with file_format='array_record'")
  everything = _tfrecords(name, builder.info.splits[split].file_instructions)

  def read(indices: Sequence[int]) -> list[bytes]:
    return [everything[i] for i in indices]
  return read


def _tfrecords(name: str, files: Sequence[Any]) -> list[bytes]:
  try:
    import tensorflow as tf
  except ImportError as error:
    raise ImportError(
        f'{name} is prepared as tfrecord, which needs TensorFlow to be read: pip install '
        "'jaxsynth[tensorflow]'; or prepare it with file_format='array_record'") from error
  for device in ('GPU', 'TPU'):  # they are JAX's
    with contextlib.suppress(RuntimeError):  # TensorFlow runs already: too late
      tf.config.set_visible_devices([], device)
  return [record for file in files for record in tf.data.TFRecordDataset(file.filename)
          .skip(file.skip).take(file.take).as_numpy_iterator()]
