"""Images as short rows of numbers, for what compares them."""
import numpy as np

SIDE = 16  # of the pooled image at most


def pooled(images: np.ndarray, side: int = SIDE) -> np.ndarray:
  """Averages over a grid of at most `side` x `side` equal areas: float32 `[B, h * w * C]`.

  Areas may share pixels by parts, so any size works; an image no larger stays as it
  is. What is not finite counts as 0.

  Args:
    images: `[B, H, W, C]`, any real dtype.
    side: cells a row and a column at most.

  Returns:
    Rows, in the units of the pixels.

  >>> pooled(np.arange(16.).reshape(1, 4, 4, 1), 2)
  array([[ 2.5,  4.5, 10.5, 12.5]], dtype=float32)
  """
  h, w = images.shape[1:3]
  x = images.astype(np.float32)
  if not np.isfinite(x).all():
    x = np.where(np.isfinite(x), x, 0)
  if h > side:
    x = np.einsum('hH,bHwc->bhwc', areas(h, side), x, optimize=True)
  if w > side:
    x = np.einsum('wW,bhWc->bhwc', areas(w, side), x, optimize=True)
  return np.ascontiguousarray(x).reshape(len(x), -1)


def pooled_shape(image_shape: tuple[int, int, int], side: int = SIDE) -> tuple[int, int, int]:
  """`(h, w, C)` of what `pooled` gives."""
  h, w, c = image_shape
  return min(h, side), min(w, side), c


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
