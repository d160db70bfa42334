"""The features of all sets of an evaluation, computed once."""
from typing import NamedTuple

import numpy as np

from jaxsynth.data import classes
from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.metrics import features

DIGITS = (28, 28, 1)  # images that the shipped classifier takes


class Embedded(NamedTuple):
  """Features of a comparison's sets.

  Attributes:
    net: what they are of.
    synthetic: `[N, D]`.
    real: `[M, D]`.
    other: `[N, D]`.
    logits: `[N, K]` of the shipped classifier of digits for each class of the comparison, of
      the synthetic and of the other examples; `None` where the data are no digits.
  """
  net: features.Features
  synthetic: np.ndarray
  real: np.ndarray
  other: np.ndarray
  logits: tuple[np.ndarray, np.ndarray] | None


def embed(comparison: Comparison, net: features.Features, digits: bool) -> Embedded:
  """Runs the network over all sets.

  Args:
    comparison: the sets.
    net: features.
    digits: whether the data's classes are those of the shipped classifier.
  """
  to_model = comparison.kind.to_model
  of = lambda examples, net: features.extract_all(net, examples.values, to_model)
  synthetic, real, other = comparison[:3]
  logits = None
  ten = classes.numbered(10)
  columns = [k for k in classes.places(comparison.class_names or ten, ten) if k is not None]
  if digits and real.values.shape[1:] == DIGITS and len(columns) == len(
      comparison.class_names or ten):
    classifier = features.mnist_logits()
    logits = of(synthetic, classifier)[:, columns], of(other, classifier)[:, columns]
  return Embedded(net, of(synthetic, net), of(real, net), of(other, net), logits)
