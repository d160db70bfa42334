"""What returns of prices have in common: tails, clusters of volatility, leverage."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Facts(NamedTuple):
  """Of log-returns of one or several series; lags are in steps.

  Attributes:
    mean: of a return.
    std: its standard deviation.
    skewness: 0 of a symmetric distribution.
    kurtosis: the fourth moment by the variance squared, less 3: 0 of a normal distribution.
    tail_index: Hill's estimate for the largest `tail` of both sides: the power with which
      probabilities fall, about 3 of stocks; larger of thinner tails.
    autocorrelation: `[L]`, of returns: near 0 where nobody can foretell them.
    clustering: `[L]`, autocorrelation of absolute returns: above 0 where wild days follow
      wild days.
    leverage: `[L]`, correlation of a return with the square of one this many steps later: below
      0 where falls are followed by wild days.
  """
  mean: float
  std: float
  skewness: float
  kurtosis: float
  tail_index: float
  autocorrelation: np.ndarray
  clustering: np.ndarray
  leverage: np.ndarray


def stylised(returns: Any, lags: Sequence[int] = (1, 5, 20), tail: float = .05) -> Facts:
  """The facts of a sample of returns.

  Args:
    returns: `[T]` or `[N, T]`; correlations are within a series, of deviations from the mean of
      all.
    lags: of the correlations, from 1 on.
    tail: share of the absolute returns, largest first, that the tail index is fitted to.

  Returns:
    The facts.

  Raises:
    ValueError: values that are not finite or do not vary, a lag as long as a series, or a tail
      out of (0, 1).

  >>> returns = np.random.default_rng(0).normal(size=(10, 1000))
  >>> facts = stylised(returns, lags=[1])
  >>> bool(abs(facts.kurtosis) < .2), bool(abs(facts.clustering[0]) < .05)
  (True, True)

  Cont 2001, Empirical properties of asset returns: stylized facts and statistical issues.
  """
  r = np.atleast_2d(np.asarray(returns, np.float64))
  if r.ndim != 2 or not np.isfinite(r).all():
    raise ValueError(f'returns {list(r.shape)}: expected finite numbers [T] or [N, T]')
  if min(lags) < 1 or max(lags) >= r.shape[1]:
    raise ValueError(f'lags {list(lags)}: expected whole numbers in [1, {r.shape[1]})')
  if not 0 < tail < 1:
    raise ValueError(f'tail={tail}: expected a share in (0, 1)')
  mean, std = r.mean(), r.std()
  if not std > 0:
    raise ValueError('returns: all are equal; expected some that vary')
  z, size = (r - mean) / std, np.abs(r - mean)
  square = z * z
  return Facts(float(mean), float(std), float((square * z).mean()),
               float((square * square).mean() - 3), hill(size.ravel(), tail),
               *(_correlations(a, b, lags) for a, b in ((r, r), (size, size), (r, r ** 2))))


def hill(sizes: np.ndarray, tail: float) -> float:
  """Hill's tail index: one over the mean logarithm of the largest over the least of them.

  >>> pareto = (1 - np.random.default_rng(0).random(100000)) ** (-1 / 3)
  >>> round(hill(pareto, .05), 1)
  3.0
  """
  k = max(int(len(sizes) * tail), 1)
  largest = np.sort(sizes)[-k - 1:] if k < len(sizes) else np.sort(sizes)
  return float(1 / np.mean(np.log(largest[1:] / largest[0])))


def kurtosis_of_sums(returns: Any, steps: int) -> float:
  """Kurtosis, 0 of a normal distribution, of the returns of so many steps together.

  Args:
    returns: `[T]` or `[N, T]`.
    steps: in [1, T); sums overlap, and are within a series.

  Raises:
    ValueError: as many steps as a series has, or none.

  >>> returns = np.random.default_rng(0).standard_t(5, size=(100, 1000))
  >>> kurtosis_of_sums(returns, 1) > 3, kurtosis_of_sums(returns, 20) < 1
  (True, True)
  """
  r = np.atleast_2d(np.asarray(returns, np.float64))
  if not 1 <= steps < r.shape[1]:
    raise ValueError(f'steps={steps}: expected a whole number in [1, {r.shape[1]})')
  path = np.cumsum(np.pad(r - r.mean(), ((0, 0), (1, 0))), axis=1)
  sums = path[:, steps:] - path[:, :-steps]
  squares = (sums - sums.mean()) ** 2
  return float((squares ** 2).mean() / squares.mean() ** 2 - 3)


def _correlations(a: np.ndarray, b: np.ndarray, lags: Sequence[int]) -> np.ndarray:
  """`[L]`, of `a` with what `b` is `lag` steps later, over all series."""
  x, y = ((c - c.mean()) / c.std() for c in (a, b))
  return np.array([np.einsum('nt,nt->', x[:, :-lag], y[:, lag:]) / x[:, lag:].size
                   for lag in lags])
