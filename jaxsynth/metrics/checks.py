"""What a score may be given; every number is checked here, on the host."""
from typing import Any

import numpy as np

LARGEST = 1e37  # differences stay in float32


def features(name: str, x: Any, least: int = 1) -> np.ndarray:
  """Features as a host array.

  Args:
    name: of the argument, for messages.
    x: floating `[N, D]`, finite.
    least: the fewest samples that will do.

  Returns:
    `x`, float32 or float64 `[N, D]`.

  Raises:
    ValueError: another rank or dtype, no columns, too few rows, NaN or infinity.

  >>> features('real', np.zeros((2, 3), np.float16)).dtype
  dtype('float32')
  """
  x = np.asarray(x)
  if x.ndim != 2 or not x.shape[1]:
    raise ValueError(f'{name}: shape {list(x.shape)}, expected features [N, D] with D > 0; '
                     'flatten images with x.reshape(len(x), -1)')
  # numpy does not count bfloat16 among its floating types
  if not (np.issubdtype(x.dtype, np.floating) or x.dtype.name == 'bfloat16'):
    raise ValueError(f'{name}: dtype {x.dtype}, expected a floating one; scale and convert '
                     'it, say by x.astype(np.float32) / 255')
  if len(x) < least:
    raise ValueError(f'{name}: {len(x)} samples, expected at least {least}; draw more')
  if x.dtype not in (np.float32, np.float64):
    x = x.astype(np.float32)
  _finite(name, x)
  return x


def _finite(name: str, x: np.ndarray) -> None:
  if len(x) and not max(x.max(), -x.min()) < LARGEST:  # a NaN is in no order
    bad = ~(np.abs(x) < LARGEST)
    at = np.argwhere(bad)[0]
    raise ValueError(f'{name}: {int(bad.sum())} of {x.size} values are NaN, infinite or above '
                     f'{LARGEST:g}, the first at {at.tolist()} ({x[tuple(at)]}); find where '
                     'they come from, or drop those samples')


def pair(a: str, x: Any, b: str, y: Any, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
  """Two sets of features of one width; see `features`."""
  x, y = features(a, x, least), features(b, y, least)
  if x.shape[1] != y.shape[1]:
    raise ValueError(f'{a} {list(x.shape)} and {b} {list(y.shape)}: expected features of '
                     'the same width; compute both with the same network')
  return x, y
