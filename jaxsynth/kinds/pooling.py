"""Examples as short rows of numbers, for what compares them."""
import numpy as np

SIDE = 16  # of the pooled image at most


def pooled(values: np.ndarray, side: int = SIDE) -> np.ndarray:
  """Averages over at most `side` equal parts of each axis: float32 `[B, D]`.

  Parts may share pixels, so any size works; an axis no longer stays as it is. What is not finite
  counts as 0.

  Args:
    values: `[B, H, W, C]`, `[B, T, C]` or `[B, C]`, any real dtype; channels are not averaged.
    side: parts of an axis at most.

  Returns:
    Rows, in the units of the values.

  >>> pooled(np.arange(16.).reshape(1, 4, 4, 1), 2)
  array([[ 2.5,  4.5, 10.5, 12.5]], dtype=float32)
  """
  x = values.astype(np.float32)
  if not np.isfinite(x).all():
    x = np.where(np.isfinite(x), x, 0)
  for axis, letter in list(enumerate('bhwc'))[1:x.ndim - 1]:
    if x.shape[axis] > side:
      of = 'bhwc'[:x.ndim - 1] + 'c'
      x = np.einsum(f'{letter}{letter.upper()},{of.replace(letter, letter.upper())}->{of}',
                    areas(x.shape[axis], side), x, optimize=True)
  return np.ascontiguousarray(x).reshape(len(x), -1)


def pooled_shape(shape: tuple[int, ...], side: int = SIDE) -> tuple[int, ...]:
  """What `pooled` gives of an example, before it is a row.

  >>> pooled_shape((28, 28, 3)), pooled_shape((512, 1))
  ((16, 16, 3), (16, 1))
  """
  return *(min(n, side) for n in shape[:-1]), shape[-1]


def areas(n: int, m: int) -> np.ndarray:
  """`[m, n]`: how much of each of `m` equal parts of a line each of its `n` pixels is.

  >>> areas(3, 2).round(3)
  array([[0.667, 0.333, 0.   ],
         [0.   , 0.333, 0.667]], dtype=float32)
  """
  part, pixel = np.arange(m + 1) * (n / m), np.arange(n + 1)
  shared = np.minimum(part[1:, None], pixel[1:]) - np.maximum(part[:-1, None], pixel[:-1])
  return (np.maximum(shared, 0) * (m / n)).astype(np.float32)


def standardised(rows: np.ndarray) -> np.ndarray:
  """Each row with mean 0 and deviation about 1: without brightness and contrast.

  Deviations below a hundredth of the whole set's range are not blown up.
  """
  rows = np.asarray(rows, np.float32)
  x = rows - rows.mean(1, keepdims=True)
  floor = 0.01 * float(np.ptp(rows)) if rows.size else 0.
  return x / np.sqrt((x**2).mean(1, keepdims=True) + np.float32(floor**2 or 1))
