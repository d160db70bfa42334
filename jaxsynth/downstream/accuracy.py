"""What a classifier gets right."""
import numpy as np


def outcomes(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, object]:
  """What one classifier gets right: accuracies, and AUC where there are two classes.

  Args:
    labels: `[N]`, the true ones.
    probabilities: `[N, K]`.

  Returns:
    `accuracy`, `balanced_accuracy`, `per_class` (a list of K, `None` where no example is of
    the class) and, of two classes that are both there, `auc`: all in [0, 1].

  Raises:
    ValueError: probabilities that are not finite.

  >>> right = outcomes(np.array([0, 0, 1]), np.array([[.9, .1], [.4, .6], [.2, .8]]))
  >>> round(right['accuracy'], 3), right['per_class'], right['balanced_accuracy'], right['auc']
  (0.667, [0.5, 1.0], 0.75, 1.0)
  """
  if not np.isfinite(probabilities).all():
    raise ValueError('a classifier has diverged: lower --learning_rate')
  right = probabilities.argmax(1) == labels
  per_class = [float(right[labels == k].mean()) if (labels == k).any() else None
               for k in range(probabilities.shape[1])]
  seen = [x for x in per_class if x is not None]
  accuracies = {'accuracy': float(right.mean()), 'balanced_accuracy': float(np.mean(seen)),
                'per_class': per_class}
  if probabilities.shape[1] == 2 and len(seen) == 2:
    return {**accuracies, 'auc': auc(labels, probabilities[:, 1])}
  return accuracies


def auc(labels: np.ndarray, score: np.ndarray) -> float:
  """P(a positive scores above a negative), ties counting half: Mann-Whitney's U / nm.

  Args:
    labels: `[N]`, 1 for positives; both kinds are there.
    score: `[N]`.

  >>> auc(np.array([0, 1, 1]), np.array([.2, .2, .9]))
  0.75
  """
  from scipy import stats
  positive = labels == 1
  n, m = positive.sum(), (~positive).sum()
  ranks = stats.rankdata(score)
  return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))
