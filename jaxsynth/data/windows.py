"""Windows of a long series, by a split in the order of time."""
from collections.abc import Mapping, Sequence
import re
from typing import NamedTuple

from absl import logging
import numpy as np

from jaxsynth.data.batches import checked_positions
from jaxsynth.kinds.kind import Kind
from jaxsynth.kinds.series_kind import NAME, ranges, series

# which share of the rows each split is of; `all` is of all, so that what follows it is in it
SPLITS = {'train': (0., .8), 'validation': (.8, .9), 'test': (.9, 1.), 'all': (0., 1.)}
SHUFFLED = 'shuffled_'  # before the name of a split: the same shares, of all windows at random


class WindowSource(NamedTuple):
  """Windows of the rows of a series; window i begins at row `first + i * stride`.

  Attributes:
    rows: float32 `[N, C]`, of the whole series.
    first: row at which the first window begins.
    size: how many windows there are.
    length: steps of a window.
    stride: rows from the beginning of a window to that of the next.
    name: for messages and records.
    kind: what a window is; its range is that of the rows of train.
    order: of a shuffled split, the number of each window; `None` for those in the order of time.
  """
  rows: np.ndarray
  first: int
  size: int
  length: int
  stride: int
  name: str
  kind: Kind
  order: np.ndarray | None = None

  @property
  def image_shape(self) -> tuple[int, ...]:
    """Of a window, see `batches.Source`."""
    return self.kind.shape

  @property
  def num_classes(self) -> None:
    """Windows have no labels."""
    return None

  def take(self, indices: np.ndarray) -> Mapping[str, np.ndarray]:
    """`{'series': [B, T, C]}` of these windows.

    Raises:
      IndexError: a position outside [0, size).
    """
    indices = checked_positions(indices, self.size, self.name)
    places = indices if self.order is None else self.order[indices]
    begin = self.first + places * self.stride
    return {NAME: self.rows[begin[:, None] + np.arange(self.length)]}


def windows(rows: np.ndarray, length: int, split: str = 'train', *, stride: int = 1,
            name: str = 'series', columns: Sequence[str] | None = None) -> WindowSource:
  """The windows of a split.

  Splits follow one another in time, and between two of them `length` rows are left out, so that
  no window of one holds a row of another, nor one that touches it. A split at random has nearly
  every window of test in train too, shifted by a row; who wants to compare with others' numbers of
  such a split says `'shuffled_train'`, and is told how many.

  Args:
    rows: numbers `[N, C]`, in the order of time.
    length: steps of a window.
    split: a key of `SPLITS`, or a part of one as `'train[:1000]'`, in windows; after `'shuffled_'`
      a share of all windows in an order at random, which is always the same.
    stride: rows between the beginnings of windows; 1 for all that there are.
    name: for messages and records.
    columns: their names; by default they are numbers.

  Raises:
    ValueError: other rows, a length or stride below 1, an unknown split, or one of too few rows
      for a window.

  >>> source = windows(np.arange(100.)[:, None], 5, 'validation')
  >>> source.size, source.take(np.array([0]))['series'].ravel().tolist()
  (1, [85.0, 86.0, 87.0, 88.0, 89.0])
  """
  rows = np.asarray(rows)
  if rows.ndim != 2 or not rows.size or rows.dtype.kind not in 'uif':
    raise ValueError(f'{name}: rows of {rows.dtype}{list(rows.shape)}, expected numbers [rows, '
                     'columns]')
  if not np.isfinite(rows).all():
    at, column = np.argwhere(~np.isfinite(rows))[0].tolist()
    raise ValueError(f'{name}: row {at}, column {column} is not finite')
  if length < 1 or stride < 1:
    raise ValueError(f'--window={length}, --stride={stride}: expected at least 1')
  parts = re.fullmatch(rf'({SHUFFLED})?(\w+?)(?:\[(\d*):(\d*)\])?', split)
  if parts is None or parts[2] not in SPLITS:
    raise ValueError(f'--split={split}: expected {", ".join(SPLITS)}, or a part as train[:1000]; '
                     f'{SHUFFLED}train and so on, for windows at random, which leak')
  _, whole, begin, end = parts.groups()
  order = _shuffled(len(rows), length, stride, whole, name) if parts[1] else None
  first, last = bounds(len(rows), length, 'all' if parts[1] else whole)
  size = (last - first - length) // stride + 1 if last - first >= length else 0
  if size < 1 or order is not None and not len(order):
    raise ValueError(f'{name}: {max(0, last - first)} of {len(rows)} rows are of {whole}, too '
                     f'few for a window of {length}; give a shorter --window, or a longer series')
  size = size if order is None else len(order)
  start, stop = int(begin or 0), min(int(end or size), size)
  if start >= stop:
    raise ValueError(f'--split={split}: an empty part; expected some of [0, {size})')
  learned = slice(*bounds(len(rows), length, 'all' if whole == 'all' or parts[1] else 'train'))
  low, high = ranges(rows[learned][None])
  kind = series((length, rows.shape[1]), low, high, columns=columns)
  return WindowSource(np.ascontiguousarray(rows, np.float32),
                      first if parts[1] else first + start * stride, stop - start, length, stride,
                      name, kind, None if order is None else order[start:stop])


def _shuffled(n: int, length: int, stride: int, split: str, name: str) -> np.ndarray:
  """Numbers of the windows of a shuffled split; the log says how it leaks."""
  size = max(0, (n - length) // stride + 1)
  order = np.random.Generator(np.random.Philox(0)).permutation(size)
  cut = lambda split: order[slice(*(round(share * size) for share in SPLITS[split]))]
  train, test = np.sort(cut('train')), cut('test')
  if len(train) and len(test):
    after = np.searchsorted(train, test)  # the nearest of train on either side
    gaps = np.minimum(np.abs(train[np.minimum(after, len(train) - 1)] - test),
                      np.abs(train[np.maximum(after - 1, 0)] - test)) * stride
    logging.warning(
        '%s, split at random: %.1f %% of the windows of %stest share rows with one of %strain; '
        'what is right of them says nothing of new data', name, 100 * np.mean(gaps < length),
        SHUFFLED, SHUFFLED)
  return cut(split)


def bounds(n: int, length: int, split: str) -> tuple[int, int]:
  """The first row of a split, and the one after its last; `length` rows stay between two.

  >>> bounds(100, 5, 'train'), bounds(100, 5, 'validation'), bounds(100, 5, 'all')
  ((0, 80), (85, 90), (0, 100))
  """
  low, high = (round(share * n) for share in SPLITS[split])
  return (low + length if low else 0), high
