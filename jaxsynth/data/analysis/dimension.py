"""Intrinsic dimension: how many directions the data really vary in."""
import numpy as np


def two_nn(distances: np.ndarray) -> float:
  """TwoNN: the maximum-likelihood exponent of the ratio of the two nearest distances.

  Where density is constant at the scale of two neighbours, `r2 / r1` is Pareto with
  exponent d: `d = n / sum(log(r2 / r1))`.

  Args:
    distances: `[N, k]`, ascending, k >= 2, to other points; rows of copies are left
      out, whose first distance is below a thousandth of the median one.

  Returns:
    The dimension; NaN if no row is left.

  Facco, d'Errico, Rodriguez & Laio, Sci. Rep. 7, 12140 (2017), https://arxiv.org/abs/1803.06992.

  >>> two_nn(np.array([[1., np.e], [2., 2 * np.e]]))
  1.0
  """
  d = _without_copies(distances)
  total = np.log(d[:, 1] / d[:, 0]).sum()
  return float(len(d) / total) if total > 0 else float('nan')


def levina_bickel(distances: np.ndarray) -> float:
  """The maximum-likelihood dimension of Levina & Bickel, averaged as inverse.

  `1/d = mean over points of 1/(k - 1) sum_{j<k} log(r_k / r_j)`: inverses, which are
  unbiased, are averaged over points before inverting (MacKay & Ghahramani).

  Args:
    distances: `[N, k]`, ascending, k >= 2; rows of copies are left out, as `two_nn`'s.

  Returns:
    The dimension; NaN if no row is left.

  Levina & Bickel, NIPS 2004, eq. 8; MacKay & Ghahramani (2005),
  http://www.inference.org.uk/mackay/dimension.
  """
  d = _without_copies(distances)
  k = d.shape[1]
  if not len(d) or k < 2:
    return float('nan')
  inverse = np.log(d[:, -1:] / d[:, :-1]).sum(1).mean() / (k - 1)
  return float(1 / inverse) if inverse > 0 else float('nan')


def _without_copies(distances: np.ndarray) -> np.ndarray:
  """Rounding may part copies by 1e-7, and the log of that outweighs a hundred honest ratios."""
  d = np.asarray(distances, np.float64)
  d = d[d[:, 0] > 0]
  return d[d[:, 0] >= 1e-3 * np.median(d[:, 0])] if len(d) else d
