"""The Frechet distance between Gaussians fitted to two sets of features."""
from typing import Any

import numpy as np

from jaxsynth.metrics import moments
from jaxsynth.metrics.moments import Moments


def frechet_distance(real: Any, fake: Any, *, allow_singular: bool = False) -> float:
  """`|m_r - m_f|^2 + tr(C_r + C_f - 2 (C_r C_f)^(1/2))`; FID on Inception's features.

  It falls with the number of samples: compare only at equal numbers, against
  `floor.floor`.

  Args:
    real: features `[N, D]`, or their `Moments`.
    fake: features `[M, D]`, or their `Moments`.
    allow_singular: take `D` samples or fewer, whose covariance is not of full rank.

  Returns:
    The squared distance, at least 0.

  Raises:
    ValueError: see `checks.features`; or too few samples.

  Heusel et al., GANs Trained by a Two Time-Scale Update Rule, 2017, eq. 6.

  >>> real = np.array([[0.], [2.], [4.]])
  >>> frechet_distance(real, 3 + real)
  9.0
  """
  a, b = (x if isinstance(x, Moments) else moments.of(x) for x in (real, fake))
  if a.mean.shape != b.mean.shape:
    raise ValueError(f'real has {len(a.mean)} features and fake {len(b.mean)}: expected the '
                     'same width; compute both with the same network')
  least = 2 if allow_singular else len(a.mean) + 1
  for name, m in (('real', a), ('fake', b)):
    if m.samples < least:
      raise ValueError(
          f'{name}: {m.samples} samples of {len(m.mean)} features, expected at least {least} for '
          'a covariance of full rank; draw more, use fewer features (say principal '
          'components), or pass allow_singular=True')
  return gaussian_distance(a.mean, a.covariance, b.mean, b.covariance)


def gaussian_distance(mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray,
                      cov_b: np.ndarray) -> float:
  """The squared Frechet distance between two Gaussians, in float64.

  `tr (A B)^(1/2) = tr (A^(1/2) B A^(1/2))^(1/2)`, and the right-hand side is symmetric:
  the sum of the roots of its eigenvalues.

  >>> gaussian_distance(np.zeros(2), np.diag([1., 4.]), np.ones(2), np.diag([9., 4.]))
  6.0
  """
  values, vectors = np.linalg.eigh(cov_a)
  root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
  cross = np.linalg.eigvalsh(root @ cov_b @ root)
  distance = (np.sum((mean_a - mean_b) ** 2) + np.trace(cov_a) + np.trace(cov_b)
              - 2 * np.sqrt(np.maximum(cross, 0)).sum())
  return max(0., float(distance))
