"""What outcomes over seeds say: intervals, and whether synthetic data helps."""
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxsynth.downstream.settings import Setting

CONFIDENCE = .95
Verdict = Literal['helps', 'hurts', 'no difference seen', 'one seed, no interval']
Outcomes = Mapping[str, Any]  # of one seed, see `accuracy.outcomes`


class Mean(NamedTuple):
  """A mean over seeds with its Student interval; of one seed there is none."""
  value: float
  low: float | None
  high: float | None


def mean(values: Sequence[float]) -> Mean:
  """`x +- t s / sqrt(n)`, t of n - 1 degrees of freedom: over seeds, for these test images.

  Args:
    values: one a seed.

  >>> accuracy = mean([.97, .98, .99])
  >>> print(f'{accuracy.value:.2f} in [{accuracy.low:.3f}, {accuracy.high:.3f}]')
  0.98 in [0.955, 1.005]
  >>> mean([.5])
  Mean(value=0.5, low=None, high=None)
  """
  from scipy import special
  n = len(values)
  middle = round(float(np.mean(values)), 12)  # differences of floats are not quite 0
  if n < 2:
    return Mean(middle, None, None)
  half = float(special.stdtrit(n - 1, .5 + CONFIDENCE / 2) * np.std(values, ddof=1) / np.sqrt(n))
  return Mean(middle, middle - half, middle + half)


def verdict(difference: Mean) -> Verdict:
  """What a difference to real data alone says.

  >>> verdict(Mean(-.1, -.2, -.01)), verdict(Mean(.1, -.1, .3))
  ('hurts', 'no difference seen')
  """
  if difference.low is None or difference.high is None:
    return 'one seed, no interval'
  return ('helps' if difference.low > 0 else 'hurts' if difference.high < 0 else
          'no difference seen')


def rows(outcomes: Mapping[Setting, Sequence[Outcomes]], classes: Sequence[str]
         ) -> list[dict[str, Any]]:
  """A row a setting: means, and the difference to as many real examples alone.

  Differences are taken seed by seed, since both have the same real examples and the same
  initialisation; synthetic data alone are held against the largest real set, augmented
  where they are.

  Args:
    outcomes: of each setting, one a seed.
    classes: their names.

  Returns:
    What downstream.json holds as `settings`.

  >>> real = [{'accuracy': x, 'per_class': [x, x]} for x in (.7, .8)]
  >>> mixed = [{'accuracy': x, 'per_class': [x, x]} for x in (.75, .85)]
  >>> rows({Setting(10): real, Setting(10, 5): mixed}, ['a', 'b'])[1]['against_real']['verdict']
  'helps'
  """
  largest = max(setting.real for setting in outcomes)
  table = []
  for setting, by_seed in outcomes.items():
    alone = Setting(setting.real) if setting.real else Setting(largest, 0, setting.augmented)
    table.append(_row(setting, by_seed, outcomes.get(alone) if setting != alone else None,
                      classes))
  return table


def _row(setting: Setting, by_seed: Sequence[Outcomes], alone: Sequence[Outcomes] | None,
         classes: Sequence[str]) -> dict[str, Any]:
  measures = [m for m in ('accuracy', 'balanced_accuracy', 'auc') if m in by_seed[0]]
  row: dict[str, Any] = {
      'name': setting.name, **setting._asdict(), 'seeds': list(by_seed),
      **{m: mean([outcomes[m] for outcomes in by_seed])._asdict() for m in measures},
      'per_class': _per_class(by_seed)}
  if alone is not None:
    gain = mean([a['accuracy'] - b['accuracy'] for a, b in zip(by_seed, alone)])
    row['against_real'] = {'difference': gain._asdict(), 'verdict': verdict(gain),
                           'suffers_most': _suffers_most(by_seed, alone, classes)}
  return row


def _per_class(by_seed: Sequence[Outcomes]) -> list[float | None]:
  columns = zip(*(outcomes['per_class'] for outcomes in by_seed))
  return [None if None in column else float(np.mean(column)) for column in columns]


def _suffers_most(by_seed: Sequence[Outcomes], alone: Sequence[Outcomes],
                  classes: Sequence[str]) -> dict[str, Any]:
  """The class that loses most accuracy (or gains least), with its difference."""
  pairs = zip(_per_class(by_seed), _per_class(alone))
  gains = [np.inf if a is None or b is None else a - b for a, b in pairs]
  k = int(np.argmin(gains))
  difference = mean([a['per_class'][k] - b['per_class'][k] for a, b in zip(by_seed, alone)])
  return {'class': classes[k], 'difference': difference._asdict()}
