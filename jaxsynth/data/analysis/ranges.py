"""What scale pixels are on, and which images are on another."""
from typing import NamedTuple

import numpy as np

from jaxsynth.data.analysis.scan import Facts

SCALES = ('[0, 1]', '[-1, 1]', '[0, 255]', 'other')
SLIP = 1e-3  # rounding beyond a scale's end


class Ranges(NamedTuple):
  """The scale of a set, and the images that leave it.

  Attributes:
    scale: the narrowest of `SCALES` that most images need.
    shares: `[4]`, images that need each, of those that are not of one value.
    bad: `[.]`, images with NaN or infinite pixels.
    constant: `[.]`, images of one value.
    strange: `[.]`, images on another scale than the set's, of a rare kind.
  """
  scale: str
  shares: np.ndarray
  bad: np.ndarray
  constant: np.ndarray
  strange: np.ndarray


def ranges(facts: Facts, rare: float = 0.1) -> Ranges:
  """Finds the scale from each image's own least and greatest pixel.

  Args:
    facts: of every image.
    rare: an image is strange where it needs another scale than most, and at most this
      share of the images do.

  >>> facts = Facts(*np.array([[.5] * 20, [.2] * 20, [0] * 20, [1] * 19 + [255], [0] * 20]))
  >>> pixel_ranges = ranges(facts)
  >>> pixel_ranges.scale, pixel_ranges.strange.tolist()
  ('[0, 1]', [19])
  """
  low, high = facts.low, facts.high
  finite = np.isfinite(low) & np.isfinite(high)
  need = np.full(len(low), 3)
  need[finite & (low >= -SLIP) & (high <= 255 + SLIP)] = 2
  need[finite & (low >= -1 - SLIP) & (high <= 1 + SLIP)] = 1
  need[finite & (low >= -SLIP) & (high <= 1 + SLIP)] = 0
  varied = finite & (high > low)
  shares = np.bincount(need[varied], minlength=4) / max(varied.sum(), 1)
  scale = int(shares.argmax()) if varied.any() else int(need.max())
  strange = varied & (need != scale) & (shares[need] <= rare)
  return Ranges(SCALES[scale], shares, np.flatnonzero(facts.bad > 0),
                np.flatnonzero(finite & (high == low)), np.flatnonzero(strange))
