"""Sections of a page on synthetic series: how values lie, how they follow, and which facts hold."""
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsynth.data.examples import Examples
from jaxsynth.data.kinded import kind_of
from jaxsynth.kinds.series_kind import columns_of
from jaxsynth.metrics.window_facts import autocorrelations, Fact, NUMBERS
from jaxsynth.report import curve, Figure, histograms, Section, Table
from jaxsynth.report.page import Cell, Mark

MOST = 6  # columns that are drawn
LAGS = 10
ROWS, CHANGES = 60_000, 4000  # values of a histogram, series of a correlation
HOW_FACTS = (
    'Log-returns are the logarithm of a price by the price a step before. The band is where the '
    'number lies in 95 % of what could have been real: blocks of neighbouring real windows, drawn '
    'with replacement. A number outside of it is one that the synthetic windows have wrong. '
    'Windows are short, so all are measured together: the tails of all days are heavier than those '
    'of one month.')


def sections(real: Examples, synthetic: Examples, facts: Mapping[str, Sequence[Fact]]
             ) -> list[Section]:
  """The sections, in reading order.

  Args:
    real: series, of a kind that names their columns.
    synthetic: of the same shape.
    facts: of each column of prices, `evaluation.of_series.facts`.
  """
  drawn = [Section(
      'How values lie and follow', _shown(real),
      [*_distributions(real, synthetic), *_memories(real, synthetic)])]
  if facts:
    drawn.append(Section('Stylised facts of log-returns', HOW_FACTS, [
        *(facts_table(name, of) for name, of in facts.items()),
        Table('What the numbers are', ['number', 'what it is'], list(map(list, NUMBERS.items())))]))
  return drawn


def answers(scores: Mapping[str, Mapping[str, Mapping[str, float | None]]],
            facts: Mapping[str, Sequence[Fact]]) -> list[tuple[str, Mark, str]]:
  """Questions of rules, copies and facts, as `pages.judges.answers` has those of judges.

  Rules are kept if at most a hundredth of the rows, above what real ones do, break them; partly if
  a tenth. There are no copies if their share is at most .01 above that of new real series.
  """
  value = lambda name, of: float(scores[name][of]['value'] or 0.)
  lines: list[tuple[str, Mark, str]] = []
  broken = [name for name in scores if name.startswith('rows that break ')]
  if broken:
    worst = max(broken, key=lambda name: value(name, 'synthetic') - value(name, 'real'))
    over = value(worst, 'synthetic') - value(worst, 'real')
    lines.append(('Do they keep the rules of real ones?', _mark(over, .01, .1),
                  f'{worst}: {100 * value(worst, "synthetic"):.2f} %, of real ones '
                  f'{100 * value(worst, "real"):.2f} %'))
  copied = [name for name in scores if name.startswith('near copies')]
  for name in copied:
    over = value(name, 'synthetic') - value(name, 'real')
    lines.append(('Are they new, and not copies of what was learned from?', _mark(over, .01, .05),
                  f'{name}: {100 * value(name, "synthetic"):.2f} %, of new real ones '
                  f'{100 * value(name, "real"):.2f} %'))
  if facts:
    every = [fact for of in facts.values() for fact in of]
    outside = sorted({fact.name for fact in every if fact.place != 'inside'})
    share = sum(fact.place != 'inside' for fact in every) / len(every)
    lines.append(('Do their returns behave like real ones?', _mark(share, .15, .5),
                  f'{sum(f.place == "inside" for f in every)} of {len(every)} numbers are in the '
                  'band of real ones' + (f'; not {", ".join(outside)}' if outside else '')))
  return lines


def facts_table(column: str, facts: Sequence[Fact]) -> Table:
  """A line a number: synthetic, real, its band, and where the synthetic one is."""
  mark = lambda fact: '▲ inside' if fact.place == 'inside' else f'▼ {fact.place}'
  rows: list[list[Cell]] = [[
      fact.name, _short(fact.synthetic), _short(fact.real),
      f'[{_short(fact.low)},\xa0{_short(fact.high)}]', mark(fact)] for fact in facts]
  return Table(f'Log-returns of {column}', ['number', 'synthetic', 'real', 'band of real ones',
                                            'synthetic is'], rows)


def _shown(real: Examples) -> str:
  columns = columns_of(kind_of(real))
  return '' if len(columns) <= MOST else (
      f'Of {len(columns)} columns {MOST} are drawn, evenly spaced in their order: '
      f'{", ".join(columns[k] for k in _some(len(columns)))}.')


def _some(count: int) -> list[int]:
  return sorted(set(np.linspace(0, count - 1, min(MOST, count)).round().astype(int).tolist()))


def _distributions(real: Examples, synthetic: Examples) -> list[Figure]:
  columns = columns_of(kind_of(real))
  return [_distribution(name, *(x.values[..., k].ravel() for x in (real, synthetic)))
          for k, name in enumerate(columns) if k in _some(len(columns))]


def _distribution(column: str, real: np.ndarray, synthetic: np.ndarray) -> Figure:
  """Over the range of the real values and a tenth more; what lies beyond is said."""
  low, high = real.min(), real.max()
  margin = (high - low) / 10
  inside = synthetic[(synthetic >= low - margin) & (synthetic <= high + margin)]
  beyond = 100 * (1 - inside.size / synthetic.size)
  thin = lambda x: x[::max(1, x.size // ROWS)]
  drawn = {'real': thin(real), **({'synthetic': thin(inside)} if inside.size else {})}
  return Figure(
      histograms(drawn, x=column), f'Values of {column}, of all steps. The line should follow the '
      'filled shape.' + (f' {beyond:.2g} % of the synthetic values lie beyond what is drawn.'
                         if beyond else ''), f'Histograms of {column}, real and synthetic.')


def _memories(real: Examples, synthetic: Examples) -> list[Figure]:
  """Autocorrelations of changes and of their sizes, averaged over all columns that change."""
  steps = real.values.shape[1] - 1
  lags = range(1, min(LAGS, steps - 1) + 1)
  if not len(lags):
    return []
  lines: list[dict[str, np.ndarray]] = [{}, {}]
  for name, examples in (('real', real), ('synthetic', synthetic)):
    changes = np.diff(examples.values[::max(1, len(examples.values) // CHANGES)].astype(
        np.float64), axis=1)
    every = [autocorrelations(x, lags) for x in np.moveaxis(changes, 2, 0) if x.std() > 0]
    if not every:
      return []
    for line, curves in zip(lines, zip(*every)):
      line[name] = np.mean(curves, 0)
  texts = ('changes', 'sizes of changes')
  return [Figure(
      curve(np.array(lags), line, x='lag, steps', y=f'autocorrelation of {text}'),
      f'How much {text} say of later ones, mean over the columns. The lines should be one.',
      f'Lines: autocorrelation of {text}, real and synthetic.') for line, text in zip(lines, texts)]


def _mark(value: float, good: float, bad: float) -> Mark:
  return 'good' if value <= good else 'bad' if value > bad else 'neutral'


def _short(x: float) -> str:
  return f'{x:.3g}'.replace('-', '−')
