"""Moments of the values of a data set, whole and without keeping them."""
import numpy as np


class Levels:
  """Of bytes: how often each of 0 to 255 comes, from which the moments are exact."""

  def __init__(self) -> None:
    self.counts = np.zeros(256, np.int64)

  def add(self, values: np.ndarray) -> None:
    """Counts an example's."""
    self.counts += np.bincount(values.ravel(), minlength=256)

  def moments(self) -> dict[str, float]:
    """`least`, `greatest`, `mean`, `deviation`, and `zero`, the share that is 0."""
    level, n = np.arange(256), self.counts.sum()
    mean = float((self.counts * level).sum() / n)
    there = np.flatnonzero(self.counts)
    return {'least': int(there[0]), 'greatest': int(there[-1]), 'mean': mean,
            'deviation': float(np.sqrt((self.counts * (level - mean) ** 2).sum() / n)),
            'zero': float(self.counts[0] / n)}


class Numbers:
  """Of floats: sums in double precision of the values less the first; NaN is left out.

  >>> numbers = Numbers()
  >>> numbers.add(np.array([1., np.nan, 3.]))
  >>> numbers.moments()['mean'], numbers.moments()['deviation']
  (2.0, 1.0)
  """

  def __init__(self) -> None:
    self.first: float | None = None
    self.size = self.zeros = 0
    self.sum = self.squares = 0.
    self.least, self.greatest = np.inf, -np.inf

  def add(self, values: np.ndarray) -> None:
    """Adds an example's."""
    x = np.asarray(values, np.float64).ravel()
    x = x[~np.isnan(x)]
    if not x.size:
      return
    self.first = float(x[0]) if self.first is None else self.first
    self.size, self.zeros = self.size + x.size, self.zeros + int((x == 0).sum())
    self.sum += float((x - self.first).sum())
    self.squares += float(((x - self.first) ** 2).sum())
    self.least, self.greatest = min(self.least, float(x.min())), max(self.greatest, float(x.max()))

  def moments(self) -> dict[str, float]:
    """As those of `Levels`; all 0 where no value is there."""
    if not self.size:
      return dict.fromkeys(('least', 'greatest', 'mean', 'deviation', 'zero'), 0.)
    mean = self.sum / self.size
    return {'least': self.least, 'greatest': self.greatest, 'mean': mean + (self.first or 0.),
            'deviation': float(np.sqrt(max(self.squares / self.size - mean ** 2, 0.))),
            'zero': self.zeros / self.size}
