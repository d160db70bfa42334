"""The classifier score: confident on each sample, diverse over all."""
from typing import Any

import numpy as np

from jaxsynth.metrics import checks
from jaxsynth.metrics.score import Score


def classifier_score(probabilities: Any, *, splits: int = 10, seed: int | None = 2020) -> Score:
  """`exp E_x KL(p(y|x) || p(y))`; the Inception Score with Inception's probabilities.

  Between 1 and `K`. The mean over `splits` parts, and its standard error (the standard
  deviation over parts, which others print, is `sqrt(splits)` times as much). It is biased:
  more samples a part give a higher score.

  Args:
    probabilities: `[N, K]`, rows add up to 1.
    splits: parts, at most N / 2.
    seed: of the shuffling before the split, torch-fidelity's by default; `None` for none.

  Returns:
    The score; its standard error is NaN with one split.

  Raises:
    ValueError: see `checks.probabilities`; or `splits` out of range.

  Salimans et al., Improved Techniques for Training GANs, 2016, sec. 4.

  >>> print(round(classifier_score(np.eye(4).repeat(100, 0), splits=1).value, 6))
  4.0
  """
  p = checks.probabilities('probabilities', probabilities)
  if not 1 <= splits <= max(1, len(p) // 2):
    raise ValueError(f'splits={splits} of {len(p)} samples: expected between 1 and '
                     f'{max(1, len(p) // 2)}, two samples a part')
  if seed is not None:
    p = p[np.random.RandomState(seed).permutation(len(p))]
  values = np.array([_score(p[i * len(p) // splits:(i + 1) * len(p) // splits])
                     for i in range(splits)])
  error = values.std(ddof=1) / splits ** .5 if splits > 1 else np.nan
  return Score(float(values.mean()), float(error))


def _score(p: np.ndarray) -> float:
  # 0 log 0 = 0; where p(y|x) > 0, p(y) > 0
  mean = np.broadcast_to(p.mean(0), p.shape)
  ratio = np.divide(p, mean, out=np.ones_like(p), where=p > 0)
  return float(np.exp((p * np.log(ratio)).sum(1).mean()))
