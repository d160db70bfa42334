"""What the classifiers of a study learn from: real examples, synthetic ones, mixtures."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxsynth import data
from jaxsynth.data.classes import listed
from jaxsynth.data.examples import Examples
from jaxsynth.data.kinded import kind_of, of_kind


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

  Returns:
    The settings in the order of their training, and those left out.

  >>> [s.name for s in grid([10], [.5, 9], 60)[0]]  # doctest: +NORMALIZE_WHITESPACE
  ['60 synthetic', '60 synthetic, augmented', '10 real', '10 real, augmented',
   '10 real + 5 synthetic']
  >>> [s.name for s in grid([10], [.5, 9], 60)[1]]
  ['10 real + 90 synthetic']
  """
  settings = [Setting(0, synthetic), Setting(0, synthetic, True)]
  left_out: list[Setting] = []
  for n in sizes:
    settings += [Setting(n), Setting(n, augmented=True)]
    for part in parts:
      mixture = Setting(n, max(1, round(part * n)))
      (settings if mixture.synthetic <= synthetic else left_out).append(mixture)
  return settings, left_out


def sizes_among(sizes: Sequence[int | str], most: int) -> list[int]:
  """Sizes of real training sets as numbers, ascending: more than there are become all.

  Args:
    sizes: numbers, or `'all'`.
    most: how many real examples there are.

  Raises:
    ValueError: a size that is neither `'all'` nor a positive number, or none at all.

  >>> sizes_among(['100', 5000, 'all'], 4000)
  [100, 4000]
  """
  if not sizes or any(n != 'all' and (not str(n).isdigit() or int(n) < 1) for n in sizes):
    raise ValueError(f'sizes {list(sizes)}: expected one or more positive numbers, or all')
  return sorted({most if n == 'all' else min(most, int(n)) for n in sizes})


def stratified(labels: np.ndarray, seed: int) -> np.ndarray:
  """A shuffle `[N]` whose every beginning has the classes in the shares of the whole.

  The j-th example of a class of m stands at (j + u) / m, with u in [0, 1) of the class;
  so each class of a beginning of n has n times its share of examples, to within 1.

  Args:
    labels: integers `[N]`.
    seed: of the shuffle.

  >>> int((stratified(np.array([0] * 8 + [1] * 2), 0)[:5] >= 8).sum())
  1
  """
  random = np.random.Generator(np.random.Philox(seed))
  places = np.empty(len(labels))
  shuffled = random.permutation(len(labels))
  for k in np.unique(labels):
    of_class = shuffled[labels[shuffled] == k]
    places[of_class] = (np.arange(len(of_class)) + random.uniform()) / len(of_class)
  return np.argsort(places, kind='stable')


def training_set(setting: Setting, real: Examples, synthetic: Examples, names: Sequence[str],
                 seed: int) -> data.Source:
  """The training set of a seed: the larger ones of a seed hold its smaller ones.

  Args:
    setting: how many of each.
    real: with labels.
    synthetic: with labels, of the same shape.
    names: of the classes, whose positions all labels are.
    seed: of which examples.

  Raises:
    ValueError: no labels, or a class without examples.

  >>> digits = Examples('digits', np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 1, 0, 1]))
  >>> sorted(training_set(Setting(2, 2), digits, digits, '01', 0).labels.tolist())
  [0, 0, 1, 1]
  """
  values, labels = list[np.ndarray](), list[np.ndarray]()
  for examples, most in ((real, setting.real), (synthetic, setting.synthetic)):
    if examples.labels is None:
      raise ValueError(f'{examples.name}: no labels, so no classifier can learn from it')
    if most:
      chosen = examples.take(stratified(examples.labels, seed)[:most])
      values.append(chosen.values)
      labels.append(np.asarray(chosen.labels))
  together = np.concatenate(labels)
  counts = np.bincount(together, minlength=len(names))
  empty = [name for name, n in zip(names, counts) if not n]
  if empty:
    raise ValueError(f'{setting.name}: no example of {listed(empty)}; take larger --sizes, or a '
                     'synthetic set that has all classes')
  return of_kind(np.concatenate(values), together, len(names), setting.name, kind_of(real))
