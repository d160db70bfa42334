"""Data sets of `tf.train.Example` records, as tensorflow-datasets reads them."""
from collections.abc import Callable, Iterable, Iterator, Sequence
import contextlib
import functools
import os
import pathlib
from typing import Any, Protocol

from jaxsynth import files
from jaxsynth.synthesis.engine import Encoded, Format
from jaxsynth.synthesis.metadata import About, write_metadata
from jaxsynth.synthesis.plan import Shard


class Writer(Protocol):
  """A file of records."""

  def write(self, record: bytes) -> Any: ...

  def close(self) -> Any: ...


def array_record(folder: str | os.PathLike, about: About) -> Format:
  """ArrayRecord: random access, read and written without TensorFlow.

  One record a chunk, as tensorflow-datasets writes them; not compressed once more,
  as PNG is.

  Args:
    folder: of the data set's version, such as `DIR/mnist_synth/1.0.0`; it exists.
    about: what its metadata say.
  """
  from array_record.python import array_record_module  # only where there are records

  def count(path: pathlib.Path) -> int:
    reader = array_record_module.ArrayRecordReader(str(path))
    try:
      return reader.num_records()
    finally:
      reader.close()

  opened = functools.partial(array_record_module.ArrayRecordWriter,
                             options='group_size:1,uncompressed')
  return _records(pathlib.Path(folder), about, 'array_record', opened, count, RuntimeError)


def tfrecord(folder: str | os.PathLike, about: About) -> Format:
  """TFRecord, for `tfds.load` and `tf.data`; needs TensorFlow.

  Args:
    folder: as `array_record`'s.
    about: as `array_record`'s.

  Raises:
    ImportError: TensorFlow is not installed.
  """
  try:
    import tensorflow as tf
  except ImportError as error:
    raise ImportError("tfrecord needs TensorFlow to be written: pip install "
                      "'jaxsynth[tensorflow]'; or write array_record") from error
  tf.config.set_visible_devices([], 'GPU')  # they are JAX's

  def count(path: pathlib.Path) -> int:
    return sum(1 for _ in tf.data.TFRecordDataset(str(path)))
  return _records(pathlib.Path(folder), about, 'tfrecord', tf.io.TFRecordWriter, count,
                  tf.errors.OpError)


def _records(folder: pathlib.Path, about: About, suffix: str,
             opened: Callable[[str], Writer], count: Callable[[pathlib.Path], int],
             errors: type[Exception]) -> Format:
  def path(shard: Shard) -> pathlib.Path:
    split, of = shard.name[:len(shard.split)], shard.name[len(shard.split):]
    return folder / f'{about.name}-{split}.{suffix}{of}'

  def write(shard: Shard, pieces: Iterable[Encoded]) -> None:
    final = path(shard)
    files.remove_torn(final)
    with files.aside(final) as name:
      with _as_os_error(final, errors):
        writer = opened(str(name))
      for piece in pieces:
        with _as_os_error(final, errors):
          for record in piece.records:
            writer.write(record)
      with _as_os_error(final, errors):
        writer.close()

  def finish(shards: Sequence[Shard]) -> None:
    for shard in shards:
      records = count(path(shard))
      if records != shard.stop - shard.start:
        raise OSError(f'{path(shard)} has {records} records, expected '
                      f'{shard.stop - shard.start}: remove it and run this again')
      files.remove_torn(path(shard))
    write_metadata(folder, about, suffix, shards, [path(s).stat().st_size for s in shards])

  return Format(about.kind.record, write, lambda shard: path(shard).exists(), finish)


@contextlib.contextmanager
def _as_os_error(path: pathlib.Path, errors: type[Exception]) -> Iterator[None]:
  """A writer's own errors as those of the system."""
  try:
    yield
  except errors as error:
    raise OSError(f'{path} cannot be written: {error}') from error
