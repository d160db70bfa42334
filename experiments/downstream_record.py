"""What a downstream study found: intervals over seeds, and whether synthetic data helps."""
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from downstream_sets import Setting

CONFIDENCE = .95
Verdict = Literal['helps', 'hurts', 'no difference seen', 'one seed, no interval']


class Mean(NamedTuple):
  """A mean over seeds with its Student interval; of one seed there is none."""
  value: float
  low: float | None
  high: float | None


def mean(values: Sequence[float]) -> Mean:
  """`x +- t s / sqrt(n)`, t of n - 1 degrees of freedom: over seeds, for these test images.

  >>> one = mean([.97, .98, .99])
  >>> print(f'{one.value:.2f} in [{one.low:.3f}, {one.high:.3f}]')
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


def record(settings: Mapping[Setting, Sequence[Mapping[str, Any]]], classes: Sequence[str]
           ) -> list[dict[str, Any]]:
  """A row a setting: means, and the difference to as many real examples alone.

  Differences are taken seed by seed, since both have the same real examples and the same
  initialisation; synthetic data alone are held against the largest real set, augmented
  where they are.

  Args:
    settings: each with the outcomes of its seeds, `downstream_sets.outcomes`.
    classes: their names.
  """
  largest = max(s.real for s in settings)
  rows = []
  for setting, found in settings.items():
    alone = Setting(setting.real) if setting.real else Setting(largest, 0, setting.augmented)
    rows.append(_row(setting, found, settings.get(alone) if setting != alone else None, classes))
  return rows


def _row(setting: Setting, found: Sequence[Mapping[str, Any]],
         alone: Sequence[Mapping[str, Any]] | None, classes: Sequence[str]) -> dict[str, Any]:
  names = [name for name in ('accuracy', 'balanced_accuracy', 'auc') if name in found[0]]
  row: dict[str, Any] = {
      'name': setting.name, **setting._asdict(), 'seeds': list(found),
      **{name: mean([one[name] for one in found])._asdict() for name in names},
      'per_class': [None if x is None else float(x) for x in _per_class(found)]}
  if alone is not None:
    gain = mean([a['accuracy'] - b['accuracy'] for a, b in zip(found, alone)])
    row['against_real'] = {'difference': gain._asdict(), 'verdict': verdict(gain),
                           'suffers_most': _worst(found, alone, classes)}
  return row


def _per_class(found: Sequence[Mapping[str, Any]]) -> list[float | None]:
  columns = zip(*(one['per_class'] for one in found))
  return [None if None in x else float(np.mean(x)) for x in columns]


def _worst(found: Sequence[Mapping[str, Any]], alone: Sequence[Mapping[str, Any]],
           classes: Sequence[str]) -> dict[str, Any]:
  """The class that loses most accuracy (or gains least), with its difference."""
  pairs = zip(_per_class(found), _per_class(alone))
  lost = [np.inf if a is None or b is None else a - b for a, b in pairs]
  k = int(np.argmin(lost))
  own = mean([a['per_class'][k] - b['per_class'][k] for a, b in zip(found, alone)])
  return {'class': classes[k], 'difference': own._asdict()}
