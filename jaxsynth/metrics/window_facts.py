"""Stylised facts of windows of returns, beside the band of a block bootstrap of real windows."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics.stylised_facts import stylised

NEAR = 5  # lags of clustering and leverage, at most
NUMBERS = {
    'volatility': 'standard deviation of a return',
    'skewness': '0 if falls and rises are alike; below 0 falls are larger',
    'kurtosis': 'fourth moment less 3: 0 of a normal distribution, above 0 with heavy tails',
    'tail index': 'Hill, largest 5 % of |r|: near 6 of normal returns, near 3 of stocks',
    'autocorrelation': 'of returns, at lag 1: near 0 where nobody can foretell them',
    'clustering': 'autocorrelation of |r| at lags 1 to 5: above 0 where wild days follow wild days',
    'leverage': 'correlation of a return with the squares of the 5 after it: below 0 where falls '
    'make the days after them wild'}


class Fact(NamedTuple):
  """A number of synthetic windows beside real ones.

  Attributes:
    name: of `NUMBERS`.
    synthetic: its value.
    real: that of all real windows.
    low: the lower end of the band of resampled real windows.
    high: the upper.
  """
  name: str
  synthetic: float
  real: float
  low: float
  high: float

  @property
  def place(self) -> str:
    """`inside` the band, or `above` or `below` it."""
    return ('below' if self.synthetic < self.low else
            'above' if self.synthetic > self.high else 'inside')


def log_returns(prices: np.ndarray) -> np.ndarray:
  """`[N, T]` above 0 to `[N, T - 1]`.

  >>> log_returns(np.array([[1., 1., np.e]])).tolist()
  [[0.0, 1.0]]
  """
  x = np.asarray(prices, np.float64)
  if not (x > 0).all():
    raise ValueError(f'{(x <= 0).sum():,} of {x.size:,} prices are not above 0, and have no '
                     'logarithm')
  return np.diff(np.log(x), axis=1)


def numbers(returns: np.ndarray) -> dict[str, float]:
  """Each of `NUMBERS`, of all windows together; correlations are within windows.

  Windows of different volatility together have heavier tails, and more clustering, than each by
  itself: a window is too short to be measured alone. So such numbers are compared with those of
  real windows of the same length, and say little by themselves.

  Args:
    returns: `[N, T]`, T > 1.

  Raises:
    ValueError: as `stylised`.
  """
  lags = range(1, min(NEAR, np.shape(returns)[1] - 1) + 1)
  facts = stylised(returns, lags)
  return dict(zip(NUMBERS, (facts.std, facts.skewness, facts.kurtosis, facts.tail_index,
                            float(facts.autocorrelation[0]), float(facts.clustering.mean()),
                            float(facts.leverage.mean()))))


def beside(synthetic: Any, real: Any, *, block: int | None = None, resamples: int = 200,
           seed: int = 0) -> list[Fact]:
  """Each number of synthetic windows beside the 95 % band of real ones.

  A resample is as many blocks of neighbouring real windows as fill their number: neighbours
  overlap, and years of calm and of crises stay together (Kuensch 1989).

  Args:
    synthetic: log-returns `[M, T]`.
    real: log-returns `[N, T]` of windows in the order of time.
    block: windows of a block; by default 250, or a quarter of the windows if that is less.
    resamples: how many are drawn.
    seed: of the draws.

  Raises:
    ValueError: windows of another length, or as `stylised`.

  >>> rng = np.random.default_rng(0)
  >>> facts = beside(rng.normal(size=(500, 20)), rng.standard_t(3, (500, 20)))
  >>> {fact.name: fact.place for fact in facts}['kurtosis']
  'below'
  """
  synthetic, real = (np.asarray(x, np.float64) for x in (synthetic, real))
  if synthetic.ndim != 2 or synthetic.shape[1:] != real.shape[1:]:
    raise ValueError(f'returns {list(synthetic.shape)} and real ones {list(real.shape)}: expected '
                     '[N, T] of one length')
  block = max(1, min(250, len(real) // 4)) if block is None else block
  rng = np.random.default_rng(seed)
  many = -(-len(real) // block)
  drawn = [numbers(real[_blocks(rng.integers(0, len(real) - block + 1, many), block)])
           for _ in range(resamples)]
  ours, theirs = numbers(synthetic), numbers(real)
  bands = {name: np.quantile([x[name] for x in drawn], (.025, .975)) for name in NUMBERS}
  return [Fact(name, ours[name], theirs[name], *map(float, bands[name])) for name in NUMBERS]


def autocorrelations(returns: np.ndarray, lags: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
  """Of returns and of their sizes, `[L]` each, within windows `[N, T]`."""
  facts = stylised(returns, lags)
  return facts.autocorrelation, facts.clustering


def _blocks(begins: np.ndarray, block: int) -> np.ndarray:
  return (begins[:, None] + np.arange(block)).ravel()
