"""How pixels go together: correlations, principal components."""
from typing import NamedTuple

import numpy as np


class Structure(NamedTuple):
  """Second moments of the pooled images.

  Attributes:
    correlation: `[D, D]`, of pooled pixels; NaN where one never changes.
    spectrum: `[D]`, the covariance's eigenvalues, falling, as shares of their sum.
    mean: `[D]`.
    axes: `[D, D]`, principal axes, a column each.
    needed: components that hold 50, 90, 95 and 99 % of the variance.
  """
  correlation: np.ndarray
  spectrum: np.ndarray
  mean: np.ndarray
  axes: np.ndarray
  needed: dict[str, int]


def structure(features: np.ndarray) -> Structure:
  """Of rows `[N, D]`.

  >>> structure(np.array([[0., 0.], [1., 2.], [2., 4.]])).needed['99%']
  1
  """
  x = np.asarray(features, np.float64)
  mean = x.mean(0)
  covariance = (x - mean).T @ (x - mean) / len(x)
  std = np.sqrt(np.diag(covariance))
  scale = np.where(std > 1e-6 * max(float(std.max()), 1e-30), std, np.nan)
  values, axes = np.linalg.eigh(covariance)
  values = np.maximum(values[::-1], 0)
  total = values.sum()
  spectrum = values / total if total > 0 else values
  held = np.cumsum(spectrum)
  needed = {f'{q}%': int(np.searchsorted(held, q / 100 - 1e-12) + 1) if total > 0 else 0
            for q in (50, 90, 95, 99)}
  return Structure(covariance / np.outer(scale, scale), spectrum, mean, axes[:, ::-1], needed)


def separation(features: np.ndarray, labels: np.ndarray) -> float:
  """Share of the variance that lies between class means, in [0, 1].

  >>> separation(np.array([[0.], [0.], [2.], [2.]]), np.array([0, 0, 1, 1]))
  1.0
  """
  x = np.asarray(features, np.float64)
  total = ((x - x.mean(0))**2).sum()
  if total <= 0:
    return 0.
  between = sum((labels == k).sum() * ((x[labels == k].mean(0) - x.mean(0))**2).sum()
                for k in np.unique(labels))
  return float(between / total)
