"""Verdicts on known series, files of prices, and the program as a user runs it."""
import json

import evaluate_prices as program
import numpy as np
import programs
import pytest

from jaxsynth import report
from jaxsynth.data import price_file
from jaxsynth.metrics import fact_numbers, fact_study, fact_verdicts


def garch(n, steps, a=.15, g=0., b=.8, seed=0):
  rng = np.random.default_rng(seed)
  variance, r = np.ones(n), np.zeros((steps, n))
  for t in range(steps):
    r[t] = variance ** .5 * rng.normal(size=n)
    variance = 1 - a - g / 2 - b + (a + g * (r[t] < 0)) * r[t] ** 2 + b * variance
  return r.T


def test_verdicts_know_processes_apart():
  """Noise whose volatility differs from series to series has neither tails nor clusters."""
  rng = np.random.default_rng(0)
  processes = {'noise': rng.normal(size=(40, 3000)) * rng.uniform(.1, 9, (40, 1)),
               'garch': garch(40, 3000), 'asymmetric': garch(40, 3000, .02, .3, .8),
               'trend': np.cumsum(rng.normal(size=(40, 3000)), 1),
               'students': rng.standard_t(3, (40, 3000))}
  verdicts = {name: {fact: v.verdict for fact, v in x.verdicts.items()}
              for name, x in fact_study.compare(processes).items()}
  assert verdicts['noise'] == {'nothing to foretell': 'yes', **dict.fromkeys((
      'heavy tails', 'tails like a power', 'falls are larger than rises', 'sums become normal',
      'wild days cluster', 'clusters last', 'leverage'), 'no')}
  assert verdicts['garch']['wild days cluster'] == verdicts['garch']['heavy tails'] == 'yes'
  assert verdicts['garch']['leverage'] != 'yes' and verdicts['asymmetric']['leverage'] == 'yes'
  assert verdicts['trend']['nothing to foretell'] == 'no'
  for fact in ('heavy tails', 'tails like a power', 'sums become normal'):
    assert verdicts['students'][fact] == 'yes', fact
  assert verdicts['students']['wild days cluster'] == 'no'


def test_numbers_by_hand():
  """Returns 1 and -1 in turn are correlated by -1; every fiftieth is 2, for |r| to vary."""
  r = np.tile([1., -1.], 300)
  r[::50] *= 2
  x = fact_numbers.of_series(r[None])
  np.testing.assert_allclose(x.values['mean'], r.mean())
  np.testing.assert_allclose(x.values['volatility'], r.std())
  assert x.values['autocorrelation'] < -.9
  late = x.curves['clustering'][-5:].mean()
  np.testing.assert_allclose(x.values['late clustering'], late)
  np.testing.assert_allclose(x.values['clustering that lasts'],
                             late / x.curves['clustering'][:20].mean())


def test_the_bootstrap_scatters_as_series_do_and_does_not_thin_correlations():
  """The deviation over resamples of one series, mean of four, by that over 60 series."""
  series = garch(60, 5000, .08, .05, .85, seed=5)
  many = fact_numbers.of_series(series)
  real = [fact_numbers.of_real(r, resamples=60) for r in series[:4]]
  for name in ('volatility', 'clustering', 'autocorrelation', 'leverage', 'tail index'):
    deviation = np.mean([x.spread[name].std() for x in real])
    assert .6 < deviation / many.spread[name].std() < 1.5, name
  for x in real:
    np.testing.assert_allclose(x.spread['clustering'].mean(), x.values['clustering'], rtol=.12)


def test_strength_is_said_by_the_side_of_the_fact():
  tails, leverage, power = (next(x for x in fact_verdicts.FACTS if x.number == number)
                            for number in ('kurtosis', 'leverage', 'tail index'))
  for fact, place, said in ((tails, 'above', 'stronger'), (tails, 'below', 'weaker'),
                            (leverage, 'below', 'stronger'), (power, 'above', 'above real'),
                            (tails, 'inside', 'as real')):
    places = {fact.number: fact_verdicts.Beside(place, 0.)}
    assert fact_verdicts.strength(fact, places) == said


@pytest.fixture(name='prices')
def fixture_prices(tmp_path):
  """A csv of 700 days, the newest first, of known returns."""
  returns = .01 * garch(1, 699, seed=3)[0]
  path = tmp_path / 'prices.csv'
  write(path, 100 * np.exp(np.concatenate([[0.], np.cumsum(returns)]))[::-1])
  return path, returns


def write(path, values, times=None):
  """Rows of a date and a close; dates fall, a day at a time."""
  days = np.datetime64('2020-01-01') - np.arange(len(values))
  rows = [f'{day},{value}' for day, value in zip(days if times is None else times, values)]
  path.write_text('\n'.join(['date,close', *rows]))


def test_files_are_read_oldest_first(prices, tmp_path):
  path, returns = prices
  read = price_file.read(path)
  np.testing.assert_allclose(read.returns, returns, atol=1e-12)
  assert read.first == '2018-02-01' and read.last == '2020-01-01'
  np.savez(tmp_path / 'a.npz', r=returns[:, None], day=np.arange(699))
  np.testing.assert_array_equal(
      price_file.read(tmp_path / 'a.npz', 'r', returns=True).returns, returns)
  write(tmp_path / 'b.csv', np.exp(np.arange(600.) / 600), np.arange(600) / 7)
  np.testing.assert_allclose(price_file.read(tmp_path / 'b.csv').returns, 1 / 600)


@pytest.mark.parametrize('change, options, message', [
    ({}, {'column': 'open'}, "no column 'open', only date, close"),
    ({}, {'times': 'day'}, "no column 'day', only date, close"),
    ({7: 'n/a'}, {}, "line 9: close='n/a', expected a number"),
    ({7: ''}, {}, "line 9: close='', expected a number"),
    ({7: '0'}, {}, 'line 9: close=0, expected a price above 0'),
    ({7: 'nan'}, {}, 'line 9: close=nan, expected a price'),
    ({7: 'inf'}, {'returns': True}, 'line 9: close=inf, expected a finite number')])
def test_bad_values_are_named_by_their_line(tmp_path, change, options, message):
  values = ['5'] * 600
  for at, text in change.items():
    values[at] = text
  write(tmp_path / 'a.csv', values)
  with pytest.raises(ValueError, match=message):
    price_file.read(tmp_path / 'a.csv', **options)


@pytest.mark.parametrize('times, message', [
    ([*range(300), 298, *range(300, 599)], 'line 302: date=298 goes backwards'),
    ([*range(300), 299, *range(300, 599)], 'line 302: date=299 is there twice'),
    ([*range(600, 300, -1), 400, *range(299, 0, -1)], 'date=400 goes forwards, though'),
    (['yesterday'] * 600, "line 2: date='yesterday', expected a date")])
def test_times_out_of_order_are_refused(tmp_path, times, message):
  write(tmp_path / 'a.csv', [5] * 600, times)
  with pytest.raises(ValueError, match=message):
    price_file.read(tmp_path / 'a.csv')


def test_other_files_are_refused(tmp_path):
  (tmp_path / 'a.txt').write_text('1')
  (tmp_path / 'a.npz').write_text('1')
  (tmp_path / 'empty.csv').write_text('')
  (tmp_path / 'latin.csv').write_bytes(b'date,close\n\xff,1\n')
  np.savez(tmp_path / 'b.npz', close=np.ones((2, 600)))
  write(tmp_path / 'short.csv', [5] * 20)
  for name, message in (('a.txt', 'expected a .csv or an .npz'), ('a.npz', 'not an .npz file'),
                        ('b.npz', r"'close' is float64\[2, 600\], expected numbers \[T\]"),
                        ('empty.csv', "no column 'close', only none"),
                        ('latin.csv', 'not a table of text in UTF-8'),
                        ('short.csv', '20 values, expected at least 500')):
    with pytest.raises(ValueError, match=message):
      price_file.read(tmp_path / name)
  with pytest.raises(ValueError, match="no array 'price', only close"):
    price_file.read(tmp_path / 'b.npz', 'price')
  with pytest.raises(FileNotFoundError, match='no such file'):
    price_file.read(tmp_path / 'none.csv')


def test_the_program_beside_real_prices(prices, tmp_path, capsys):
  path, _ = prices
  given = (f'--real={path}', '--spec={"process": ["garch", "brownian"], "beta": 0.85}', '--num=20')
  programs.call(program, *given, f'--out={tmp_path / "a/b"}')
  text = (tmp_path / 'a/b/facts.json').read_text()
  facts = json.loads(text)
  assert list(facts['subjects']) == ['real', 'garch', 'brownian']
  assert facts['flags']['length'] == 699 == facts['flags']['spec']['length'] - 1
  assert str(tmp_path) not in text
  assert facts['subjects']['garch']['numbers']['kurtosis']['beside_real']['place']
  assert facts['subjects']['brownian']['numbers']['clustering that lasts'] is None
  said = capsys.readouterr().out
  assert 'wild days cluster' in said and 'done:' in said
  page = (tmp_path / 'a/b/report.html').read_text()
  for words in ('What a stylised fact is', 'prices.csv', 'Cont', 'as real', '<svg'):
    assert words in page, words
  assert str(tmp_path) not in page


def test_the_program_without_real_prices(tmp_path):
  given = ('--num=20', '--length=600', '--spec={"process": "jumps"}')
  texts = []
  for seed in (4, 4, 5):
    programs.call(program, *given, f'--seed={seed}', f'--out={tmp_path}')
    texts.append((tmp_path / 'facts.json').read_text())
  assert texts[0] == texts[1] != texts[2].replace('"seed": 5', '"seed": 4')
  page = (tmp_path / 'report.html').read_text()
  assert 'the processes stand alone' in page and 'as real' not in page
  assert list(json.loads(texts[0])['subjects']) == ['jumps']


@pytest.mark.parametrize('flags, message', [
    (['--spec={"length": 9}'], '--spec: length=9; say --length instead'),
    (['--spec={"process": "levy"}'], "'levy' is unknown"),
    (['--block=300'], '--block: only with --real'),
    (['--num=3'], r'num=3'), (['--length=99'], 'length=99'),
    (['--real=none.csv'], 'none.csv: no such file')])
def test_bad_flags_are_refused(tmp_path, flags, message):
  assert message in programs.refused(program, *flags, f'--out={tmp_path}')


def test_numbers_of_too_little_are_refused():
  for call, message in (
      (lambda: fact_numbers.of_series(np.ones((3, 20))), 'T at least 500'),
      (lambda: fact_numbers.of_series(np.ones(600)), r'expected \[N, T\]'),
      (lambda: fact_numbers.of_series(np.ones((2, 600))), 'all are equal'),
      (lambda: fact_numbers.of_real(np.arange(600.), block=50), 'more than the longest lag, 100'),
      (lambda: fact_numbers.of_real(np.arange(600.), block=301), 'half of the series, 300'),
      (lambda: fact_numbers.of_real(np.arange(600.), resamples=0), 'resamples=0')):
    with pytest.raises(ValueError, match=message):
      call()


@pytest.mark.parametrize('series, message', [
    ({'a': np.ones(3)}, '1 series, expected at least 2'),
    ({'a': np.ones(3), 'b': np.ones((2, 2))}, r"'b' of shape \[2, 2\], expected \[N\]")])
def test_strips_of_nothing_are_refused(series, message):
  with pytest.raises(ValueError, match=message):
    report.strips(series)
