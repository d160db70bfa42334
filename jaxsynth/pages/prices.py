"""Stylised facts of prices as a page: what they are, who has them, and the evidence."""
from collections.abc import Mapping
import json
from typing import Any

from jaxsynth.metrics.fact_numbers import NUMBERS
from jaxsynth.metrics.fact_study import lasting, REAL, Subject
from jaxsynth.metrics.fact_verdicts import Fact, FACTS, strength
from jaxsynth.pages import price_pictures as pictures
from jaxsynth.report import Note, Page, Section, Table
from jaxsynth.report.page import Cell

MEANING = {
    'mean': 'of the log-return r of a step',
    'volatility': 'standard deviation of r',
    'skewness': 'third moment of the standardised r; 0 if symmetric',
    'kurtosis': 'fourth moment less 3; 0 if normal',
    'tail index': 'Hill, largest 5 % of |r|; near 6 if normal',
    'autocorrelation': 'of r, at lag 1',
    'clustering': 'autocorrelation of |r|, mean of lags 1 to 20',
    'late clustering': 'the same at lags 80 to 100',
    'clustering that lasts': 'late clustering by clustering; a power of the lag with Cont\'s '
    'exponents, 0.2 to 0.4, leaves 0.61 to 0.37',
    'leverage': 'correlation of r with the square k steps later, mean of k = 1 to 20',
    'kurtosis of 20 steps': 'of overlapping sums of 20 returns',
    'kurtosis lost in 20 steps': 'of 1 step, less that of 20'}
PERCENT = ('mean', 'volatility')
FINE = ('autocorrelation', 'late clustering', 'leverage')  # three digits
PROCESS = {
    'brownian': 'Geometric Brownian motion: independent normal returns.',
    'garch': 'GARCH: the variance of a step follows from the last return and the last variance.',
    'heston': 'Heston: a variance that wanders and returns to its mean, tied to the returns.',
    'jumps': 'Jump diffusion: Brownian motion with normal jumps at random times.'}
WHAT = (
    'Stocks, indices and currencies rise and fall for different reasons, and yet their returns '
    'share a few habits, across markets and decades. Those habits are called stylised facts. R. '
    'Cont listed them in 2001 (Empirical properties of asset returns: '
    'stylized facts and statistical issues, Quantitative Finance 1, 223-236). A process that '
    'lacks one of them makes data from which no model can learn it: risks come out too small, or '
    'a wild day says nothing of the day after.\n\n'
    'Below, r is a log-return: the logarithm of a price by the price a step before. A step is '
    'that of the series, here mostly a day of trading.')
HOW = (
    'Each series of a process is measured by itself, as the real one is, so that series of '
    'different volatility do not look like changing volatility. A fact is there (yes) if at least '
    '95 % of the series show it beyond the 95 % band of independent normal returns of the same '
    'length, and not there (no) if at most 25 % do; between, the share is said.')


def page(subjects: Mapping[str, Subject], about: Mapping[str, Any]) -> Page:
  """The page of a comparison.

  Args:
    subjects: of `fact_study.compare`.
    about: `real`, the name of its file or None, `first` and `last`, its times or None, `spec`,
      and what else made the data.
  """
  sections = [
      Section('What a stylised fact is', WHAT, [Table(
          'The facts, by Cont', ['fact', 'what it says'], [[x.name, x.text] for x in FACTS])]),
      Section('Which has which', HOW, _verdicts(subjects)),
      Section('Numbers', '', _numbers(subjects)),
      *pictures.sections(subjects)]
  return Page('Stylised facts of prices', _lead(subjects, about), sections, _foot(subjects, about))


def verdict(subject: Subject, fact: Fact) -> str:
  """Whether the fact is there, and how strongly beside the real series, in a few words."""
  has = subject.verdicts[fact.name]
  if has.verdict == 'no':
    return 'no'
  text = 'yes' if has.verdict == 'yes' else f'in {100 * has.share:.0f} %'
  return f'{text}, {strength(fact, subject.places)}' if subject.places else text


def _lead(subjects: Mapping[str, Subject], about: Mapping[str, Any]) -> str:
  has = {name: sum(verdict_.verdict == 'yes' for verdict_ in x.verdicts.values())
         for name, x in subjects.items()}
  counts = ', '.join(f'{"the real series" if name == REAL else name} {"has " * (k == 0)}{count}'
                     for k, (name, count) in enumerate(has.items()))
  text = f'Of the {len(FACTS)} facts {counts}.'
  if REAL not in subjects:
    return f'{text}\n\nNo real series was given: the processes stand alone.'
  span = '' if about['first'] is None else f', {about["first"]} to {about["last"]}'.replace(
      '-', '\u2011')  # a date does not break
  return (f'{text}\n\nThe real series is {subjects[REAL].returns.shape[1]:,} returns of '
          f'{about["real"]}{span}.')


def _verdicts(subjects: Mapping[str, Subject]) -> list[Table | Note]:
  rows: list[list[Cell]] = []
  for fact in FACTS:
    mark = lambda x: {'yes': '▲ ', 'partly': '● ', 'no': '▼ '}[x.verdicts[fact.name].verdict]
    rows.append([fact.name, *(mark(x) + verdict(x, fact) for x in subjects.values())])
  caption = 'Facts that are there'
  if REAL in subjects:
    caption += ('; "as real" if the median of the process lies in the 95 % band of the real '
                'number, else weaker or stronger')
  return [Table(caption, ['fact', *subjects], rows),
          Table('The processes', ['process', 'what it is'],
                [[name, PROCESS[name]] for name in subjects if name in PROCESS])]


def _numbers(subjects: Mapping[str, Subject]) -> list[Table]:
  row = lambda name, cell, of: [_title(name), *(cell(x, name) for x in of.values())]
  tables = [Table(
      'Estimate and, in brackets, its 95 % band: of the real series by bootstrap; of a process '
      'the median and the band of its series', ['number', *subjects],
      [row(name, _cell, subjects) for name in NUMBERS])]
  beside = {name: x for name, x in subjects.items() if x.places}
  if beside:
    tables.append(Table(
        'How far the median of each process is from the nearer end of the real band',
        ['number', *beside], [row(name, _gap, beside) for name in NUMBERS]))
  tables.append(Table('What the numbers are', ['number', 'what it is'],
                      [[_title(name), MEANING[name]] for name in NUMBERS]))
  return tables


def _title(name: str) -> str:
  return f'{name}, %' if name in PERCENT else name


def _cell(subject: Subject, name: str) -> str:
  if name == 'clustering that lasts' and lasting(subject) is None:
    return 'n/a'
  low, high = (_short(x, name) for x in subject.measured.band(name))
  return f'{_short(subject.measured.values[name], name)} [{low},\xa0{high}]'


def _gap(subject: Subject, name: str) -> str:
  if name == 'clustering that lasts' and lasting(subject) is None:
    return 'n/a'
  place = subject.places[name]
  return 'inside' if place.place == 'inside' else (
      f'{_short(abs(place.gap), name)} {place.place}')


def _short(x: float, name: str) -> str:
  """With as many digits as the number is read with."""
  scale, digits = (100, 3) if name in PERCENT else (1, 3 if name in FINE else 2)
  return f'{round(scale * x, digits) + 0.:.{digits}f}'.replace('-', '−')  # no −0


def _foot(subjects: Mapping[str, Subject], about: Mapping[str, Any]) -> str:
  first = next(x for name, x in subjects.items() if name != REAL)
  return (f'{len(first.returns):,} series of {first.returns.shape[1]:,} returns of each process, '
          f'seed {about["seed"]}, by the rule prices of {json.dumps(about["spec"])}.\n\n'
          'The band of real numbers is a bootstrap of 400 draws of blocks of neighbouring returns. '
          'It cannot know of a crash that did not happen. All numbers are in facts.json.')
