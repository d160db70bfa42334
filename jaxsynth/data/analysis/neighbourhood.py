"""Nearest neighbours among the pooled, standardised images of one or two scans."""
from typing import NamedTuple

import numpy as np

from jaxsynth.kinds.pooling import standardised
from jaxsynth.data.analysis.scan import Scan, sample
from jaxsynth.metrics.neighbours import nearest

K = 10


class Neighbourhood(NamedTuple):
  """The nearest neighbours of some examples, by position in their sets.

  Attributes:
    queries: `[Q]`, positions in the one set.
    neighbours: `[Q, k]`, positions in the other (or the same, itself left out).
    distances: `[Q, k]`, ascending.
    points: examples that were searched.
  """
  queries: np.ndarray
  neighbours: np.ndarray
  distances: np.ndarray
  points: int


def within(scan: Scan, *, most: int, k: int = K, seed: int = 0) -> Neighbourhood:
  """Of at most `most` examples, among all others of the set whose features are kept.

  Raises:
    ValueError: fewer than 4 examples.
  """
  n = len(scan.rows)
  if n < 4:
    raise ValueError(f'{n} examples, expected at least 4 for neighbours')
  k = min(k, n - 1)
  x = standardised(scan.features)
  at = sample(n, most, seed)
  distances, indices = nearest(x[at], x, k + 1)
  itself = indices == at[:, None]
  itself[~itself.any(1), -1] = True  # among many copies it need not be listed
  keep = ~itself
  return Neighbourhood(scan.rows[at], scan.rows[indices[keep].reshape(-1, k)],
                       distances[keep].reshape(-1, k), n)


def between(scan: Scan, reference: Scan, *, most: int, k: int = K, seed: int = 0
            ) -> Neighbourhood:
  """Of at most `most` examples of `scan`, among those of `reference`.

  Raises:
    ValueError: images of another shape, or fewer than 4 in the reference.
  """
  if scan.image_shape != reference.image_shape:
    raise ValueError(f'images of {list(scan.image_shape)} and {list(reference.image_shape)}, '
                     'expected the same; set an image size and channels')
  if len(reference.rows) < 4:
    raise ValueError(f'{len(reference.rows)} examples, expected at least 4 for neighbours')
  at = sample(len(scan.rows), most, seed)
  distances, indices = nearest(
      standardised(scan.features[at]), standardised(reference.features),
      min(k, len(reference.rows)))
  return Neighbourhood(scan.rows[at], reference.rows[indices], distances, len(reference.rows))
