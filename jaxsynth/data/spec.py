"""A data set by its name: what it is, which splits it has, and opening it."""
from collections.abc import Mapping, Sequence
import pathlib
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxsynth.data import ruled
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import Source
from jaxsynth.data.classes import names_of, occurring
from jaxsynth.data.credit import Credit, MNIST5K, tfds_credit
from jaxsynth.data.image_folder import folder
from jaxsynth.data.kinded import KindSource, series_npz
from jaxsynth.data.memory import in_memory
from jaxsynth.data.embedded_digits import mnist5k, SPLITS
from jaxsynth.data.npz_file import npz
from jaxsynth.data.preprocess import Preprocess, preprocessed
from jaxsynth.data.prepared_series import tfds_series
from jaxsynth.data.prepared import folder_of, is_prepared, tfds_names, tfds_source
from jaxsynth.metrics import predict

SAMPLE = 256  # images that are looked at of a set that does not fit into memory
Kind = Literal['mnist5k', 'npz', 'folder', 'tfds', 'rule']


class DatasetSpec(NamedTuple):
  """Which examples are meant, and the shape that their images are brought to.

  Attributes:
    dataset: `'mnist5k'`, the name of a prepared tfds data set, a folder of images, an .npz
      file, or a rule as `'rule:shapes'`, see `ruled.rule_source`.
    split: of a tfds data set or of mnist5k, as `'train[:55000]'`; the others have none, and
      take `'train'` for all of it.
    data_dir: where tfds data sets are prepared; by default tfds's own folder.
    image_key: a tfds data set's feature of images, or of series `[T, C]` of floats.
    label_key: its feature of labels; `None` or `''` for no labels.
    image_size: `(height, width)`, or `None` for the data's own.
    channels: 1 or 3, or `None` for the data's own.
    fit: how images come to `image_size`, see `Preprocess`.
  """
  dataset: str = 'mnist5k'
  split: str | None = 'train'
  data_dir: str | None = None
  image_key: str = 'image'
  label_key: str | None = 'label'
  image_size: tuple[int, int] | None = None
  channels: int | None = None
  fit: Literal['crop', 'pad'] = 'crop'

  @classmethod
  def of(cls, values: Mapping[str, Any]) -> 'DatasetSpec':
    """The spec in a run's flags: other names are passed over, missing ones take the default.

    >>> DatasetSpec.of({'dataset': 'mnist', 'image_size': [32, 32], 'steps': 9}).image_size
    (32, 32)
    """
    spec = cls(**{name: values[name] for name in cls._fields if name in values})
    size = spec.image_size
    return spec._replace(label_key=spec.label_key or None,
                         image_size=None if size is None else (int(size[0]), int(size[1])))

  @property
  def kind(self) -> Kind:
    """What `dataset` names.

    A bare name is a folder's only where there is one and `data_dir` is not given, which says
    that the name is a tfds data set's.
    """
    name = self.dataset
    if name == 'mnist5k':
      return 'mnist5k'
    if name.startswith(ruled.PREFIX):
      return 'rule'
    if name.endswith('.npz'):
      return 'npz'
    if is_prepared(name):
      return 'tfds'
    bare = not is_path(name)
    return 'tfds' if bare and (self.data_dir or not pathlib.Path(name).is_dir()) else 'folder'

  @property
  def title(self) -> str:
    """What a record calls the data set: the last part of a path, but for a version's number."""
    if self.kind == 'rule':
      return ruled.PREFIX + ruled.parsed(self.dataset)[0]
    path = pathlib.Path(self.dataset).expanduser().absolute()
    return path.parent.name if is_prepared(path) else path.name

  @property
  def preprocess(self) -> Preprocess:
    """What every image is turned into."""
    return Preprocess(self.image_size, self.channels, self.fit)

  @property
  def places(self) -> dict[str, str | None]:
    """`dataset` and `data_dir` as they are called from any folder.

    >>> DatasetSpec('mnist5k').places
    {'dataset': 'mnist5k', 'data_dir': None}
    """
    whole = lambda path: str(pathlib.Path(path).expanduser().absolute())
    if self.kind == 'rule' and (file := ruled.file_of(self.dataset)):
      name = f'{ruled.PREFIX}{ruled.parsed(self.dataset)[0]}@{whole(file)}'
      return {'dataset': name, 'data_dir': None}
    lies_there = self.kind in ('npz', 'folder') or is_prepared(self.dataset)
    return {'dataset': whole(self.dataset) if lies_there else self.dataset,
            'data_dir': self.data_dir and whole(self.data_dir)}

  def of_split(self, split: str) -> 'DatasetSpec':
    """The spec of another split, or of the folder or .npz file that stands for one.

    Raises:
      ValueError: a bare name, but the data set has no splits.
    """
    if is_path(split):
      return self._replace(dataset=split, data_dir=None, split='train')
    if self.kind in ('npz', 'folder'):
      raise ValueError(f'{split}: {self.dataset} has no splits; expected a folder, as ./{split}, '
                       'or an .npz file')
    return self._replace(split=split)


def is_path(name: str) -> bool:
  """Whether a name is written as that of a folder or file: never a tfds data set or a split.

  >>> is_path('./birds'), is_path('birds'), is_path('birds.npz'), is_path('rule:shapes@a/b.json')
  (True, False, True, False)
  """
  if name.startswith(ruled.PREFIX):
    return False
  return name.endswith('.npz') or '/' in name or name[:1] == '~' or name in ('.', '..')


def short_name(split: str) -> str:
  """A split, or what the folder or .npz file that stands for one is called, wherever it lies.

  >>> short_name('train[:9]'), short_name('/home/me/birds.npz')
  ('train[:9]', 'birds.npz')
  """
  return DatasetSpec(split).title if is_path(split) else split


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
  if kind == 'npz':
    series = series_npz(spec.dataset)
    if series is not None:
      if spec.image_size or spec.channels:
        raise ValueError(f'--image_size, --channels: {spec.title} holds series and no images')
      return series
    return _without_empty_classes(npz(spec.dataset, spec.preprocess))
  if kind == 'folder':
    return _sampled(in_memory(folder(spec.dataset, spec.preprocess)))
  source = _tfds(spec)
  return source if isinstance(source, KindSource) else _without_empty_classes(
      _sampled(in_memory(source)))


def open_raw(spec: DatasetSpec) -> Source:
  """The same examples as they lie there: a folder's images keep their own sizes.

  Raises:
    As `open_dataset`.
  """
  _check_split(spec)
  spec = spec._replace(image_size=None, channels=None)
  if spec.kind == 'folder':
    return folder(pathlib.Path(spec.dataset).expanduser())
  return _tfds(spec) if spec.kind == 'tfds' else open_dataset(spec)


def split_names(spec: DatasetSpec) -> Sequence[str]:
  """Names of the splits of its data set; none of a folder or an .npz file.

  >>> split_names(DatasetSpec('mnist5k'))
  ('train', 'validation', 'test', 'all')
  """
  kind = spec.kind
  if kind == 'mnist5k':
    return tuple(name for name in ('train', 'validation', 'test', 'all') if name in SPLITS)
  if kind == 'rule':
    return tuple(ruled.SPLITS)
  return tfds_names(spec.dataset, spec.data_dir)[0] if kind == 'tfds' else ()


def files_of(spec: DatasetSpec) -> dict[str, pathlib.Path]:
  """The files that a data set lies in, all its splits among them; none of mnist5k.

  Of a rule it is that of its spec, if the spec lies in one.

  Args:
    spec: which; its split does not count.

  Returns:
    Name below the data set's folder -> path. The names of a tfds data set that is found by its
    name begin with the version.

  Raises:
    FileNotFoundError: no such data set.

  >>> files_of(DatasetSpec('mnist5k'))
  {}
  """
  kind, path = spec.kind, pathlib.Path(spec.dataset).expanduser()
  if kind == 'mnist5k':
    return {}
  if kind in ('npz', 'rule'):
    alone = path if kind == 'npz' else ruled.file_of(spec.dataset)
    if alone is None:
      return {}
    alone.stat()
    return {alone.name: alone}
  folder_, root = path, path
  if kind == 'tfds' and not is_prepared(path):
    folder_ = folder_of(spec.dataset, spec.data_dir)
    root = folder_.parent
  if not folder_.is_dir():
    raise FileNotFoundError(f'{folder_}: no such folder')
  return {str(file.relative_to(root)): file for file in sorted(folder_.rglob('*'))
          if file.is_file()}


def credit(spec: DatasetSpec) -> Credit | None:
  """Where the set comes from and on what terms; `None` where its format cannot say."""
  kind = spec.kind
  if kind == 'rule':
    return ruled.credit(spec.dataset)
  if kind == 'tfds':
    return tfds_credit(spec.dataset, spec.data_dir)
  return MNIST5K if kind == 'mnist5k' else None


def are_digits(spec: DatasetSpec) -> bool:
  """Whether its classes are those that the shipped MNIST network knows."""
  return spec.dataset.split(':')[0] in ('mnist', 'mnist5k')


def _check_split(spec: DatasetSpec) -> None:
  if spec.kind in ('npz', 'folder') and spec.split not in (None, 'train'):
    raise ValueError(f'--split={spec.split}: {spec.dataset} has no splits; expected train, '
                     'which is all of it')


def _ruled(spec: DatasetSpec) -> Source:
  if spec.image_size or spec.channels:
    raise ValueError(f'--image_size, --channels: {spec.title} draws its own size; give it in the '
                     'spec, as rule:shapes{"image_size": [32, 32], "channels": 3}')
  source = ruled.rule_source(spec.dataset, spec.split or 'train', ruled.learned(spec.dataset))
  field = source.kind.fields[source.kind.name]
  if source.size * int(np.prod(field.shape)) * np.dtype(field.dtype).itemsize > ruled.LARGEST:
    return source
  batch = source.take(np.arange(source.size))
  values, labels = batch[source.kind.name], batch.get('label')
  if source.kind.settings:
    return KindSource(values, labels, source.num_classes, source.name, source.kind,
                      source.class_names)
  return ArraySource.of(values, labels, source.num_classes, source.name, source.class_names)


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
  series = tfds_series(spec.dataset, spec.split or 'train', spec.data_dir, key=spec.image_key,
                       label_key=spec.label_key or None)
  if series is not None:
    return series
  return tfds_source(spec.dataset, spec.split or 'train', spec.data_dir, spec.preprocess,
                     image_key=spec.image_key, label_key=spec.label_key or None)
