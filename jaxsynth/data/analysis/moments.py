"""Moments and ranges in one pass: a monoid."""
from typing import NamedTuple

import numpy as np


class Moments(NamedTuple):
  """Count, mean, sums of powers about the mean, range; elementwise, of finite values.

  `empty`, `of` and `merge` are a monoid: blocks may be scanned in any grouping, and
  sets that do not fit memory one block at a time. `merge` is Pebay's pairwise update,
  which does not cancel.

  Attributes:
    n: finite values.
    mean: their mean, 0 where there are none.
    m2: sum of (x - mean)^2.
    m3: sum of (x - mean)^3.
    m4: sum of (x - mean)^4.
    low: least, +inf where there are none.
    high: greatest, -inf where there are none.

  Pebay, Formulas for Robust, One-Pass Parallel Computation of Covariances and
  Arbitrary-Order Statistical Moments (2008), eq. 2.1.

  >>> x = np.arange(6.)
  >>> float(merge(of(x[:2]), of(x[2:])).variance), float(x.var())
  (2.9166666666666665, 2.9166666666666665)
  """
  n: np.ndarray
  mean: np.ndarray
  m2: np.ndarray
  m3: np.ndarray
  m4: np.ndarray
  low: np.ndarray
  high: np.ndarray

  @property
  def variance(self) -> np.ndarray:
    """Of the values seen, divided by n."""
    return self.m2 / np.maximum(self.n, 1)

  @property
  def std(self) -> np.ndarray:
    """Square root of the variance."""
    return np.sqrt(self.variance)

  @property
  def skewness(self) -> np.ndarray:
    """Third standardised moment; 0 where nothing varies."""
    v = self.variance
    return np.where(v > 0, self.m3 / np.maximum(self.n, 1) / np.where(v > 0, v, 1) ** 1.5, 0.)

  @property
  def kurtosis(self) -> np.ndarray:
    """Fourth standardised moment less 3; 0 where nothing varies."""
    v = self.variance
    return np.where(v > 0, self.m4 / np.maximum(self.n, 1) / np.where(v > 0, v, 1) ** 2 - 3, 0.)


def empty(shape: tuple[int, ...] = ()) -> Moments:
  """The moments of nothing: `merge(empty(), x)` is `x`."""
  zero = np.zeros(shape)
  return Moments(zero, zero, zero, zero, zero, np.full(shape, np.inf), np.full(shape, -np.inf))


def of(x: np.ndarray, order: int = 4) -> Moments:
  """Of a block `[N, ...]`, over its first axis; NaN and infinities are left out.

  With `order` 2, which is quicker, `m3` and `m4` are NaN.
  """
  x = np.asarray(x)
  if x.dtype.kind == 'f' and not np.isfinite(x).all():
    seen = np.isfinite(x)
    n = seen.sum(0).astype(np.float64)
    x = np.where(seen, x, 0).astype(np.float64)
    low, high = np.where(seen, x, np.inf).min(0), np.where(seen, x, -np.inf).max(0)
  else:
    if not len(x):
      return empty(x.shape[1:])
    seen, n = None, np.full(x.shape[1:], float(len(x)))
    low, high = x.min(0).astype(np.float64), x.max(0).astype(np.float64)
    x = x.astype(np.float64)
  mean = x.sum(0) / np.maximum(n, 1)
  d = x - mean
  if seen is not None:
    d *= seen
  square = d * d
  m2 = square.sum(0)
  if order == 2:
    return Moments(n, mean, m2, np.full_like(m2, np.nan), np.full_like(m2, np.nan), low, high)
  d *= square
  square *= square
  return Moments(n, mean, m2, d.sum(0), square.sum(0), low, high)


def merge(a: Moments, b: Moments) -> Moments:
  """Of both blocks together."""
  n = a.n + b.n
  d = (b.mean - a.mean) * (a.n > 0) * (b.n > 0)
  total = np.maximum(n, 1)
  pa, pb = a.n / total, b.n / total
  mean = pa * a.mean + pb * b.mean
  m2 = a.m2 + b.m2 + d**2 * a.n * pb
  m3 = a.m3 + b.m3 + d**3 * a.n * pb * (pa - pb) + 3 * d * (pa * b.m2 - pb * a.m2)
  m4 = (a.m4 + b.m4 + d**4 * a.n * pb * (pa**2 - pa * pb + pb**2)
        + 6 * d**2 * (pa**2 * b.m2 + pb**2 * a.m2) + 4 * d * (pa * b.m3 - pb * a.m3))
  return Moments(n, mean, m2, m3, m4, np.minimum(a.low, b.low), np.maximum(a.high, b.high))


def pool(x: Moments) -> Moments:
  """Of all values along the first axis together.

  >>> float(pool(of(np.array([[0., 2.], [4., 6.]]))).mean)
  3.0
  """
  n = len(x.n)
  while n > 1:
    half = n // 2
    pair = merge(Moments(*(f[:half] for f in x)), Moments(*(f[half:2 * half] for f in x)))
    x = Moments(*(np.concatenate([f, g[2 * half:]]) for f, g in zip(pair, x)))
    n = len(x.n)
  return Moments(*(f[0] for f in x))
