"""Labels that the neighbours contradict."""
from typing import NamedTuple

import numpy as np

from jaxsynth.data.analysis.neighbourhood import Neighbourhood


class Suspects(NamedTuple):
  """Examples whose label looks wrong, the surest first.

  Attributes:
    positions: `[S]`, in the set.
    given: `[S]`, their labels.
    likely: `[S]`, what the neighbours say.
    confidence: `[S]`, P(likely) - P(given) by the neighbours.
    accuracy: share of examples whose label is the likeliest by their neighbours.
    looked: how many examples were looked at.
    joint: `[K, K]`, suspects by given and likely label.
  """
  positions: np.ndarray
  given: np.ndarray
  likely: np.ndarray
  confidence: np.ndarray
  accuracy: float
  looked: int
  joint: np.ndarray


def suspects(near: Neighbourhood, labels: np.ndarray, num_classes: int) -> Suspects:
  """Confident learning with the leave-one-out votes of the nearest neighbours.

  `p_j` of an example is the share of its k neighbours (the example is none of them)
  with label j, each weighing 1 / distance. A class's threshold `t_j` is the mean `p_j`
  of the examples given label j. An example given i is suspect where the likeliest j of
  those with `p_j >= t_j` is not i, and `p_i < p_j`.

  Args:
    near: neighbours within the set.
    labels: `[N]`, of the whole set.
    num_classes: K.

  Returns:
    The suspects.

  Raises:
    ValueError: fewer than two classes among the examples.

  Northcutt, Jiang & Chuang, J. Artif. Intell. Res. 70 (2021), sec. 3.1,
  https://arxiv.org/abs/1911.00068.
  """
  given = labels[near.queries]
  if len(np.unique(given)) < 2:
    raise ValueError('one class only, expected at least two to tell apart')
  weight = 1 / np.maximum(near.distances, 1e-6 + near.distances.mean() * 1e-3)
  p = np.zeros((len(given), num_classes))
  np.add.at(p, (np.arange(len(given))[:, None], labels[near.neighbours]), weight)
  p /= p.sum(1, keepdims=True)
  rows = np.arange(len(given))
  p_given = p[rows, given]
  count = np.bincount(given, minlength=num_classes)
  threshold = np.bincount(given, p_given, num_classes) / np.maximum(count, 1)
  threshold[count == 0] = np.inf
  confident = np.where(p >= threshold - 1e-12, p, -1)
  likely = confident.argmax(1)
  at = np.flatnonzero((confident.max(1) > 0) & (likely != given) & (p[rows, likely] > p_given))
  confidence = p[at, likely[at]] - p_given[at]
  at, confidence = (x[np.argsort(-confidence, kind='stable')] for x in (at, confidence))
  joint = np.zeros((num_classes, num_classes), np.int64)
  np.add.at(joint, (given[at], likely[at]), 1)
  return Suspects(near.queries[at], given[at], likely[at], confidence,
                  float((p.argmax(1) == given).mean()), len(given), joint)
