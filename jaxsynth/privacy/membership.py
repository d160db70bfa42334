"""How well scores tell examples that were learned from from examples that were not."""
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics.score import clopper_pearson, Share

RATES = (.01, .001)  # of false positives


class TruePositives(NamedTuple):
  """What an attack finds that may be wrong about few.

  Attributes:
    rate: the share of others that it may take for members.
    members: those that it finds, with the exact interval.
    others: those that it takes for members, at most `rate`, with the exact interval.
  """
  rate: float
  members: Share
  others: Share


class Membership(NamedTuple):
  """How well an attack tells members from others.

  Attributes:
    auc: the chance that a member scores higher than another, ties one half; .5 tells nothing.
    low: of its interval.
    high: of its interval.
    confidence: of every interval.
    members: how many there were.
    others: how many there were.
    found_at: what it finds at few false positives, the largest rate first.
  """
  auc: float
  low: float
  high: float
  confidence: float
  members: int
  others: int
  found_at: tuple[TruePositives, ...]

  def to_json(self) -> dict[str, Any]:
    """The same of JSON's types."""
    rows = [{'rate': x.rate, 'members': x.members._asdict(), 'others': x.others._asdict()}
            for x in self.found_at]
    return {**self._asdict(), 'found_at': rows}

  @classmethod
  def of_json(cls, values: Mapping[str, Any]) -> 'Membership':
    """What `to_json` wrote, whatever else stands beside it."""
    rows = tuple(TruePositives(x['rate'], Share(**x['members']), Share(**x['others']))
                 for x in values['found_at'])
    return cls(**{name: values[name] for name in cls._fields if name != 'found_at'},
               found_at=rows)


def membership(members: Any, others: Any, *, rates: Sequence[float] = RATES,
               confidence: float = .95) -> Membership:
  """Measures an attack by the scores that it gives.

  The area under the ROC curve is `P(member > other) + P(member = other) / 2`. At a rate `a` of
  false positives the attack names all whose score is above that of the `floor(a n) + 1`-st of `n`
  others: where `a n < 1`, all that score higher than every other. The average case says little of
  the worst: an attack that is sure of 1 % of the members is a breach at an area of .505.

  Args:
    members: scores `[M]` of examples that were learned from; the higher, the surer.
    others: scores `[N]` of examples of the same source that were not.
    rates: of false positives, in [0, 1).
    confidence: of the intervals.

  Raises:
    ValueError: no scores, scores of another rank or that are not finite, or a rate or a confidence
      out of range.

  Carlini et al. 2022, https://arxiv.org/abs/2112.03570, section 3.

  >>> x = membership(np.arange(100) + 9.5, np.arange(100))
  >>> print(f'{x.auc:.3f} in [{x.low:.3f}, {x.high:.3f}]; {x.found_at[0].members.value}')
  0.591 in [0.510, 0.665]; 0.11
  """
  inside, outside = _checked('members', members), _checked('others', others)
  if not all(0 <= rate < 1 for rate in rates):
    raise ValueError(f'rates={list(rates)}: expected shares of false positives in [0, 1)')
  value = area(inside, outside)
  low, high = area_interval(value, len(inside), len(outside), confidence)
  falling = np.sort(outside)[::-1]
  at = []
  for rate in rates:
    threshold = falling[int(rate * len(outside) * (1 + 1e-9))]  # .01 * 300 is a little below 3
    at.append(TruePositives(rate, *(
        clopper_pearson(int((x > threshold).sum()), len(x), confidence)
        for x in (inside, outside))))
  return Membership(value, low, high, confidence, len(inside), len(outside), tuple(at))


def area(members: np.ndarray, others: np.ndarray) -> float:
  """The area under the ROC curve, of ranks.

  That of `jax_privacy.auditing` is of the curve's convex hull, which chance alone lifts above .5.
  """
  from scipy import stats
  ranks = stats.rankdata(np.concatenate([members, others]))
  m, n = len(members), len(others)
  return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))


def area_interval(value: float, m: int, n: int, confidence: float = .95) -> tuple[float, float]:
  """An interval for an area under the ROC curve: all areas that the value does not refute.

  They are the areas `a` with `(value - a)^2 <= z^2 V(a)`,
  `V(a) = a (1 - a) (1 + k (1 - a) / (2 - a) + k a / (1 + a)) / (m n)`, `k = (m + n) / 2 - 1`:
  the variance of Hanley & McNeil, held against the area that is asked about; so the interval has a
  width at 0 and at 1 too.

  Args:
    value: the area, in [0, 1].
    m: members.
    n: others.
    confidence: about what it has.

  Returns:
    The least and the greatest.

  Raises:
    ValueError: a value or a confidence out of range, or no members or others.

  Newcombe 2006, Confidence intervals for an effect size measure based on the Mann-Whitney
  statistic, part 2, method 5.

  >>> print('{:.3f} {:.3f}'.format(*area_interval(1., 20, 20)))
  0.899 1.000
  """
  from scipy import optimize, special
  if not (0 <= value <= 1 and m > 0 and n > 0 and 0 < confidence < 1):
    raise ValueError(f'area {value} of {m} members and {n} others at confidence {confidence}: '
                     'expected an area in [0, 1], numbers above 0, a confidence in (0, 1)')
  z, k = float(special.ndtri(.5 + confidence / 2)), (m + n) / 2 - 1
  variance = lambda a: a * (1 - a) * (1 + k * (1 - a) / (2 - a) + k * a / (1 + a)) / (m * n)
  refuted = lambda a: (value - a) ** 2 - z ** 2 * variance(a)
  near = 1e-12  # the value itself is never refuted, but at 0 and 1 by no more than nothing
  low = optimize.brentq(refuted, 0, value - near) if value > near else 0.
  high = optimize.brentq(refuted, value + near, 1) if value < 1 - near else 1.
  return float(low), float(high)


def _checked(name: str, scores: Any) -> np.ndarray:
  x = np.asarray(scores, np.float64)
  if x.ndim != 1 or not x.size:
    raise ValueError(f'{name}: scores of shape {list(x.shape)}, expected [N], N > 0')
  if not np.isfinite(x).all():
    raise ValueError(f'{name}: {int((~np.isfinite(x)).sum())} of {x.size} scores are not finite')
  return x
