"""How evenly samples are spread over classes, so that a missing class is noticed."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import checks


class Balance(NamedTuple):
  """What `class_balance` finds.

  Attributes:
    counts: int64 `[K]`.
    missing: classes without a sample.
    ratio: the largest class over the smallest; infinite with a class missing.
    entropy: of the shares over `log K`: 1 for even classes, 0 for a single one.
    total_variation: half the sum of the differences to the target's shares, in [0, 1]:
      the share of samples that would have to change class.
    p_value: of Pearson's chi-squared test that the labels are a draw from the target.
  """
  counts: np.ndarray
  missing: tuple[int, ...]
  ratio: float
  entropy: float
  total_variation: float
  p_value: float


def class_balance(labels: Any, num_classes: int, target: Any = None) -> Balance:
  """How evenly, or how near to a target, samples are spread over classes.

  Args:
    labels: `[N]` in [0, K).
    num_classes: `K`, at least 2.
    target: expected shares or counts `[K]`, all above 0; even classes by default. It is
      taken as exact.

  Raises:
    ValueError: see `checks.labels`; or a target of another shape or with an empty class.

  >>> balance = class_balance([0, 0, 0, 1], 2)
  >>> balance.counts.tolist(), balance.ratio, balance.total_variation
  ([3, 1], 3.0, 0.25)
  """
  from scipy import special
  if num_classes < 2:
    raise ValueError(f'num_classes={num_classes}: expected at least 2')
  labels = checks.labels('labels', labels, num_classes)
  target = np.ones(num_classes) if target is None else np.asarray(target, np.float64)
  if target.shape != (num_classes,) or not (np.isfinite(target) & (target > 0)).all():
    raise ValueError(f'target: shape {list(target.shape)}, least value '
                     f'{target.min() if target.size else None}, expected [{num_classes}] '
                     'shares or counts above 0; leave an empty class out of the labels too')
  target = target / target.sum()
  counts = np.bincount(labels, minlength=num_classes)
  shares, expected = counts / len(labels), len(labels) * target
  entropy = -(shares * np.log(np.where(counts, shares, 1))).sum() / np.log(num_classes)
  chi2 = ((counts - expected) ** 2 / expected).sum()
  return Balance(
      counts, tuple(np.flatnonzero(counts == 0).tolist()),
      float(counts.max() / counts.min()) if counts.min() else float('inf'), float(entropy),
      float(np.abs(shares - target).sum() / 2),
      float(special.chdtrc(num_classes - 1, chi2)))
