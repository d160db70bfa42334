"""Means, variances, correlations and marginal distributions compared."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import checks, moments


class Statistics(NamedTuple):
  """What `compare` finds; all are 0 for equal data.

  Attributes:
    mean: root mean square, over dimensions, of the difference of means.
    variance: the same of (unbiased) variances.
    correlation: mean absolute difference of the correlations of two dimensions, in
      [0, 2], over all pairs of dimensions that vary in both sets; NaN without a pair.
    ks: Kolmogorov-Smirnov statistic of each dimension, `[D]` in [0, 1].
    js: Jensen-Shannon divergence of each dimension's histogram, `[D]` bits, in [0, 1].
    wasserstein: Wasserstein-1 distance of each dimension, `[D]`, in the data's units.
  """
  mean: float
  variance: float
  correlation: float
  ks: np.ndarray
  js: np.ndarray
  wasserstein: np.ndarray


def compare(real: Any, fake: Any, *, bins: int = 64) -> Statistics:
  """The statistics of two sets, dimension by dimension and pair by pair.

  Sorting is numpy's, on the host: XLA's is slower on CPU.

  Args:
    real: `[N, D]`, N at least 2.
    fake: `[M, D]`, M at least 2.
    bins: of equal width from the least to the largest value of both sets; with few
      samples a bin, `js` is above 0 for equal distributions too.

  Raises:
    ValueError: see `checks.features`; or fewer than one bin.

  >>> s = compare(np.array([[0.], [1.]]), np.array([[1.], [2.]]), bins=2)
  >>> s.mean, s.variance, s.ks.tolist(), s.js.tolist(), s.wasserstein.tolist()
  (1.0, 0.0, [0.5], [0.31127812445913283], [1.0])
  """
  if bins < 1:
    raise ValueError(f'bins={bins}: expected at least 1')
  real, fake = checks.pair('real', real, 'fake', fake, least=2)
  a, b = moments.of(real), moments.of(fake)
  var_a, var_b = np.diag(a.covariance), np.diag(b.covariance)
  columns = [(r.astype(np.float64), f.astype(np.float64)) for r, f in zip(real.T, fake.T)]
  ks, distance = np.array([marginal(r, f) for r, f in columns]).T
  return Statistics(
      float(np.sqrt(np.mean((a.mean - b.mean) ** 2))),
      float(np.sqrt(np.mean((var_a - var_b) ** 2))),
      _correlation(a.covariance, b.covariance,
                   np.array([np.ptp(r) > 0 and np.ptp(f) > 0 for r, f in columns])),
      ks, np.array([jensen_shannon(r, f, bins) for r, f in columns]), distance)


def _correlation(a: np.ndarray, b: np.ndarray, varies: np.ndarray) -> float:
  rows = np.ix_(varies, varies)
  a, b = (c[rows] / np.sqrt(np.outer(np.diag(c)[varies], np.diag(c)[varies])) for c in (a, b))
  pairs = np.triu_indices(len(a), 1)
  return float(np.abs(a - b)[pairs].mean()) if len(a) > 1 else float('nan')


def marginal(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
  """Kolmogorov-Smirnov `max |F - G|` and Wasserstein-1 `int |F - G|` of `[N]` and `[M]`."""
  values = np.sort(np.concatenate([a, b]))
  below = lambda x: np.searchsorted(np.sort(x), values, 'right') / len(x)
  gap = np.abs(below(a) - below(b))
  return float(gap.max()), float((gap[:-1] * np.diff(values)).sum())


def jensen_shannon(a: np.ndarray, b: np.ndarray, bins: int) -> float:
  """Bits between the histograms of `[N]` and `[M]`, on `bins` from least to largest of both."""
  span = min(a.min(), b.min()), max(a.max(), b.max())
  if span[0] == span[1]:
    return 0.
  p, q = (np.histogram(x, bins, span)[0] / len(x) for x in (a, b))
  middle = (p + q) / 2
  kl = lambda s: (s[s > 0] * np.log2(s[s > 0] / middle[s > 0])).sum()
  return max(0., float(kl(p) + kl(q)) / 2)
