"""Examples of any kind: what a source's are, and sources that are not of images."""
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data import classes
from jaxsynth.data.arrays import ArraySource
from jaxsynth.kinds import row_kind
from jaxsynth.kinds.columns import Column
from jaxsynth.kinds.image_kind import images
from jaxsynth.kinds.kind import Kind
from jaxsynth.kinds.recorded import kind_of_record
from jaxsynth.kinds.series_kind import ranges, series


class KindSource(NamedTuple):
  """Examples in memory, of a kind that is not images. Make one with `of_series` or `of_rows`.

  Attributes:
    values: `[N, ...]`, the array that models learn, as on disk.
    labels: int32 `[N]` in [0, num_classes), or `None`.
    num_classes: number of labels, or `None`.
    name: for messages and records.
    kind: what they are.
    class_names: of the labels; `None` where they are numbers.
  """
  values: np.ndarray
  labels: np.ndarray | None
  num_classes: int | None
  name: str
  kind: Kind
  class_names: classes.Names | None = None

  @property
  def size(self) -> int:
    """How many examples there are."""
    return len(self.values)

  @property
  def image_shape(self) -> tuple[int, ...]:
    """Of an example, see `batches.Source`."""
    return self.kind.shape

  def take(self, indices: np.ndarray) -> Mapping[str, np.ndarray]:
    """`{'series': [B, T, C], 'label': int32 [B]}` of these examples, by the kind's names."""
    batch = {self.kind.name: self.values[indices]}
    return batch if self.labels is None else {**batch, 'label': self.labels[indices]}


def of_kind(values: np.ndarray, labels: np.ndarray | None, num_classes: int | None, name: str,
            kind: Kind, class_names: Sequence[str] | None = None) -> ArraySource | KindSource:
  """Examples of a kind in memory, checked already; images as `ArraySource`, for their digests.

  Args:
    values: `[N, ...]`, as on disk.
    labels: integers `[N]`, or `None`.
    num_classes: number of labels, or `None`.
    name: for messages and records.
    kind: what they are.
    class_names: of the labels, in their order.
  """
  if not kind.settings:
    return ArraySource.of(values, labels, num_classes, name, class_names)
  numbers = None if labels is None else np.asarray(labels, np.int32)
  return KindSource(values, numbers, num_classes, name, kind,
                    None if class_names is None else tuple(class_names))


def of_series(values: Any, labels: Any = None, num_classes: int | None = None,
              name: str = 'series', class_names: Sequence[str] | None = None) -> KindSource:
  """Checks and binds series; models see them scaled by the range of these.

  Args:
    values: numbers `[N, T, C]`, or `[N, T]` of one channel.
    labels: integers `[N]`, or `None`.
    num_classes: number of labels, see `ArraySource.of`.
    name: for messages and records.
    class_names: of the labels, in their order.

  Raises:
    ValueError: values of another rank, that are no numbers or not finite; labels as
      `ArraySource.of`.

  >>> source = of_series(np.arange(6.).reshape(2, 3), [0, 1])
  >>> source.kind.shape, source.num_classes, source.take(np.array([1]))['series'].shape
  ((3, 1), 2, (1, 3, 1))
  """
  values = np.asarray(values)
  values = values[..., None] if values.ndim == 2 else values
  if values.ndim != 3 or not values.size or values.dtype.kind not in 'uif':
    raise ValueError(f'{name}: series of {values.dtype}{list(values.shape)}, expected numbers '
                     '[N, steps] or [N, steps, channels], N > 0')
  steps, channels = values.shape[1:]
  values = series((steps, channels), [-1.] * channels, [1.] * channels).checked(values, name)
  low, high = ranges(values)
  numbers, count, names = _labels(labels, len(values), num_classes, class_names, name)
  return KindSource(values, numbers, count, name,
                    series((steps, channels), low, high, count, names), names)


def of_rows(values: Any, schema: Sequence[Column], labels: Any = None,
            num_classes: int | None = None, class_names: Sequence[str] | None = None,
            name: str = 'rows') -> KindSource:
  """Checks and binds rows of a table; models see them by the quantiles of these.

  Args:
    values: numbers `[N, C]`, N > 1, NaN where a value is missing, as `columns.Column` says.
    schema: what the columns are.
    labels: integers `[N]`, or `None`.
    num_classes: number of labels, see `ArraySource.of`.
    class_names: of the labels, in their order.
    name: for messages and records.

  Raises:
    ValueError: as `row_kind.fit`; labels as `ArraySource.of`.

  >>> source = of_rows([[30., 0.], [40., 1.]],
  ...                  (Column('age', 'integer'), Column('sex', 'category', ('f', 'm'))), [0, 1])
  >>> source.kind.shape, source.take(np.array([1]))
  ((2,), {'row': array([[40.,  1.]], dtype=float32), 'label': array([1], dtype=int32)})
  """
  settings = row_kind.fit(values, schema, name)
  x = row_kind.of_settings(settings).checked(values, name)
  numbers, count, names = _labels(labels, len(x), num_classes, class_names, name)
  return KindSource(x, numbers, count, name, row_kind.of_settings(settings, count, names), names)


def of_settings(values: Any, settings: Mapping[str, Any], labels: Any = None,
                class_names: Sequence[str] | None = None, name: str = 'examples') -> KindSource:
  """Checks and binds examples of a kind that is known; nothing is fitted on these.

  Args:
    values: `[N, ...]` as on disk.
    settings: `Kind.settings` of the kind.
    labels: integers `[N]`, or `None`.
    class_names: of the labels, in their order; by default every value that occurs is a class.
    name: for messages and records.

  Raises:
    ValueError: examples that are none of that kind, or a kind that is not known; labels as
      `ArraySource.of`.
  """
  shape = np.shape(values)[1:]
  x = kind_of_record(shape, settings).checked(values, name)
  numbers, count, names = _labels(labels, len(x), None, class_names, name)
  return KindSource(x, numbers, count, name, kind_of_record(shape, settings, count, names), names)


def _labels(labels: Any, n: int, num_classes: int | None, class_names: Sequence[str] | None,
            name: str) -> tuple[np.ndarray | None, int | None, classes.Names | None]:
  """Labels, how many classes they are of, and their names; nothing of none."""
  if labels is None:
    if num_classes is not None or class_names is not None:
      raise ValueError(f'{name}: num_classes={num_classes} without labels')
    return None, None, None
  numbers, count, _, names = classes.named(classes.integers(labels, n, name), num_classes,
                                           class_names, name)
  return numbers, count, names


def kind_of(data: Any) -> Kind:
  """What the examples of a source, or of `Examples`, are; images where they do not say.

  >>> from jaxsynth.data import ArraySource
  >>> kind_of(ArraySource.of(np.zeros((2, 4, 4), np.uint8))).shape
  (4, 4, 1)
  """
  kind = getattr(data, 'kind', None)
  if isinstance(kind, Kind):
    return kind
  shape = data.image_shape if hasattr(data, 'image_shape') else data.values.shape[1:]
  names = classes.names_of(data) if hasattr(data, 'num_classes') else data.class_names
  return images(shape, len(names) if names else None, names or None)
