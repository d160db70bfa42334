"""What judge_series.py finds out beside its judges: rules, copies, facts, motions, and its page."""
import json

from common.experiments import HERE as PROGRAMS
import numpy as np
import programs
import pytest

from jaxsynth import data
from jaxsynth.data.examples import Examples
from jaxsynth.evaluation import of_series
from jaxsynth.kinds.series_kind import series
from jaxsynth.metrics import column_rules, window_facts
from jaxsynth.pages import series_checks

COLUMNS = ('Low', 'Close', 'High')


def examples(values, name='x'):
  return Examples(name, values.astype(np.float32), kind=series(
      values.shape[1:], [0.] * 3, [100.] * 3, columns=COLUMNS))


def prices(n, seed, steps=12, day=.01, swing=.02):
  """Windows of a price that wanders, and the lowest and the highest of each day."""
  rng = np.random.default_rng(seed)
  close = 50 * np.exp(np.cumsum(day * rng.normal(size=(n, steps)), 1))
  spread = np.abs(swing * rng.normal(size=(2, n, steps)))
  return np.stack([close * np.exp(-spread[0]), close, close * np.exp(spread[1])], -1)


@pytest.mark.parametrize('text, wrong', [
    ('Low<=High', [False, True, False]), ('Low <= Close <= High', [False, True, True]),
    ('High<3', [False, True, True]), ('Close >= 0', [False, False, False]),
    ('Close==Low', [True, True, True]), ('Low > 0.5', [False, False, False])])
def test_rules_by_hand(text, wrong):
  values = np.array([[1., 2., 2.], [5., 4., 3.], [1., 4., 3.]])
  rule = column_rules.parsed(text, COLUMNS)
  assert column_rules.broken(rule, values, COLUMNS).tolist() == wrong


def test_rules_that_say_nothing_are_refused_and_rounding_is_forgiven():
  for text, message in (('Low', 'expected columns or numbers with <='),
                        ('Low<=Hihg', "'Hihg' is neither a number nor a column; there are Low")):
    with pytest.raises(ValueError, match=message):
      column_rules.parsed(text, COLUMNS)
  rule = column_rules.parsed('Low<=Close', COLUMNS)
  rows = np.array([[100.00005, 100., 0.], [100.01, 100., 0.], [np.nan, 1., 1.]])
  assert column_rules.broken(rule, rows, COLUMNS, 1e-6).tolist() == [False, True, True]
  assert column_rules.broken(rule, rows, COLUMNS).tolist() == [True, True, True]


def test_shares_of_rows_and_of_series_that_break_a_rule():
  real, broken = prices(50, 0), prices(50, 1)
  broken[:10, 3] = broken[:10, 3, ::-1]  # a step of every fifth series
  scores = of_series.rules(examples(real), examples(broken), ['Low<=High'])
  assert scores['rows that break Low<=High'] == (pytest.approx(10 / 600), 0.)
  assert scores['series that break Low<=High'] == (.2, 0.)


def test_facts_of_the_same_process_are_inside_and_of_another_outside():
  rng = np.random.default_rng(0)

  def windows(n, stride):
    """Of a series with tails, whose volatility is another every 50 steps."""
    long = np.repeat(np.exp(.4 * rng.normal(size=n // 50)), 50) * rng.standard_t(5, n)
    return np.lib.stride_tricks.sliding_window_view(long, 20)[::stride]
  real = windows(8000, 1)
  facts = {x.name: x for x in window_facts.beside(windows(80000, 20), real, resamples=60)}
  assert sum(x.place == 'inside' for x in facts.values()) >= len(facts) - 1
  assert facts['clustering'].real > .03 and facts['kurtosis'].low < facts['kurtosis'].high
  plain = {x.name: x.place for x in window_facts.beside(
      rng.normal(size=(3000, 20)), real, resamples=60)}
  assert plain['kurtosis'] == plain['clustering'] == 'below' and plain['tail index'] == 'above'
  with pytest.raises(ValueError, match='of one length'):
    window_facts.beside(np.ones((5, 3)), np.ones((5, 4)))
  with pytest.raises(ValueError, match='1 of 4 prices are not above 0'):
    window_facts.log_returns(np.array([[1., 2.], [0., 1.]]))


def test_copies_are_seen_at_another_level_and_new_ones_are_not_copies():
  """Half of the synthetic series are what was learned from, twice as high and hardly changed."""
  train, real, new = prices(400, 0), prices(300, 1), prices(100, 2)
  noise = np.random.default_rng(3).normal(size=(100, 12, 3))
  copied = np.concatenate([1.5 * train[:100] * (1 + 1e-4 * noise), new])
  score = of_series.copies(examples(real), examples(copied), examples(train))
  assert .5 <= score.synthetic < .54 and score.real < .04


def test_real_ones_in_their_place_are_those_learned_from_unless_these_are_judged():
  train, real = examples(prices(80, 0)), examples(prices(60, 1))
  apart = of_series.apart(real, train)
  assert apart.other is train.values and apart.real is real.values and not apart.are_halves
  for known in (None, real):
    halves = of_series.apart(real, known)
    both = np.concatenate(halves[:2])
    assert halves.are_halves and len(halves.real) == 30
    np.testing.assert_array_equal(np.sort(both.ravel()), np.sort(real.values.ravel()))


def test_motions_tell_the_same_from_others():
  real = examples(prices(600, 0))
  same, other = (of_series.motions(real, examples(x), of_series.apart(real, None)) for x in (
      prices(600, 1), prices(600, 1, day=.04)))
  (name,) = [x for x in same if x.startswith('Fréchet')]
  assert name == 'Fréchet, random_series_0'
  assert same[name].synthetic < 3 * same[name].real and other[name].synthetic > 5 * same[
      name].synthetic


def test_a_stranger_is_told_what_is_wrong():
  fact = window_facts.Fact('kurtosis', 1., 5., 4., 6.)
  share = lambda synthetic, real: {'synthetic': {'value': synthetic}, 'real': {'value': real}}
  answers = series_checks.answers({
      'rows that break Low<=Open': share(.3, 0.), 'rows that break Open<=High': share(.01, 0.),
      of_series.COPIES: share(.004, .003)}, {'Close': [fact]})
  assert [(mark, by) for _, mark, by in answers] == [
      ('bad', 'rows that break Low<=Open: 30.00 %, of real ones 0.00 %'),
      ('good', f'{of_series.COPIES}: 0.40 %, of new real ones 0.30 %'),
      ('bad', '0 of 1 numbers are in the band of real ones; not kurtosis')]


@pytest.mark.long
def test_by_the_program(tmp_path):
  close = 50 * np.exp(np.cumsum(.01 * np.random.default_rng(0).normal(size=900)))
  rows = np.stack([.98 * close, close, 1.01 * close], 1)
  np.savez(tmp_path / 'x.npz', values=rows, columns=COLUMNS)
  spec = data.DatasetSpec(str(tmp_path / 'x.npz'), window=6)
  made = data.open_dataset(spec).take(np.arange(100))['series']
  made[:, 2, 0] += 9
  np.savez(tmp_path / 'made.npz', series=made)
  module = programs.module_of(PROGRAMS / 'judge_series.py')
  given = (f'--real={tmp_path}/x.npz', '--window=6', f'--synthetic={tmp_path}/made.npz',
           f'--report={tmp_path}/report')
  few = ('--runs=2', '--steps=40', '--predictive_steps=20')
  programs.call(module, *given, *few, '--rule=Low<=Close', '--prices=Close', '--real_split=test')
  result = json.loads((tmp_path / 'report/judges.json').read_text())
  scores = result['scores']
  assert {'correlational', 'discriminative', 'discriminative, 64 units', 'predictive',
          of_series.COPIES, 'Fréchet, random_series_0'} <= set(scores)
  assert scores['series that break Low<=Close']['synthetic']['value'] == 1
  assert [x['name'] for x in result['facts']['Close']] == list(window_facts.NUMBERS)
  text = (tmp_path / 'report/report.html').read_text()
  assert 'Do they keep the rules of real ones?' in text and '▼ no' in text
  assert 'Log-returns of Close' in text and 'Values of Close' in text
  verdict = json.loads((tmp_path / 'report/verdict.json').read_text())
  assert len(verdict['answers']) == 5
  programs.call(module, *given, *few, '--real_split=all')
  assert of_series.COPIES not in json.loads(
      (tmp_path / 'report/judges.json').read_text())['scores']
  np.savez(tmp_path / 'short.npz', series=np.zeros((50, 5, 3)))
  assert 'series [5, 3], those of x.npz/all are [6, 3]' in programs.refused(
      module, *given[:2], f'--synthetic={tmp_path}/short.npz', given[3], '--real_split=all')
  assert 'no such column, only Low, Close, High' in programs.refused(
      module, *given, *few, '--prices=close', '--real_split=all')
