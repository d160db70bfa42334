"""What judges of synthetic series say, as a page."""
from collections.abc import Mapping, Sequence
from typing import Any

from jaxsynth.data.examples import Examples
from jaxsynth.pages import sheets
from jaxsynth.report import Page, Section, Table
from jaxsynth.report.page import Mark

SHOWN = 36  # series of a sheet
Scores = Mapping[str, Mapping[str, Mapping[str, float | None]]]  # of judges.json
TOLD_APART = 'discriminative'  # how the names of scores begin that are the better the lower
MEANINGS = {
    'discriminative': 'how well a recurrent network tells real from synthetic series: |accuracy - '
    '.5|, 0 where it guesses and .5 where it is always right',
    'predictive': 'the mean absolute error, in units of its range, in foretelling the last column '
    'of real series by a network that has learned from synthetic ones alone',
    'correlational': 'how far the correlations of the columns are from the real ones, all together '
    'divided by 10',
    'Fréchet': 'the Fréchet distance of features of whole series, by random convolutions that stay '
    'as they are; not the Context-Fréchet distance that others publish, whose network they train',
    'rows that break': 'the share of single steps at which the rule does not hold',
    'series that break': 'the share of series with one such step or more',
    'near copies': 'the share of series that are nearer in shape to one that was learned from than '
    'half of the new real series come; beside it that of the other half'}
TEXT = (
    'Real series that were learned from, in the place of synthetic ones, have the numbers of the '
    'second column: no generator can be expected to do better. Where they are among those that '
    'judges are tested on, halves of these are told apart instead. A discriminative score near .5 '
    'means that the synthetic series are known at sight; the network of the published scores is '
    'small, one of more units sees more.')


def sentence(scores: Scores) -> str:
  """What came of it.

  >>> score = lambda x: {'value': x, 'low': None, 'high': None}
  >>> sentence({'discriminative': {'synthetic': score(.1), 'real': score(.01)},
  ...           'predictive': {'synthetic': score(.038), 'real': score(.036)}})[:75]
  'Judges tell the synthetic series from real ones at .100 (0 is best, .5 is w'
  """
  apart, foretold = scores['discriminative'], scores['predictive']
  large = [x for name, x in scores.items() if name.startswith(f'{TOLD_APART},')]
  short = lambda of, whose, digits=3: _short(of[whose]['value'], digits)
  more = ''.join(f', a larger one at {short(of, "synthetic")} (real ones: {short(of, "real")})'
                 for of in large)
  return (f'Judges tell the synthetic series from real ones at {short(apart, "synthetic")} (0 is '
          f'best, .5 is worst; real ones from each other: {short(apart, "real")}){more}. Who '
          'learns from the synthetic series alone foretells real ones with an error of '
          f'{short(foretold, "synthetic", 4)}, who learns from real ones with '
          f'{short(foretold, "real", 4)}.')


def answers(scores: Scores) -> list[tuple[str, Mark, str]]:
  """Questions, how good the answer is, and its numbers: by the most severe judge that is fair.

  A judge that tells real series from each other above .25 knows them by heart, as few that overlap,
  and says nothing; where none is fair, the answer is partly. Hardly told apart is at most .05 above
  real ones, partly at most .25. As good for foretelling is an error of at most 1.1 times that after
  real ones, partly of at most 1.5 times.
  """
  apart = [name for name in scores if name.startswith(TOLD_APART)]
  value = lambda name, of: float(scores[name][of]['value'] or 0.)
  fair = [name for name in apart if value(name, 'real') <= .25]
  strict = max(fair or apart, key=lambda name: value(name, 'synthetic'))
  above = value(strict, 'synthetic') - value(strict, 'real')
  known: Mark = _mark(above, .05, .25) if fair else 'neutral'
  ratio = value('predictive', 'synthetic') / max(value('predictive', 'real'), 1e-9)
  return [
      ('Can a judge hardly tell them from real ones?', known,
       f'{strict}: {_short(value(strict, "synthetic"))}, of real ones '
       f'{_short(value(strict, "real"))}; .5 is always told'),
      ('Are real ones foretold as well by who learned from them?', _mark(ratio, 1.1, 1.5),
       f'predictive: {_short(value("predictive", "synthetic"), 4)}, after real ones '
       f'{_short(value("predictive", "real"), 4)}')]


def asked(lines: Sequence[tuple[str, Mark, str]]) -> Table:
  """The answers as a table."""
  words = {'good': '▲ yes', 'neutral': '● partly', 'bad': '▼ no'}
  return Table('What somebody asks who wants to use them', ['question', 'answer', 'by'],
               [[question, words[mark], by] for question, mark, by in lines])


def table(scores: Scores, runs: int) -> Table:
  """The scores with their intervals."""
  return Table(
      f'What was measured; of judges the means of {runs} trainings, in brackets 95 % intervals; '
      'lower is better', ['score', 'synthetic', 'real in their place'],
      [[name, _with_interval(of['synthetic']), _with_interval(of['real'])]
       for name, of in scores.items()])


def page(scores: Scores, runs: int, real: Examples, synthetic: Examples, about: str = '',
         sections: Sequence[Section] = (), also: Sequence[tuple[str, Mark, str]] = ()) -> Page:
  """The page.

  Args:
    scores: name -> `synthetic` and `real` -> `value`, `low` and `high`.
    runs: trainings of each judge.
    real: what was judged against.
    synthetic: what was judged, of the same kind.
    about: how it was made, for the foot.
    sections: more of them, before the series.
    also: further answers, as `answers` has them.
  """
  items = [table(scores, runs), Table('What they mean', ['score', 'meaning'], [
      [name, MEANINGS[name]] for name in MEANINGS if any(x.startswith(name) for x in scores)])]
  alike = synthetic._replace(kind=real.kind)  # drawn to one scale
  return Page(
      f'{synthetic.name} judged against {real.name}', sentence(scores),
      [Section('In a minute', '', [asked([*answers(scores), *also])]),
       Section('Scores', TEXT, items), *sections,
       Section('Series', '', [
           sheets.sheet(examples, subject, SHOWN, columns=6, scale=1)
           for examples, subject in ((real, 'Real series'), (alike, 'Synthetic series'))])],
      f'{len(real.values):,} real series and {len(synthetic.values):,} synthetic ones. {about}')


def _mark(value: float, good: float, bad: float) -> Mark:
  return 'good' if value <= good else 'bad' if value > bad else 'neutral'


def _short(value: Any, digits: int = 3) -> str:
  return f'{value:.{digits}f}'.removeprefix('0')


def _with_interval(score: Mapping[str, float | None]) -> str:
  text = _short(score['value'], 4)
  if score['low'] is None:
    return text
  return f'{text} [{_short(max(score["low"], 0.), 4)},\xa0{_short(score["high"], 4)}]'
