"""A data set by its name: what it is, and which splits it has."""
from collections.abc import Mapping, Sequence
import pathlib
from typing import Any, Literal, NamedTuple

from jaxsynth.data import embedded_series, labelled_file, ruled, windows
from jaxsynth.data.credit import Credit, MNIST5K, tfds_credit
from jaxsynth.data.embedded_digits import SPLITS
from jaxsynth.data.prepared import folder_of, is_prepared, tfds_names
from jaxsynth.data.preprocess import Preprocess
from jaxsynth.data.tables import embedded, splits

Kind = Literal['mnist5k', 'npz', 'folder', 'tfds', 'rule', 'series', 'labelled', 'table']


class DatasetSpec(NamedTuple):
  """Which examples are meant, and the shape that their images are brought to.

  Attributes:
    dataset: `'mnist5k'` or `'sp500'`, the name of a prepared tfds data set, a folder of images,
      an .npz file, a rule as `'rule:shapes'`, see `ruled.rule_source`, a table as a file, or one
      of `tables.embedded`.
    split: of a tfds data set, of mnist5k, of a table or a long series, as `'train[:55000]'`;
      folders and .npz files have none, and take `'train'` for all of it.
    data_dir: where tfds data sets are prepared; by default tfds's own folder.
    image_key: a tfds data set's feature of images, or of series `[T, C]` of floats.
    label_key: its feature of labels; `None` or `''` for no labels.
    image_size: `(height, width)`, or `None` for the data's own.
    channels: 1 or 3, or `None` for the data's own.
    fit: how images come to `image_size`, see `Preprocess`.
    window: steps of an example of a long series, which is sp500, a .csv file or an .npz file of
      `values`; `None` for other data.
    stride: rows between the beginnings of windows.
    columns: of a long series; by default all but that of the times.
    time_column: of a .csv file, or `None` where its rows are in order.
    missing: what becomes of rows that lack a value, see `series_file.read_series`.
    log_changes: whether a long series is learned as the changes of its logarithms.
    array: which set of an .npz file of labelled series, see `labelled_file.labelled_series`.
    table: whether a .csv file or an .npz file of `rows` is a table, which it is too where
      `label_column` or `schema` says something of it.
    label_column: of a table, the column that is the label; `None` for none.
    schema: of a table, a file that says what its columns are, see `tables.reading.read_table`.
    unseen: what becomes of rows with a class that the schema, or the table itself in its other
      parts, does not have.
    like: set by `of_split`: of which table this is another part, and its split that is learned
      from.
  """
  dataset: str = 'mnist5k'
  split: str | None = 'train'
  data_dir: str | None = None
  image_key: str = 'image'
  label_key: str | None = 'label'
  image_size: tuple[int, int] | None = None
  channels: int | None = None
  fit: Literal['crop', 'pad'] = 'crop'
  window: int | None = None
  stride: int = 1
  columns: tuple[str, ...] | None = None
  time_column: str | None = None
  missing: Literal['refuse', 'drop', 'hold'] = 'refuse'
  log_changes: bool = False
  array: str | None = None
  table: bool = False
  label_column: str | None = None
  schema: str | None = None
  unseen: Literal['refuse', 'drop'] = 'refuse'
  like: tuple[str, str] | None = None

  @classmethod
  def of(cls, values: Mapping[str, Any]) -> 'DatasetSpec':
    """The spec in a run's flags: other names are passed over, missing ones take the default.

    >>> DatasetSpec.of({'dataset': 'mnist', 'image_size': [32, 32], 'steps': 9}).image_size
    (32, 32)
    """
    spec = cls(**{name: values[name] for name in cls._fields if name in values})
    size = spec.image_size
    return spec._replace(label_key=spec.label_key or None,
                         image_size=None if size is None else (int(size[0]), int(size[1])),
                         columns=tuple(spec.columns) if spec.columns else None,
                         time_column=spec.time_column or None, array=spec.array or None,
                         label_column=spec.label_column or None, schema=spec.schema or None)

  @property
  def kind(self) -> Kind:
    """What `dataset` names.

    A bare name is a folder's only where there is one and `data_dir` is not given, which says
    that the name is a tfds data set's.
    """
    name = self.dataset
    if name == 'mnist5k':
      return 'mnist5k'
    if name in embedded.NAMES and not self.data_dir or self.like or (
        self.table or self.label_column or self.schema):
      return 'table'
    if name.startswith(ruled.PREFIX):
      return 'rule'
    if name in embedded_series.FILES or name.endswith('.csv') or (
        self.window is not None and name.endswith('.npz')):
      return 'series'
    if name.endswith('.npz'):
      return 'npz' if self.array is None else 'labelled'
    if is_prepared(name):
      return 'tfds'
    bare = not is_path(name)
    return 'tfds' if bare and (self.data_dir or not pathlib.Path(name).is_dir()) else 'folder'

  @property
  def title(self) -> str:
    """What a record calls the data set: the last part of a path, but for a version's number."""
    if self.kind == 'rule':
      return ruled.PREFIX + ruled.parsed(self.dataset)[0]
    if self.kind == 'labelled':
      return str(self.array)
    path = pathlib.Path(self.dataset).expanduser().absolute()
    return path.parent.name if is_prepared(path) else path.name

  @property
  def preprocess(self) -> Preprocess:
    """What every image is turned into."""
    return Preprocess(self.image_size, self.channels, self.fit)

  @property
  def places(self) -> dict[str, str | None]:
    """`dataset`, `data_dir` and `schema` as they are called from any folder.

    >>> DatasetSpec('mnist5k').places
    {'dataset': 'mnist5k', 'data_dir': None, 'schema': None}
    """
    whole = lambda path: str(pathlib.Path(path).expanduser().absolute())
    if self.kind == 'rule' and (file := ruled.file_of(self.dataset)):
      name = f'{ruled.PREFIX}{ruled.parsed(self.dataset)[0]}@{whole(file)}'
      return {'dataset': name, 'data_dir': None, 'schema': None}
    lies_there = self.dataset not in (*embedded_series.FILES, *embedded.NAMES) and (
        self.kind in ('npz', 'folder', 'series', 'labelled', 'table') or is_prepared(self.dataset))
    return {'dataset': whole(self.dataset) if lies_there else self.dataset,
            'data_dir': self.data_dir and whole(self.data_dir),
            'schema': self.schema and whole(self.schema)}

  def of_split(self, split: str) -> 'DatasetSpec':
    """The spec of another split, or of the folder or file that stands for one.

    Raises:
      ValueError: a bare name, but the data set has no splits.
    """
    if is_path(split) and self.kind == 'table':  # what its columns are, this one says
      return self._replace(dataset=split, split='all',
                           like=self.like or (self.dataset, self.split or 'train'))
    if is_path(split):
      there = self._replace(dataset=split, data_dir=None, split='train')
      return there if there.kind == 'series' else there._replace(window=None, log_changes=False)
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
  return name.endswith(('.npz', '.csv')) or '/' in name or name[:1] == '~' or name in ('.', '..')


def short_name(split: str) -> str:
  """A split, or what the folder or .npz file that stands for one is called, wherever it lies.

  >>> short_name('train[:9]'), short_name('/home/me/birds.npz')
  ('train[:9]', 'birds.npz')
  """
  return DatasetSpec(split).title if is_path(split) else split


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
  if kind in ('series', 'table'):
    return tuple(windows.SPLITS if kind == 'series' else splits.SPLITS)
  if kind == 'labelled':
    return labelled_file.SPLITS
  return tfds_names(spec.dataset, spec.data_dir)[0] if kind == 'tfds' else ()


def files_of(spec: DatasetSpec) -> dict[str, pathlib.Path]:
  """The files that a data set lies in, all its splits among them; none of mnist5k and sp500.

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
  if kind == 'mnist5k' or spec.dataset in embedded_series.FILES or (
      spec.dataset in embedded.NAMES and kind == 'table'):
    return {}
  if kind in ('npz', 'series', 'labelled', 'rule', 'table'):
    alone = ruled.file_of(spec.dataset) if kind == 'rule' else path
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
  credits = {**embedded_series.CREDITS, **embedded.CREDITS}
  return MNIST5K if kind == 'mnist5k' else credits.get(spec.dataset)


def are_digits(spec: DatasetSpec) -> bool:
  """Whether its classes are those that the shipped MNIST network knows."""
  return spec.dataset.split(':')[0] in ('mnist', 'mnist5k')
