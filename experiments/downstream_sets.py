"""What the classifiers of a downstream study learn from: real, synthetic, mixtures."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evaluate_sets import Set
from jaxsynth import data


class Setting(NamedTuple):
  """A training set's recipe.

  Attributes:
    real: real examples.
    synthetic: synthetic ones beside them.
    augmented: whether training augments them.
  """
  real: int
  synthetic: int = 0
  augmented: bool = False

  @property
  def name(self) -> str:
    """As it is written in tables.

    >>> Setting(1000, 500).name, Setting(0, 60000).name, Setting(100, 0, True).name
    ('1,000 real + 500 synthetic', '60,000 synthetic', '100 real, augmented')
    """
    parts = [f'{n:,} {kind}' for n, kind in ((self.real, 'real'), (self.synthetic, 'synthetic'))
             if n]
    return ' + '.join(parts) + (', augmented' if self.augmented else '')


def grid(sizes: Sequence[int], parts: Sequence[float], synthetic: int
         ) -> tuple[list[Setting], list[Setting]]:
  """All settings, and those left out since they need more synthetic examples than there are.

  Args:
    sizes: of real examples.
    parts: synthetic examples for each real one, in mixtures.
    synthetic: how many there are.

  >>> [s.name for s in grid([10], [.5, 9], 60)[0]]
  ['60 synthetic', '10 real', '10 real, augmented', '10 real + 5 synthetic']
  >>> [s.name for s in grid([10], [.5, 9], 60)[1]]
  ['10 real + 90 synthetic']
  """
  found, left = [Setting(0, synthetic)], list[Setting]()
  for n in sizes:
    found += [Setting(n), Setting(n, augmented=True)]
    for part in parts:
      one = Setting(n, max(1, round(part * n)))
      (found if one.synthetic <= synthetic else left).append(one)
  return found, left


def order(labels: np.ndarray, seed: int) -> np.ndarray:
  """A shuffle `[N]` whose every beginning has the classes in the shares of the whole.

  The j-th example of a class of m stands at (j + u) / m, with u in [0, 1) of the class;
  so each class of a beginning of n has n times its share of examples, to within 1.

  >>> sorted(order(np.array([0] * 8 + [1] * 2), 0)[:5] >= 8)
  [False, False, False, False, True]
  """
  random = np.random.Generator(np.random.Philox(seed))
  places = np.empty(len(labels))
  shuffled = random.permutation(len(labels))
  for k in np.unique(labels):
    own = shuffled[labels[shuffled] == k]
    places[own] = (np.arange(len(own)) + random.uniform()) / len(own)
  return np.argsort(places, kind='stable')


def source(setting: Setting, real: Set, fake: Set, num_classes: int, seed: int) -> data.Source:
  """The training set of a seed: the larger ones of a seed hold its smaller ones.

  Raises:
    ValueError: a class without examples.
  """
  assert real.labels is not None and fake.labels is not None
  chosen = [(images[at], labels[at]) for images, labels, at in (
      (real.images, real.labels, order(real.labels, seed)[:setting.real]),
      (fake.images, fake.labels, order(fake.labels, seed)[:setting.synthetic])) if len(at)]
  images, labels = (np.concatenate(x) for x in zip(*chosen))
  empty = np.flatnonzero(np.bincount(labels, minlength=num_classes) == 0)
  if len(empty):
    raise ValueError(f'{setting.name}: no example of class {empty.tolist()}; take larger --sizes, '
                     'or a synthetic set that has all classes')
  return data.ArraySource.of(images, labels, num_classes, setting.name)


def sizes_of(given: Sequence[str], real: int) -> list[int]:
  """--sizes as numbers, ascending: those of more than there are become all.

  >>> sizes_of(['100', '5000', 'all'], 4000)
  [100, 4000]
  """
  return sorted({min(real, real if n == 'all' else int(n)) for n in given})


def outcomes(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, object]:
  """What one classifier gets right: accuracies, and AUC where there are two classes.

  Args:
    labels: `[N]`, the true ones.
    probabilities: `[N, K]`.

  >>> found = outcomes(np.array([0, 0, 1]), np.array([[.9, .1], [.4, .6], [.2, .8]]))
  >>> round(found['accuracy'], 3), found['per_class'], found['balanced_accuracy'], found['auc']
  (0.667, [0.5, 1.0], 0.75, 1.0)
  """
  right = probabilities.argmax(1) == labels
  per_class = [float(right[labels == k].mean()) if (labels == k).any() else None
               for k in range(probabilities.shape[1])]
  seen = [x for x in per_class if x is not None]
  found = {'accuracy': float(right.mean()), 'balanced_accuracy': float(np.mean(seen)),
           'per_class': per_class}
  return found | ({'auc': auc(labels, probabilities[:, 1])}
                  if probabilities.shape[1] == 2 and len(seen) == 2 else {})


def auc(labels: np.ndarray, score: np.ndarray) -> float:
  """P(a positive scores above a negative), ties counting half: Mann-Whitney's U / nm."""
  from scipy import stats
  positive = labels == 1
  n, m = positive.sum(), (~positive).sum()
  ranks = stats.rankdata(score)
  return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))
