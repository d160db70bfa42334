"""Examples far from all others, and images unlike the rest in brightness or contrast."""
import numpy as np

from jaxsynth.data.analysis.neighbourhood import Neighbourhood

FAR = 3.5  # robust deviations: Iglewicz & Hoaglin's
UNLIKE = 6.  # of single statistics, whose tails are longer


def robust_z(x: np.ndarray) -> np.ndarray:
  """Deviations from the median in units of 1.4826 median absolute deviations.

  Where half of the values are equal, the unit is the mean absolute deviation times
  1.2533; where all are, the result is 0 (Iglewicz & Hoaglin, 1993).

  >>> robust_z(np.array([1., 2, 3, 4, 100])).round(2).tolist()
  [-1.35, -0.67, 0.0, 0.67, 65.43]
  """
  x = np.asarray(x, np.float64)
  d = x - np.median(x)
  unit = 1.4826 * np.median(np.abs(d)) or 1.2533 * np.abs(d).mean()
  return d / unit if unit > 0 else np.zeros_like(d)


def far(near: Neighbourhood, threshold: float = FAR) -> tuple[np.ndarray, np.ndarray]:
  """Examples whose k-th neighbour is far: robust z of the log distance over `threshold`.

  Returns:
    Positions `[F]`, the farthest first, and their z `[F]`.

  Ramaswamy, Rastogi & Shim, SIGMOD 2000.
  """
  z = robust_z(np.log(np.maximum(near.distances[:, -1], 1e-30)))
  at = np.flatnonzero(z > threshold)
  at = at[np.argsort(-z[at], kind='stable')]
  return near.queries[at], z[at]


def unlike(values: np.ndarray, threshold: float = UNLIKE) -> tuple[np.ndarray, np.ndarray]:
  """Positions and z of the values further than `threshold` from the median, farthest first."""
  z = robust_z(values)
  at = np.flatnonzero(np.abs(z) > threshold)
  at = at[np.argsort(-np.abs(z[at]), kind='stable')]
  return at, z[at]
