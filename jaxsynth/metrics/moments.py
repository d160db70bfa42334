"""Mean and covariance of features that come in parts."""
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics import checks

ROWS = 4096  # summed in float32 on the device; longer sums are float64 on the host


class Moments(NamedTuple):
  """Number, mean and scatter of the features seen: a monoid, `empty`, `of`, `merge`.

  Attributes:
    samples: how many.
    mean: float64 `[D]`.
    scatter: float64 `[D, D]`, the sum of `(x - mean) (x - mean)^T`.
  """
  samples: int
  mean: np.ndarray
  scatter: np.ndarray

  @property
  def covariance(self) -> np.ndarray:
    """The unbiased covariance, float64 `[D, D]`.

    Raises:
      ValueError: fewer than two samples.
    """
    if self.samples < 2:
      raise ValueError(f'moments of {self.samples} samples: a covariance needs at least 2')
    return self.scatter / (self.samples - 1)


def empty(width: int) -> Moments:
  """No samples of `width` features."""
  return Moments(0, np.zeros(width), np.zeros((width, width)))


def of(x: Any) -> Moments:
  """The moments of features `[N, D]`.

  Raises:
    ValueError: see `checks.features`.

  >>> m = merge(of(np.array([[1., 2.]])), of(np.array([[3., 2.], [5., 5.]])))
  >>> m.samples, m.mean.tolist(), m.covariance.tolist()
  (3, [3.0, 3.0], [[4.0, 3.0], [3.0, 3.0]])
  """
  x = checks.features('features', x)
  count, width = x.shape
  shift = x.mean(0, dtype=np.float64).astype(x.dtype)
  total, scatter = np.zeros(width), np.zeros((width, width))
  for start in range(0, count, ROWS):
    part = (x[start:start + ROWS] - shift).astype(np.float32)
    if len(part) < ROWS < count:
      part = np.pad(part, ((0, ROWS - len(part)), (0, 0)))  # zeros add nothing
    sums = _sums(part)
    total += np.asarray(sums[0])
    scatter += np.asarray(sums[1])
  # sum (x-m)(x-m)^T = sum (x-c)(x-c)^T - n (m-c)(m-c)^T
  offset = total / count
  return Moments(count, shift + offset, scatter - count * np.outer(offset, offset))


@jax.jit
def _sums(x: Array) -> tuple[Array, Array]:
  return x.sum(0), jnp.matmul(x.T, x, precision=lax.Precision.HIGHEST)


def merge(a: Moments, b: Moments) -> Moments:
  """The moments of both together (Chan, Golub & LeVeque 1979).

  Raises:
    ValueError: other widths.
  """
  if a.mean.shape != b.mean.shape:
    raise ValueError(f'moments of {len(a.mean)} and {len(b.mean)} features: expected the '
                     'same width; compute both with the same network')
  count = a.samples + b.samples
  if not count:
    return a
  delta, share = b.mean - a.mean, b.samples / count
  return Moments(count, a.mean + share * delta,
                 a.scatter + b.scatter + a.samples * share * np.outer(delta, delta))
