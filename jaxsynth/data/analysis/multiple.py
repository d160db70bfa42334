"""Corrections for having looked many times."""
import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
  """Holm's adjusted p-values `[M]`: any false rejection at all has the stated chance.

  `max_{j <= i} min(1, (M - j) p_(j))` over ascending p, j from 0.

  Holm, Scand. J. Statistics 6 (1979).

  >>> holm(np.array([.01, .04, .03])).round(3)
  array([0.03, 0.06, 0.06])
  """
  p = np.asarray(p, np.float64)
  order = np.argsort(p, kind='stable')
  out = np.empty_like(p)
  out[order] = np.maximum.accumulate(np.minimum(1, (len(p) - np.arange(len(p))) * p[order]))
  return out


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
  """Benjamini & Hochberg's adjusted p-values `[M]`: of what is rejected, the expected
  share that is false is as stated.

  `min_{j >= i} min(1, M p_(j) / j)` over ascending p, j from 1.

  J. R. Statist. Soc. B 57 (1995).

  >>> benjamini_hochberg(np.array([.01, .04, .03])).round(3)
  array([0.03, 0.04, 0.04])
  """
  p = np.asarray(p, np.float64)
  order = np.argsort(-p, kind='stable')
  out = np.empty_like(p)
  rank = len(p) - np.arange(len(p))
  out[order] = np.minimum.accumulate(np.minimum(1, len(p) / rank * p[order]))
  return out
