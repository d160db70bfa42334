"""Which stylised facts a series or a process has, and how it stands beside real returns."""
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from jaxsynth.metrics.fact_numbers import Measured

ALWAYS, CHANCE = .95, .25  # shares of the series


class Fact(NamedTuple):
  """A fact and the number it shows in.

  Attributes:
    name: of the fact.
    number: the name of the number, in `fact_numbers.NUMBERS`.
    side: where the number lies if the fact is there: `above` or `below` what noise gives, or
      `within` limits.
    text: what it says, in a sentence or two.
    low: the lower limit, of `within`.
    high: the upper.
  """
  name: str
  number: str
  side: Literal['above', 'below', 'within']
  text: str
  low: float = 0.
  high: float = 0.


FACTS = (
    Fact('nothing to foretell', 'autocorrelation', 'within',
         'The return of a day says nothing about that of the next: else it would be traded away. '
         'The autocorrelation at lag 1 is between -0.1 and 0.1, so that at most 1 % of the '
         'variance could be foretold.', -.1, .1),
    Fact('heavy tails', 'kurtosis', 'above',
         'Days far from the mean, crashes among them, are more frequent than a normal '
         'distribution allows. Its kurtosis is 0, here less 3 as usual.'),
    Fact('tails like a power', 'tail index', 'within',
         'The probability of a return beyond x falls like a power of x, and not like that of a '
         'normal distribution. Hill\'s estimate of the power, of the largest twentieth, is '
         'between 2 and 5; smaller is wilder. Of normal returns it is near 6.', 2., 5.),
    Fact('falls are larger than rises', 'skewness', 'below',
         'Prices crash, and do not leap up so: the third moment is below 0.'),
    Fact('sums become normal', 'kurtosis lost in 20 steps', 'above',
         'Returns of a month are nearer to a normal distribution than those of a day: the '
         'kurtosis of 20 steps together is less than that of a single step.'),
    Fact('wild days cluster', 'clustering', 'above',
         'Large moves follow large moves, of either sign. The autocorrelation of |r| over lags 1 '
         'to 20 is above 0 though that of r is not.'),
    Fact('clusters last', 'late clustering', 'above',
         'That autocorrelation falls slowly, like a power of the lag: at lags 80 to 100, after '
         'four months, some of it is left.'),
    Fact('leverage', 'leverage', 'below',
         'Falls are followed by wilder days than rises are: a return is negatively correlated '
         'with the squares of the 20 that follow it.'))


class Verdict(NamedTuple):
  """Whether a fact is there.

  Attributes:
    verdict: `yes` where at least 95 % of the series (or resamples) show it, `no` where at most
      25 % do, since heavy tails alone scatter more than noise; else `partly`.
    share: of the series that show it.
    low: the least number that counts as the fact, `-inf` if there is none.
    high: the largest, or `inf`.
  """
  verdict: Literal['yes', 'partly', 'no']
  share: float
  low: float
  high: float


class Beside(NamedTuple):
  """A number beside the 95 % band of the real one.

  Attributes:
    place: of the number.
    gap: from the nearer end of the band, with its sign; 0 inside.
  """
  place: Literal['inside', 'above', 'below']
  gap: float


def judge(measured: Measured, noise: Measured) -> dict[str, Verdict]:
  """Of each fact, whether it is there.

  Args:
    measured: a real series or a process.
    noise: `fact_numbers.of_noise` of the same length: beyond its 95 % band a fact is seen.

  Returns:
    Name of each of `FACTS` -> verdict.
  """
  return {fact.name: _verdict(fact, measured, noise) for fact in FACTS}


def beside(measured: Measured, real: Measured) -> dict[str, Beside]:
  """Of each number, where it is beside the band of the real one.

  >>> of = lambda values: Measured({'mean': float(np.mean(values))}, {'mean': values}, {}, {})
  >>> beside(of(np.array([5., 6.])), of(np.arange(5.)))['mean'].place
  'above'
  >>> beside(of(np.array([1., 2.])), of(np.arange(5.)))['mean']
  Beside(place='inside', gap=0.0)
  """
  return {name: _beside(value, *real.band(name)) for name, value in measured.values.items()}


def strength(fact: Fact, places: Mapping[str, Beside]) -> str:
  """How a process that has the fact has it beside the real series: in one word or two."""
  place = places[fact.number].place
  if place == 'inside':
    return 'as real'
  if fact.side == 'within':
    return f'{place} real'
  return 'stronger' if place == fact.side else 'weaker'


def _verdict(fact: Fact, measured: Measured, noise: Measured) -> Verdict:
  low, high = fact.low, fact.high
  if fact.side != 'within':
    least, most = noise.band(fact.number)
    low, high = (most, np.inf) if fact.side == 'above' else (-np.inf, least)
  values = measured.spread[fact.number]
  share = float(np.mean((values >= low) & (values <= high)))
  verdict: Literal['yes', 'partly', 'no'] = (
      'yes' if share >= ALWAYS else 'no' if share <= CHANCE else 'partly')
  return Verdict(verdict, share, low, high)


def _beside(value: float, low: float, high: float) -> Beside:
  if low <= value <= high:
    return Beside('inside', 0.)
  return Beside('above', value - high) if value > high else Beside('below', value - low)
