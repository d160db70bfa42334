"""Preparing a data set that is not there, when somebody asks for it."""
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import contextlib
import functools
import itertools
import os
import pathlib
import re
import time
import types
from typing import Any
import urllib.parse

from absl import logging
import numpy as np

from jaxsynth import files
from jaxsynth.data.fetch import check_reachable, Expected, fetch, FetchError
from jaxsynth.data.idx import read_idx
from jaxsynth.data.prepared import folder_of

WAIT = 1.  # seconds between two looks at whether another process is done
TENSORFLOW = "pip install 'jaxsynth[tensorflow]'"


def download_dataset(name: str, data_dir: str | os.PathLike | None = None, *,
                     sources: Sequence[str] = (), expected: Mapping[str, Expected] | None = None
                     ) -> pathlib.Path:
  """Prepares a data set of tensorflow-datasets as ArrayRecord, unless it is prepared already.

  MNIST and the sets that come in its files (`fashion_mnist`, `kmnist`) need no TensorFlow. Their
  examples are those of tensorflow-datasets' own preparing, in its order. Files come from where
  tensorflow-datasets says and must have the digests that it says. They stay in
  `DATA_DIR/downloads`; one that was put into `DATA_DIR/downloads/NAME` by hand is taken.
  The data set appears once it is whole. Processes that begin together wait for the first.

  Args:
    name: `'mnist'`, `'mnist:3.0.1'`, `'data_set/config'`.
    data_dir: the folder of data sets; made if missing. By default tensorflow-datasets' own.
    sources: of a set in MNIST's files: URLs of folders that hold them, tried in order in the
      place of the one that tensorflow-datasets names.
    expected: of such a set: name of a file -> what it must be, in the place of what
      tensorflow-datasets says.

  Returns:
    The folder of its version.

  Raises:
    ValueError: no such data set, version or configuration, one of strangers' code, or one that
      must be downloaded by hand.
    FetchError: no source is reached, or none has the right file.
    ImportError: a package that this set needs is missing, as TensorFlow.
    OSError: the folder cannot be written, or the disk has no room.

  https://www.tensorflow.org/datasets/api_docs/python/tfds/core/DatasetBuilder
  """
  import tensorflow_datasets as tfds  # takes a second
  root = _root(data_dir)
  with contextlib.suppress(FileNotFoundError):
    return folder_of(name, data_dir)
  cls, settings = _builder_class(name)
  downloads = root / 'downloads' / cls.name
  with _held(downloads, root):
    with contextlib.suppress(FileNotFoundError):  # another process has prepared it
      return folder_of(name, root)
    ours = _comes_in_idx_files(cls)
    if ours:
      cls = _without_tensorflow(cls, functools.partial(
          _fetched, downloads, sources, expected or _expected(cls)))
    with _explained(name, root, downloads if ours else None):
      builder = cls(data_dir=str(root), file_format='array_record', **settings)
      if not ours:  # tensorflow-datasets tries for minutes where nothing answers
        _check_reachable(cls.url_infos or ())
      builder.download_and_prepare(
          download_dir=str(root / 'downloads'),
          download_config=tfds.download.DownloadConfig(try_download_gcs=False))
      return pathlib.Path(builder.data_dir)


def _builder_class(name: str) -> tuple[Any, dict[str, Any]]:
  """tensorflow-datasets' code for a data set, and the version and configuration in its name."""
  import tensorflow_datasets as tfds
  from tensorflow_datasets.core import naming
  try:
    dataset, settings = naming.parse_builder_name_kwargs(name)
    if not dataset.namespace:
      with _needs(name):
        return tfds.builder_cls(str(dataset)), settings
  except ValueError as error:
    raise ValueError(f'{name}: tensorflow-datasets {tfds.__version__} has no data set of this '
                     'name, so it cannot be downloaded; look it up at '
                     'https://www.tensorflow.org/datasets/catalog/overview') from error
  raise ValueError(f'{name}: this would run code that {dataset.namespace} keeps; prepare it with '
                   'tensorflow-datasets yourself, if you trust that, and name its folder')


def _root(data_dir: str | os.PathLike | None) -> pathlib.Path:
  from tensorflow_datasets.core import constants
  text = os.fspath(constants.DATA_DIR if data_dir is None else data_dir)
  if '://' in text:
    raise ValueError(f'{text}: data sets are prepared on disks alone; give a folder of this '
                     'machine as --data_dir, or read what is prepared there without --download')
  return pathlib.Path(text).expanduser().absolute()


@contextlib.contextmanager
def _held(folder: pathlib.Path, root: pathlib.Path) -> Iterator[None]:
  """Makes a folder and holds it for this process, as soon as no other does."""
  with contextlib.ExitStack() as stack:
    for attempt in itertools.count():
      try:
        folder.mkdir(parents=True, exist_ok=True)
        stack.enter_context(files.lock(folder))
        break
      except files.Locked:
        if not attempt:
          logging.warning('%s is being prepared by another process; waiting for it', folder.name)
        time.sleep(WAIT)
      except OSError as error:
        raise OSError(f'{root}: nothing can be prepared there ({error}); give a folder that can '
                      'be written as --data_dir') from error
    yield


@contextlib.contextmanager
def _explained(name: str, root: pathlib.Path, downloads: pathlib.Path | None) -> Iterator[None]:
  """What goes wrong while a data set is prepared, with what to do.

  Args:
    name: of the data set.
    root: the folder of data sets.
    downloads: where files may be put by hand; `None` where tensorflow-datasets downloads them.
  """
  from tensorflow_datasets.core.download import util
  from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
  try:
    with _needs(name):
      yield
  except FetchError as error:
    raise FetchError(
        f'{name} cannot be downloaded. {error}\nNothing was prepared in {root}. Run this again '
        f'where the internet is reached; or copy the folder {name.split(":")[0]} of another '
        f"machine's --data_dir into {root}" + (
            '' if downloads is None else f', or the files that are missing into {downloads}') +
        '; or take mnist5k, which needs no download') from error
  except (util.DownloadError, NonMatchingChecksumError) as error:
    raise FetchError(f'{name} cannot be downloaded: {error}') from error
  except AssertionError as error:  # so tensorflow-datasets says what is to be done by hand
    raise ValueError(f'{name}: {error}') from error


@contextlib.contextmanager
def _needs(name: str) -> Iterator[None]:
  """A package that is missing, with the line that installs it."""
  try:
    yield
  except ImportError as error:
    missing = re.search(r"No module named '(\w+)", str(error))
    line = TENSORFLOW if missing and missing[1] == 'tensorflow' else (
        f'pip install {missing[1]}' if missing else str(error))
    raise ImportError(f'{name}: tensorflow-datasets needs {missing[1] if missing else "more"} to '
                      f'prepare it: {line}; or prepare it elsewhere, and copy its folder'
                      ) from error


def _comes_in_idx_files(cls: Any) -> bool:
  """Whether it is read from MNIST's four files as MNIST is; EMNIST, say, is a zip file."""
  from tensorflow_datasets.image_classification import mnist
  return issubclass(cls, mnist.MNIST) and all(
      getattr(cls, method) is getattr(mnist.MNIST, method)
      for method in ('_split_generators', '_generate_examples'))


def _without_tensorflow(cls: Any, fetched: Callable[[str], pathlib.Path]) -> Any:
  """Its code, with files read and images encoded without TensorFlow; all else is as it was."""
  from tensorflow_datasets.core import registered
  with registered.skip_registration():
    class Builder(cls):
      name = cls.name
      pkg_dir_path = cls._get_pkg_dir_path()

      def _split_generators(self, dl_manager: Any) -> Any:
        return super()._split_generators(types.SimpleNamespace(
            download_and_extract=lambda urls: {key: fetched(url) for key, url in urls.items()}))

      def _generate_examples(self, num_examples: int, data_path: pathlib.Path,
                             label_path: pathlib.Path) -> Iterator[tuple[int, dict[str, Any]]]:
        from PIL import Image
        images, labels = read_idx(data_path), read_idx(label_path)
        shape = self.info.features['image'].shape[:2]
        if images.shape[1:] != shape or labels.shape != images.shape[:1]:
          raise ValueError(f'{data_path}, {label_path}: images {list(images.shape)} and labels '
                           f'{list(labels.shape)}, expected [N, {shape[0]}, {shape[1]}] and [N]')
        for i, (image, label) in enumerate(zip(images, labels.astype(np.int64))):
          yield i, {'image': Image.fromarray(image), 'label': label}

  Builder.__module__ = cls.__module__  # it is recorded
  return Builder


def _check_reachable(addresses: Iterable[str]) -> None:
  """Holds that one of the hosts answers, if there are any."""
  of_hosts = {urllib.parse.urlsplit(url).netloc: url for url in addresses
              if url.startswith(('http:', 'https:'))}
  errors = []
  for url in of_hosts.values():
    try:
      return check_reachable(url)
    except FetchError as error:
      errors.append(str(error))
  if errors:
    raise FetchError(''.join(errors))


def _expected(cls: Any) -> dict[str, Expected]:
  return {_name_of(url): Expected(int(info.size), info.checksum)
          for url, info in (cls.url_infos or {}).items()}


def _fetched(folder: pathlib.Path, sources: Sequence[str], expected: Mapping[str, Expected],
             url: str) -> pathlib.Path:
  """A file of the data set, on this machine."""
  name = _name_of(url)
  if name not in expected:
    raise ValueError(f'expected={sorted(expected)}: {name} is not among them, and is downloaded')
  addresses = [f'{source.rstrip("/")}/{name}' for source in sources] or [url]
  fetch(folder / name, addresses, expected[name])
  return folder / name


def _name_of(url: str) -> str:
  return pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name
