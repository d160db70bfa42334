"""What a score is, where it is an estimate with an error."""
from typing import NamedTuple

import numpy as np


class Score(NamedTuple):
  """A score and its standard error."""
  value: float
  standard_error: float


class Share(NamedTuple):
  """`hits` of `total`, with a confidence interval `[low, high]` for the probability."""
  value: float
  low: float
  high: float
  hits: int
  total: int


def _checked(count: int, total: int, confidence: float) -> None:
  if not (total > 0 and 0 <= count <= total):
    raise ValueError(f'{count} of {total}: expected 0 <= count <= total, total > 0')
  if not 0 < confidence < 1:
    raise ValueError(f'confidence={confidence}: expected it in (0, 1), say 0.95')


def wilson(count: int, total: int, confidence: float = .95) -> Share:
  """A share with Wilson's interval, which has about the confidence that is asked.

  Wilson, Probable Inference, 1927.

  Raises:
    ValueError: not `0 <= count <= total`, or a confidence outside (0, 1).

  >>> share = wilson(5, 100)
  >>> print(f'{share.value} in [{share.low:.4f}, {share.high:.4f}]')
  0.05 in [0.0215, 0.1118]
  """
  from scipy import special
  _checked(count, total, confidence)
  z = float(special.ndtri(.5 + confidence / 2))
  p, w = count / total, z ** 2 / total
  middle = (p + w / 2) / (1 + w)
  half = float(np.sqrt(p * (1 - p) * w + w ** 2 / 4)) / (1 + w)
  # rounding aside, the interval holds the share and stays in [0, 1]
  return Share(p, max(0., min(p, middle - half)), min(1., max(p, middle + half)), count, total)


def clopper_pearson(count: int, total: int, confidence: float = .95) -> Share:
  """A share with the exact interval, which has at least the confidence that is asked.

  Clopper & Pearson, The Use of Confidence or Fiducial Limits, 1934.

  Raises:
    ValueError: as `wilson`.

  >>> share = clopper_pearson(0, 100)
  >>> print(f'{share.value} in [{share.low:.4f}, {share.high:.4f}]')
  0.0 in [0.0000, 0.0362]
  """
  from scipy import special
  _checked(count, total, confidence)
  tail = (1 - confidence) / 2
  low = special.betaincinv(count, total - count + 1, tail) if count else 0.
  high = special.betaincinv(count + 1, total - count, 1 - tail) if count < total else 1.
  return Share(count / total, float(low), float(high), count, total)
