"""Scores of points, where the modes of the distribution are known or points of it are there."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import checks

NEAR = 3.  # standard deviations from a mode


class Reached(NamedTuple):
  """What `reached` finds.

  Attributes:
    modes: how many modes have points near them.
    total: modes there are.
    quality: share of the points that are near a mode.
    points: near each mode, int64 `[M]`.
  """
  modes: int
  total: int
  quality: float
  points: np.ndarray


def reached(points: Any, modes: Any, std: float, *, least: int = 1) -> Reached:
  """Which modes points reach, and how many are near any: within three standard deviations.

  Args:
    points: floating `[N, D]`.
    modes: floating `[M, D]`.
    std: of real points around their mode, in every direction.
    least: points near a mode that count as having reached it.

  Raises:
    ValueError: shapes that do not fit, numbers that are not finite, or a std not above 0.

  Srivastava et al. 2017, https://arxiv.org/abs/1705.07761, section 4.1.

  >>> reached([[0., .1], [5., 5.]], [[0., 0.], [1., 0.]], .1).quality
  0.5
  """
  points, modes = checks.features('points', points), checks.features('modes', modes)
  if points.shape[1] != modes.shape[1]:
    raise ValueError(f'points {list(points.shape)} and modes {list(modes.shape)}: expected as '
                     'many columns')
  if not 0 < std < np.inf:
    raise ValueError(f'std={std}: expected a number above 0')
  distance = np.linalg.norm(points[:, None] - modes[None], axis=-1)
  nearest = distance.argmin(1)
  near = distance.min(1) <= NEAR * std
  counts = np.bincount(nearest[near], minlength=len(modes))
  return Reached(int((counts >= least).sum()), len(modes), float(near.mean()), counts)


def sliced_wasserstein(a: Any, b: Any, *, directions: int = 128, seed: int = 0) -> float:
  """The mean over directions of the first Wasserstein distance of what is seen from there.

  In one dimension it is the mean distance of sorted points.

  Args:
    a: floating `[N, D]`.
    b: floating `[N, D]`, as many.
    directions: how many, drawn evenly from the sphere.
    seed: of the directions.

  Returns:
    At least 0, in the points' units. Of two sets of one distribution it is not 0: compare
    with that of two real sets.

  Raises:
    ValueError: shapes that differ, numbers that are not finite, or no directions.

  Bonneel et al. 2015, https://doi.org/10.1007/s10851-014-0506-3.

  >>> round(sliced_wasserstein([[0.], [1.]], [[3.], [2.]]), 6)
  2.0
  """
  a, b = checks.features('a', a), checks.features('b', b)
  if a.shape != b.shape:
    raise ValueError(f'a {list(a.shape)} and b {list(b.shape)}: expected as many points of as '
                     'many numbers')
  if directions < 1:
    raise ValueError(f'directions={directions}: expected at least 1')
  sphere = np.random.default_rng(seed).normal(size=(a.shape[1], directions))
  sphere /= np.linalg.norm(sphere, axis=0)
  return float(np.abs(np.sort(a @ sphere, 0) - np.sort(b @ sphere, 0)).mean())
