"""What a private model or data set promises to those whose data it is of."""
from collections.abc import Mapping
import math
from typing import Any, NamedTuple

# of jax_privacy and dp_accounting: which two data sets are to look alike
RELATIONS = {
    'add_or_remove_one': 'with {unit} more or fewer',
    'replace_one': 'with {unit} replaced by another',
    'replace_special': 'with {unit} replaced by an empty one'}
ONE_EXAMPLE = 'one example of the data set'


class Guarantee(NamedTuple):
  """`(epsilon, delta)`-differential privacy of what is released, with all that it rests on.

  For data sets `D, D'` that are neighbours by `relation`, and all sets `S` of what may be
  released, `P[release(D) in S] <= exp(epsilon) P[release(D') in S] + delta` (Dwork et al. 2006).

  Attributes:
    epsilon: the bound, above 0; infinite where nothing is promised.
    delta: the probability by which it may fail, in [0, 1).
    relation: which data sets are neighbours: `'add_or_remove_one'`, `'replace_one'` or
      `'replace_special'`, where the one that differs is empty.
    unit: what two neighbours differ in.
    mechanism: how it is private, a sentence.
    sampling: how examples come into a step: `'poisson'`, each by itself; `''` of one release.
    accountant: what counted epsilon, with its version.
    noise_multiplier: standard deviation of the noise, in units of what an example can change.
    clip_norm: the longest that an example's part may be.
    sampling_probability: of an example to be in a step; 1 of one release.
    steps: that saw the data.
    size: of the data, in examples; it is taken as public.
    released: what is covered: names of players, or of statistics.
    left_out: what is not promised, a sentence each.

  >>> promise = Guarantee(1., 1e-5, 'add_or_remove_one', ONE_EXAMPLE, 'Noise on a mean.', '',
  ...                     'PLD of dp_accounting 0.6', 3.7, 1., 1., 1, 5000, ('means',))
  >>> Guarantee.of_json(promise.to_json()) == promise
  True
  >>> print(promise.sentence())  # doctest: +NORMALIZE_WHITESPACE
  What is released is (1, 1e-05)-differentially private: whatever it shows is at most
  exp(1) = 2.72 times as likely as it would be of the same data with one example of the data set
  more or fewer, but for a chance of 1e-05.
  """
  epsilon: float
  delta: float
  relation: str
  unit: str
  mechanism: str
  sampling: str
  accountant: str
  noise_multiplier: float
  clip_norm: float
  sampling_probability: float
  steps: int
  size: int
  released: tuple[str, ...]
  left_out: tuple[str, ...] = ()

  def to_json(self) -> dict[str, Any]:
    """As config.json and metadata.json hold it; an infinite epsilon is `None`."""
    return {**self._asdict(), 'epsilon': self.epsilon if math.isfinite(self.epsilon) else None,
            'released': list(self.released), 'left_out': list(self.left_out)}

  @classmethod
  def of_json(cls, values: Mapping[str, Any]) -> 'Guarantee':
    """What `to_json` gave.

    Raises:
      ValueError: names are missing or unknown, or a value is out of its range.
    """
    missing, unknown = set(cls._fields) - set(values), set(values) - set(cls._fields)
    if missing or unknown:
      raise ValueError(f'a guarantee lacks {sorted(missing)} and has {sorted(unknown)} besides: '
                       f'expected {", ".join(cls._fields)}')
    epsilon = math.inf if values['epsilon'] is None else values['epsilon']
    return cls(**{**values, 'epsilon': epsilon, 'released': tuple(values['released']),
                  'left_out': tuple(values['left_out'])}).checked()

  def checked(self) -> 'Guarantee':
    """Itself.

    Raises:
      ValueError: an epsilon, a delta, a probability or a relation that there cannot be.
    """
    for name, fits, expected in (
        ('epsilon', self.epsilon > 0, 'more than 0'),
        ('delta', 0 <= self.delta < 1, 'a probability in [0, 1)'),
        ('relation', self.relation in RELATIONS, ', '.join(RELATIONS)),
        ('noise_multiplier', self.noise_multiplier >= 0, 'at least 0'),
        ('clip_norm', self.clip_norm > 0, 'more than 0'),
        ('sampling_probability', 0 < self.sampling_probability <= 1, 'a probability in (0, 1]'),
        ('steps', self.steps >= 0, 'at least 0'),
        ('size', self.size >= 1, 'at least 1')):
      if not fits:
        raise ValueError(f'{name}={getattr(self, name)!r}: expected {expected}')
    return self

  def sentence(self) -> str:
    """The promise for a page, in plain words."""
    if not math.isfinite(self.epsilon):
      return 'Nothing is promised of what is released: no noise hides any example.'
    neighbour = RELATIONS[self.relation].format(unit=self.unit)
    but = f', but for a chance of {self.delta:.3g}' if self.delta else ''
    return (f'What is released is ({self.epsilon:.3g}, {self.delta:.3g})-differentially private: '
            f'whatever it shows is at most exp({self.epsilon:.3g}) = '
            f'{math.exp(min(self.epsilon, 700)):.3g} times as likely as it would be of the same '
            f'data {neighbour}{but}.')
