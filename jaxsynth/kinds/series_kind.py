"""Windows of a series: numbers at equal steps of time, several channels at once."""
from collections.abc import Mapping, Sequence
import functools
from typing import Any

from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.kinds.image_kind import labels
from jaxsynth.kinds.kind import Field, Kind
from jaxsynth.kinds.pictures import shown
from jaxsynth.kinds.pooling import pooled
from jaxsynth.metrics.features import of_series

NAME = 'series'
WORDS = {'pixel values': 'values', 'pixel value': 'value', 'images': NAME, 'image': NAME,
         'Images': 'Series', 'Image': 'Series', 'pixels': 'values',
         'pixel': 'value', 'Pixels': 'Values', 'Brightness': 'Level', 'brightness': 'level'}
Range = tuple[float, ...]  # a number a channel


def series(shape: Sequence[int], low: Sequence[float], high: Sequence[float],
           num_classes: int | None = None, class_names: Sequence[str] | None = None,
           columns: Sequence[str] | None = None) -> Kind:
  """Series of one length; in a model `low` is -1 and `high` is 1, channel by channel.

  Args:
    shape: `(T, C)`, steps and channels.
    low: `[C]`, of what is learned from.
    high: `[C]`, above `low`.
    num_classes: of the labels, or `None` for none.
    class_names: of the labels, in their order; numbers by default.
    columns: names of the channels; numbers by default.

  Raises:
    ValueError: another rank, or ranges or names that are not one a channel, or empty.

  >>> kind = series((24, 1), [0.], [10.])
  >>> round(kind.in_model({'series': np.full((1, 24, 1), 7.5)})['series'].max().item(), 4)
  0.5
  >>> kind.on_disk(jnp.ones((1, 24, 1))).max().item()
  10.0
  """
  if len(shape) != 2 or min(shape) < 1:
    raise ValueError(f'shape={tuple(shape)}: expected (steps, channels)')
  bounds = tuple(map(float, low)), tuple(map(float, high))
  if any(len(x) != shape[1] for x in bounds) or any(not a < b for a, b in zip(*bounds)):
    raise ValueError(f'low={list(low)}, high={list(high)}: expected {shape[1]} numbers each, one a '
                     'channel, the first below the second')
  if columns is not None and len(columns) != shape[1]:
    raise ValueError(f'columns={list(columns)}: expected {shape[1]} names, one a channel')
  named = {} if columns is None else {'columns': list(map(str, columns))}
  fields = {NAME: Field((int(shape[0]), int(shape[1])), 'float32', 'numbers'),
            **labels(num_classes, class_names)}
  return Kind(fields, *_conversions(*bounds), _checked, functools.partial(of_series, int(shape[1])),
              _pooled_in(*bounds), None if num_classes is None else 'label',
              {'kind': NAME, 'low': list(bounds[0]), 'high': list(bounds[1]),
               **named}, words=WORDS)


def columns_of(kind: Kind) -> tuple[str, ...]:
  """Names of the channels of series.

  >>> columns_of(series((9, 2), [0., 0.], [1., 1.])), columns_of(series((9, 1), [0.], [1.],
  ...                                                                    columns=['close']))
  (('0', '1'), ('close',))
  """
  return tuple(kind.settings.get('columns', map(str, range(kind.shape[1]))))


def ranges(values: np.ndarray) -> tuple[Range, Range]:
  """The least and the largest value of each channel, apart even where a channel is constant.

  Args:
    values: `[N, T, C]`.

  >>> ranges(np.array([[[0., 3.]], [[2., 3.]]]))
  ((0.0, 2.5), (2.0, 3.5))
  """
  low, high = (np.asarray(f(values, (0, 1)), np.float64) for f in (np.min, np.max))
  same = low == high
  return tuple((low - .5 * same).tolist()), tuple((high + .5 * same).tolist())


@functools.lru_cache(maxsize=16)  # one function for one range, so that it is compiled once
def _conversions(low: Range, high: Range) -> tuple[Any, Any, str, str, Any]:
  below, half = _middle(low, high)

  def channels(x: np.ndarray, of: Array) -> np.ndarray:
    return x.reshape((1,) * (of.ndim - 1) + (-1,))

  def to_disk(drawn: Any) -> dict[str, Array]:
    x = drawn.astype(jnp.float32)
    return {NAME: (x + 1) * channels(half, x) + channels(below, x)}

  def to_model(values: Any) -> Array:
    x = jnp.asarray(values, jnp.float32)
    return (x - channels(below, x)) / channels(half, x) - 1

  def shown_in(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Each channel in units of its range, so that none hides the others."""
    return shown({NAME: (np.asarray(arrays[NAME], np.float32) - below) / half})
  return to_disk, shown_in, NAME, NAME, to_model


def _middle(low: Range, high: Range) -> tuple[np.ndarray, np.ndarray]:
  """The least value of each channel and half of its range, float32 `[C]`."""
  below, above = np.array(low, np.float32), np.array(high, np.float32)
  return below, (above - below) / 2


def _pooled_in(low: Range, high: Range) -> Any:
  def pooled_rows(values: np.ndarray, side: int) -> np.ndarray:
    below, half = _middle(low, high)
    return pooled((np.asarray(values, np.float32) - below) / half - 1, side ** 2)
  return pooled_rows


def _checked(values: Any, who: str) -> np.ndarray:
  x = np.asarray(values)
  if x.ndim != 3 or not x.size or x.dtype.kind not in 'uif':
    raise ValueError(f'{who}: series of {x.dtype}{list(x.shape)}, expected numbers [N, steps, '
                     'channels], N > 0')
  x = x.astype(np.float32, copy=False)
  bad = ~np.isfinite(x).all((1, 2))
  if bad.any():
    raise ValueError(f'{who}: {bad.sum():,} of {len(x):,} series are not finite, the first is '
                     f'{int(np.argmax(bad))}')
  return x
