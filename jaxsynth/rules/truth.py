"""What is true of images that were to be like a rule's: no features and no reference images."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.rules.recognise import Reading
from jaxsynth.rules.shapes import Shapes

TOLERANCE = .04  # root of the mean squared difference of a valid image, of [0, 1]
CELLS = 3  # rows, and columns, of places that are told apart
SIZES = 2
SLACK = .05  # of the range that a spec gives a parameter


class Truth(NamedTuple):
  """Scores in [0, 1], known from the rule.

  Attributes:
    precision: share of images that are valid: that a shape of the spec explains.
    recall: share of the rule's distribution over its modes that the valid images have: the sum,
      over modes, of the lesser of its share of the rule and of the valid images. Of a finite
      sample it is below 1; see `expected_overlap`.
    overlap: the same sum with shares of all images, so that images which are not valid count:
      one less the total variation distance of the two distributions.
    modes: share of modes of which there is at least one valid image.
    label_error: share of the valid images that are of another shape than was asked for; `None`
      where nothing was asked for.
  """
  precision: float
  recall: float
  overlap: float
  modes: float
  label_error: float | None


def judged(reading: Reading, spec: Shapes, labels: Any = None, *,
           tolerance: float = TOLERANCE) -> Truth:
  """What is true of images, by what was read from them.

  Args:
    reading: of `recognise.reader` of the same spec.
    spec: the rule's.
    labels: `[N]`, shapes that were asked for, or `None`.
    tolerance: of an image's difference from the best fit.

  Raises:
    ValueError: labels of another length, or a tolerance that is not positive.
  """
  if tolerance <= 0:
    raise ValueError(f'tolerance={tolerance}: expected a number above 0')
  good = valid(reading, spec, tolerance)
  wrong = None
  if labels is not None:
    asked = np.asarray(labels)
    if asked.shape != good.shape:
      raise ValueError(f'labels {list(asked.shape)}: expected {list(good.shape)}, one an image')
    wrong = float((reading.label[good] != asked[good]).mean()) if good.any() else 0.
  shares = mode_shares(spec)
  counts = np.bincount(modes_of(reading, spec)[good], minlength=len(shares))
  common = lambda n: float(np.minimum(counts / max(n, 1), shares).sum())
  return Truth(float(good.mean()), common(good.sum()), common(len(good)),
               float((counts > 0).mean()), wrong)


def valid(reading: Reading, spec: Shapes, tolerance: float = TOLERANCE) -> np.ndarray:
  """Bool `[N]`: whether a shape explains the image, with parameters that the spec gives."""
  within = np.ones(len(reading.error), bool)
  for values, (low, high) in ((reading.across, spec.across), (reading.down, spec.down),
                              (reading.radius, spec.radius),
                              (reading.brightness, spec.brightness),
                              (reading.background, spec.background)):
    slack = SLACK * max(high - low, .1)
    within &= (values >= low - slack) & (values <= high + slack)
  return within & (reading.error <= tolerance)


def mode_shares(spec: Shapes) -> np.ndarray:
  """The rule's share of each mode: a shape, a cell of places and a size. `[K * 18]`.

  >>> mode_shares(Shapes()).shape
  (144,)
  """
  return np.repeat(np.array(spec.shape.shares), CELLS ** 2 * SIZES) / (CELLS ** 2 * SIZES)


def modes_of(reading: Reading, spec: Shapes) -> np.ndarray:
  """The mode of each image, int `[N]`; parameters beyond the spec's count as its nearest."""
  def cell(values: np.ndarray, low: float, high: float, cells: int) -> np.ndarray:
    share = (values - low) / max(high - low, 1e-9)
    return np.clip((np.nan_to_num(share) * cells).astype(int), 0, cells - 1)
  place = CELLS * cell(reading.down, *spec.down, CELLS) + cell(reading.across, *spec.across, CELLS)
  size = cell(reading.radius, *spec.radius, SIZES)
  return (reading.label * CELLS ** 2 + place) * SIZES + size


def expected_overlap(spec: Shapes, n: int) -> float:
  """What `recall` and `overlap` of `n` images of the rule itself is in the mean.

  Of each mode the mean of the lesser of its share p and of a binomial count by n.

  >>> round(expected_overlap(Shapes(), 10000), 3)
  0.952
  """
  p = mode_shares(spec)
  # E min(X / n, p) = p - E max(p - X / n, 0), and a normal distribution is near at these counts
  return float((p - np.sqrt(p * (1 - p) / (2 * np.pi * n))).sum())
