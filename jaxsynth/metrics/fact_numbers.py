"""The numbers that stylised facts are judged by, of one series, with how far they scatter."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics.stylised_facts import kurtosis_of_sums, stylised

NEAR = tuple(range(1, 21))
FAR = tuple(range(80, 101, 5))
LAGS = (*NEAR, *range(25, 80, 5), *FAR)
SPANS = (1, 2, 5, 10, 20, 40, 60)  # steps that are summed
NUMBERS = ('mean', 'volatility', 'skewness', 'kurtosis', 'tail index', 'autocorrelation',
           'clustering', 'late clustering', 'clustering that lasts', 'leverage',
           'kurtosis of 20 steps', 'kurtosis lost in 20 steps')
CURVES = ('clustering', 'leverage', 'kurtosis')
SHORTEST = 500  # returns that a series has at least


class Measured(NamedTuple):
  """Numbers of a series or of a process that draws series.

  Attributes:
    values: name of `NUMBERS` -> estimate: of the series, or the median over a process's series.
    spread: name -> `[N]`, of each resample of the series, or of each series of the process.
    curves: name of `CURVES` -> estimates `[L]` at `LAGS`, of kurtosis `[S]` at `SPANS`.
    curve_spread: name -> `[N, L]` or `[N, S]`.
  """
  values: dict[str, float]
  spread: dict[str, np.ndarray]
  curves: dict[str, np.ndarray]
  curve_spread: dict[str, np.ndarray]

  def band(self, name: str) -> tuple[float, float]:
    """Between which 95 % of the `spread` of a number lies."""
    low, high = np.quantile(self.spread[name], (.025, .975))
    return float(low), float(high)


class _Row(NamedTuple):
  """Of one sample: `[len(NUMBERS)]`, and each curve."""
  numbers: np.ndarray
  clustering: np.ndarray
  leverage: np.ndarray
  kurtosis: np.ndarray


def of_series(series: Any) -> Measured:
  """Of a process: each series by itself, as a real one is measured.

  Args:
    series: log-returns `[N, T]`; series that differ in their volatility do not look like ones
      whose volatility changes, as nothing is pooled.

  Raises:
    ValueError: too short, not finite, or without any change.

  >>> noise = of_series(np.random.default_rng(0).normal(size=(20, 600)))
  >>> round(noise.values['volatility'], 1), noise.curves['clustering'].shape
  (1.0, (36,))
  """
  checked = _checked(series, 2)
  rows = [_row(r[None]) for r in checked]
  return _measured(_Row(*(np.median(x, 0) for x in zip(*rows))), rows)


def of_real(returns: Any, *, block: int | None = None, resamples: int = 400, seed: int = 0
            ) -> Measured:
  """Of the one series that there is: its spread is a block bootstrap's.

  A resample is as many blocks of neighbours as fill the series, drawn with replacement from all
  places. Correlations are within blocks, and so are not thinned by their seams: Kuensch 1989,
  The jackknife and the bootstrap for general stationary observations.

  Args:
    returns: log-returns `[T]`.
    block: returns of a block, above the longest lag; by default 500, or a quarter of the series
      if that is less.
    resamples: how many are drawn.
    seed: of the draws.

  Raises:
    ValueError: as `of_series`; or a block out of bounds, or no resamples.
  """
  r = _checked(returns, 1)
  block = min(500, len(r) // 4) if block is None else block
  if not LAGS[-1] < block <= len(r) // 2:
    raise ValueError(f'block={block}: expected more than the longest lag, {LAGS[-1]}, and at most '
                     f'half of the series, {len(r) // 2}')
  if resamples < 1:
    raise ValueError(f'resamples={resamples}: expected at least 1')
  rng = np.random.default_rng(seed)
  blocks = np.lib.stride_tricks.sliding_window_view(r, block)
  many = -(-len(r) // block)
  return _measured(_row(r[None]), [_row(blocks[rng.integers(0, len(blocks), many)])
                                   for _ in range(resamples)])


def of_noise(length: int, count: int = 200, seed: int = 0) -> Measured:
  """Of series that have no fact at all: independent normal returns, of variance 1.

  Args:
    length: T.
    count: how many series.
    seed: of the draws.
  """
  return of_series(np.random.default_rng(seed).normal(size=(count, length)))


def _checked(returns: Any, rank: int) -> np.ndarray:
  r = np.asarray(returns, np.float64)
  shape = '[T]' if rank == 1 else '[N, T]'
  if r.ndim != rank or not r.size or r.shape[-1] < SHORTEST:
    raise ValueError(f'returns {list(r.shape)}: expected {shape} with T at least {SHORTEST}')
  return r


def _row(returns: np.ndarray) -> _Row:
  facts = stylised(returns, LAGS)
  sums = np.array([kurtosis_of_sums(returns, span) for span in SPANS])
  near, far = len(NEAR), len(FAR)
  early, late = facts.clustering[:near].mean(), facts.clustering[-far:].mean()
  twenty = sums[SPANS.index(20)]
  return _Row(np.array([
      facts.mean, facts.std, facts.skewness, facts.kurtosis, facts.tail_index,
      facts.autocorrelation[0], early, late, late / early, facts.leverage[:near].mean(), twenty,
      facts.kurtosis - twenty]), facts.clustering, facts.leverage, sums)


def _measured(centre: _Row, rows: Sequence[_Row]) -> Measured:
  spread = _Row(*(np.array(x) for x in zip(*rows)))
  return Measured(dict(zip(NUMBERS, centre.numbers.tolist())),
                  dict(zip(NUMBERS, spread.numbers.T)),
                  dict(zip(CURVES, centre[1:])), dict(zip(CURVES, spread[1:])))
