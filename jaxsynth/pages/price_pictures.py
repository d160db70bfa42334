"""Figures of stylised facts: memory, leverage, tails, sums and paths."""
from collections.abc import Mapping

import numpy as np

from jaxsynth.metrics.fact_numbers import LAGS, SPANS
from jaxsynth.metrics.fact_study import REAL, Subject
from jaxsynth.report import binned, curve, Figure, Section, strips

SHOWN = 2000  # steps of a path
WIDEST = 10.  # standard deviations of the histogram


def sections(subjects: Mapping[str, Subject]) -> list[Section]:
  """The sections of charts, in reading order."""
  return [
      Section('Clusters and leverage', '', [
          Figure(_curves(subjects, 'clustering', 'autocorrelation of |r|'),
                 'How much the size of a return says of the size of a later one. A line at 0 has '
                 'no memory; one that falls fast forgets within weeks.' + _band(subjects),
                 'Lines: autocorrelation of absolute returns by lag.'),
          Figure(_curves(subjects, 'leverage', 'correlation of r with later r²'),
                 'Below 0, falls are followed by wilder days than rises are.' + _band(subjects),
                 'Lines: correlation of returns with later squared returns, by lag.')]),
      Section('Tails and sums', '', [
          Figure(_tails(subjects), 'How often returns of each size occur (logarithmic), each '
                 'series by its own mean and deviation. A normal distribution is a parabola here; '
                 f'a heavy tail lies above it. What is beyond {WIDEST:g} is left out.',
                 'Histograms of standardised returns with a logarithmic axis.'),
          Figure(curve(np.array(SPANS), _lines(subjects, 'kurtosis'), x='steps together (log)',
                       y='kurtosis (log above 1)', log_x=True, log_y=True, marks=True),
                 'Kurtosis of the returns of several steps together: 0 is normal, and what falls '
                 'towards it becomes normal.'
                 + _band(subjects), 'Lines: kurtosis by the number of steps that are summed.')]),
      _paths(subjects)]


def _band(subjects: Mapping[str, Subject]) -> str:
  return ' Shaded: the 95 % band of the real line.' if REAL in subjects else ''


def _curves(subjects: Mapping[str, Subject], name: str, y: str) -> str:
  return curve(np.array(LAGS), _lines(subjects, name), x='lag, steps', y=y)


def _lines(subjects: Mapping[str, Subject], name: str) -> dict[str, object]:
  """Estimates, of the real series with their band."""
  lines: dict[str, object] = {}
  for subject, x in subjects.items():
    lines[subject] = x.measured.curves[name]
    if subject == REAL:
      low, high = np.quantile(x.measured.curve_spread[name], (.025, .975), axis=0)
      lines[subject] = (x.measured.curves[name], low, high)
  return lines


def _tails(subjects: Mapping[str, Subject]) -> str:
  edges = np.linspace(-WIDEST, WIDEST, 61)
  counts = {}
  for name, x in subjects.items():
    r = x.returns
    z = (r - r.mean(1, keepdims=True)) / r.std(1, keepdims=True)
    counts[name] = np.histogram(z, edges)[0]
  return binned(counts, edges, x='return, standard deviations', log=True)


def _paths(subjects: Mapping[str, Subject]) -> Section:
  """The end of a series of each, so that nobody has chosen it."""
  returns = {name: 100 * x.returns[0, -SHOWN:] for name, x in subjects.items()}
  items = []
  if len(subjects) > 1:
    items.append(Figure(
        strips(returns, y='return of a step, %'), 'Returns. Look for wild stretches beside calm '
        'ones, and for lone spikes.', 'Strips: returns of each, by step.', wide=True))
  prices = {name: np.cumsum(r) / 100 for name, r in returns.items()}
  least = min(map(len, prices.values()))
  items.append(Figure(
      curve(np.arange(least), {name: p[-least:] - p[-least] for name, p in prices.items()},
            y='logarithm of the price'), 'Prices of the same steps, from a common start. They '
      'part by chance, and hardly show which is real: that is why numbers are needed.',
      'Lines: logarithm of prices.'))
  return Section('Paths', f'The last {least:,} steps of the real series, and of the first series '
                 'of each process.' if REAL in subjects else
                 f'The last {least:,} steps of the first series of each process.', items)
