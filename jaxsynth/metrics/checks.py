"""Checks of what scores are given, on the host: a bad number is refused, never averaged in."""
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
    first = np.argwhere(bad)[0]
    raise ValueError(f'{name}: {int(bad.sum())} of {x.size} values are NaN, infinite or above '
                     f'{LARGEST:g}, the first at {first.tolist()} ({x[tuple(first)]}); find '
                     'where they come from, or drop those samples')


def pair(a: str, x: Any, b: str, y: Any, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
  """Two sets of features of one width; see `features`."""
  x, y = features(a, x, least), features(b, y, least)
  if x.shape[1] != y.shape[1]:
    raise ValueError(f'{a} {list(x.shape)} and {b} {list(y.shape)}: expected features of '
                     'the same width; compute both with the same network')
  return x, y


def labels(name: str, x: Any, num_classes: int) -> np.ndarray:
  """Labels as a host array, int64 `[N]`.

  Raises:
    ValueError: another rank, not integers, none, or out of `[0, num_classes)`.

  >>> labels('labels', [2, 0], 3)
  array([2, 0])
  """
  x = np.asarray(x)
  if x.ndim != 1 or not len(x) or not np.issubdtype(x.dtype, np.integer):
    raise ValueError(f'{name}: {x.dtype}{list(x.shape)}, expected integers [N], N > 0; of '
                     'logits or probabilities [N, K] take argmax(-1)')
  if num_classes < 1 or x.min() < 0 or x.max() >= num_classes:
    raise ValueError(f'{name}: in [{x.min()}, {x.max()}], expected [0, {num_classes})')
  return x.astype(np.int64)


def probabilities(name: str, x: Any) -> np.ndarray:
  """Class probabilities as a host array, float64 `[N, K]`.

  Raises:
    ValueError: see `features`; below 0, or rows that do not add up to 1 within 1e-3.
  """
  x = features(name, x).astype(np.float64)
  total = x.sum(1)
  if x.min() < 0 or np.abs(total - 1).max() > 1e-3:
    raise ValueError(f'{name}: values from {x.min():.4g}, rows that add up to between '
                     f'{total.min():.4g} and {total.max():.4g}, expected probabilities; of '
                     'logits take jax.nn.softmax')
  return x
