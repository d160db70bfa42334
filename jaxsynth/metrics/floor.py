"""What a score is when real is compared with real, and class by class."""
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from jaxsynth.metrics import checks

Result = TypeVar('Result')


def floor(score: Callable[[np.ndarray, np.ndarray], Result], real: Any,
          n: int | tuple[int, int], seed: int = 0) -> Result:
  """The score of real samples against other real samples: what a perfect generator gets.

  Args:
    score: `(real, fake) -> result`.
    real: `[N, D]`, shuffled and cut into two disjoint parts.
    n: samples of each part, or `(reals, fakes)`: the numbers with which the fakes are
      scored, since most scores depend on them.
    seed: of the shuffling; several seeds show the spread.

  Returns:
    What `score` returns.

  Raises:
    ValueError: fewer samples than both parts need; samples are never used twice.

  >>> real = np.arange(10.)[:, None]
  >>> floor(lambda a, b: (len(a), len(b), len(np.intersect1d(a, b))), real, (6, 3))
  (6, 3, 0)
  """
  real = checks.features('real', real)
  a, b = n if isinstance(n, tuple) else (n, n)
  if min(a, b) < 1 or a + b > len(real):
    raise ValueError(f'n={n}: two disjoint parts need {a} + {b} samples (each at least 1), and '
                     f'real has {len(real)}; ask for at most {len(real) // 2} each and score '
                     'the fakes with as many')
  order = np.random.Generator(np.random.Philox(seed)).permutation(len(real))
  return score(real[order[:a]], real[order[a:a + b]])


def by_class(score: Callable[[np.ndarray, np.ndarray], Result], real: Any, real_labels: Any,
             fake: Any, fake_labels: Any, num_classes: int) -> Mapping[int, Result]:
  """A score for each class: `{class: score(reals of it, fakes of it)}`.

  Args:
    score: `(real, fake) -> result`.
    real: `[N, D]`.
    real_labels: `[N]` in [0, num_classes).
    fake: `[M, D]`.
    fake_labels: `[M]`.
    num_classes: how many there are.

  Raises:
    ValueError: see `checks`; or a class without reals or fakes.

  >>> x, labels = np.array([[0.], [1.], [2.]]), [0, 1, 1]
  >>> by_class(lambda a, b: float(b.mean() - a.mean()), x, labels, x + 1, labels, 2)
  {0: 1.0, 1: 1.0}
  """
  samples = checks.pair('real', real, 'fake', fake)
  labels = (checks.labels('real_labels', real_labels, num_classes),
            checks.labels('fake_labels', fake_labels, num_classes))
  for name, x, y in zip(('real', 'fake'), samples, labels):
    if len(x) != len(y):
      raise ValueError(f'{name}: {len(x)} samples and {len(y)} labels, expected as many')
    empty = np.flatnonzero(np.bincount(y, minlength=num_classes) == 0)
    if len(empty):
      raise ValueError(f'{name}: no samples of class {empty.tolist()}; leave it out of both '
                       'sets, or draw until there are some')
  return {c: score(*(x[y == c] for x, y in zip(samples, labels))) for c in range(num_classes)}
