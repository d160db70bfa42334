"""Whether two sets come from one distribution, and where not."""
from typing import NamedTuple

import numpy as np

from jaxsynth.data.analysis.multiple import benjamini_hochberg, holm

PERMUTATIONS = 999


class Marginals(NamedTuple):
  """Two-sample Kolmogorov-Smirnov tests, one a dimension `[M]`.

  Attributes:
    statistic: greatest difference of the distribution functions, in [0, 1].
    p: as tested.
    p_holm: adjusted for M tests: against any false alarm.
    p_bh: adjusted for the share of false alarms.
  """
  statistic: np.ndarray
  p: np.ndarray
  p_holm: np.ndarray
  p_bh: np.ndarray


def marginals(x: np.ndarray, y: np.ndarray) -> Marginals:
  """Kolmogorov-Smirnov tests of each column of `[N, M]` against that of `[N', M]`."""
  from scipy import stats  # takes a second
  tests = [stats.ks_2samp(a, b, method='asymp') for a, b in zip(x.T, y.T)]
  p = np.array([t.pvalue for t in tests])
  return Marginals(np.array([t.statistic for t in tests]), p, holm(p), benjamini_hochberg(p))


def energy(x: np.ndarray, y: np.ndarray, seed: int = 0, permutations: int = PERMUTATIONS
           ) -> tuple[float, float]:
  """Energy distance with its permutation p-value.

  `E = 2 E|X - Y| - E|X - X'| - E|Y - Y'|`, over all pairs; it is 0 only for equal
  distributions. Sets of few examples are apart by chance, so the mean over permutations
  is taken off. `p = (1 + permutations at least as far) / (1 + permutations)`, which is
  exact, and no less than 1 / (1 + permutations).

  Args:
    x: `[N, D]`.
    y: `[N', D]`.
    seed: of the permutations.
    permutations: how many.

  Returns:
    Distance in the units of the data, about 0 for equal distributions, and p.

  Szekely & Rizzo, J. Statist. Plann. Inference 143 (2013), eq. 2.
  """
  z = np.concatenate([x, y]).astype(np.float64)
  z -= z.mean(0)
  square = (z**2).sum(1)
  apart = np.sqrt(np.maximum(square[:, None] + square - 2 * z @ z.T, 0))
  np.fill_diagonal(apart, 0)
  n, m = len(x), len(y)
  rng = np.random.default_rng(seed)
  first = np.zeros((permutations + 1, n + m))
  first[0, :n] = 1
  first[1:] = rng.permuted(np.tile(first[0], (permutations, 1)), axis=1)
  rows = first @ apart
  xx, total = (rows * first).sum(1), apart.sum()
  xy = rows.sum(1) - xx
  e = 2 * xy / (n * m) - xx / n**2 - (total - xx - 2 * xy) / m**2
  return float(e[0] - e[1:].mean()), float((1 + (e[1:] >= e[0] - 1e-12).sum()) / (1 + permutations))


def proportions(a: np.ndarray, b: np.ndarray) -> float:
  """p of a chi-squared test that two rows of class counts `[K]` have equal shares."""
  from scipy import stats
  table = np.stack([a, b])
  table = table[:, table.sum(0) > 0]
  if table.shape[1] < 2 or not table.sum(1).all():
    return float('nan')
  return float(stats.chi2_contingency(table, correction=False).pvalue)
