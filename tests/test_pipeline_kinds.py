"""The pipeline of what are no images: its judges, its words, and a whole one of a tiny series."""
import json
import pathlib
import subprocess
import sys

from absl import flags
from common import experiments, verdict_file
from common.verdict_file import Answer, Verdict
import judge_series
import numpy as np
import pytest
from stages import answers, collected, figures, judging, page, result

from jaxsynth.data import fingerprint, kinded
from jaxsynth.data.value_moments import Levels, Numbers
from jaxsynth.pages import judges as judges_page, words
from jaxsynth.report import Code, Page, Section, Table
from test_pipeline_flags import values_of
from test_pipeline_stages import collection, options, table

ROOT = pathlib.Path(__file__).parent.parent
JUDGED = {'judges': ('judge_series',), 'judge_flags': ('--runs=2',)}
SERIES = {**collection(classes=()), 'names': [], 'kind': {
    'kind': 'series', 'low': [0.], 'high': [1.]}}
SERIES['sets']['train'] |= {'shapes': {'24x1': 40}, 'classes': None}


def score(synthetic, real, low=None, high=None):
  return {'synthetic': {'value': synthetic, 'low': low, 'high': high},
          'real': {'value': real, 'low': None, 'high': None}}


SCORES = {'discriminative': score(.02, .004), 'discriminative, 64 units': score(.4, .01, -.1, .5),
          'predictive': score(.044, .04), 'correlational': score(.3, .02)}


def test_judges_are_beside_classifiers_or_alone():
  both = table(options(**JUDGED), collection())['downstream']
  assert [args[0] for args in both.commands] == ['downstream.py', 'judge_series.py']
  alone = table(options(**JUDGED), SERIES, labelled=False)['downstream']
  (program, *args), = alone.commands
  assert program == 'judge_series.py' and not alone.why_not
  assert {'--synthetic=/o/data/synthetic/1.0.0', '--runs=2',
          '--report=/o/downstream/judge_series'} <= set(args)
  assert alone.outputs == ('downstream/judge_series/*.json', 'downstream/judge_series/report.html')
  none = table(options(), SERIES, labelled=False)['downstream']
  assert none.why_not == 'a classifier needs labels, and mnist5k has none; see --judges'


def test_a_judge_knows_the_flags_that_it_is_given():
  assert judging.names(experiments.HERE) == sorted(
      x.stem for x in (ROOT / 'experiments').glob('judge_*.py'))
  _, *args = table(options(**JUDGED), SERIES, labelled=False)['downstream'].commands[0]
  values = flags.FlagValues()
  judge_series.define_flags(values)
  assert values(['judge_series.py', *args]) == ['judge_series.py']


@pytest.mark.parametrize('args, message', [
    (('--judges=judge_dreams',), 'expected some of .*judge_series'),
    (('--judge_flags=runs=2',), '--judge_flags are of --judges, and there are none')])
def test_judges_that_are_none_are_refused(args, message):
  with pytest.raises(flags.Error, match=message):
    values_of('--out=/o', *args)


def test_commands_keep_their_words_on_a_page_of_series():
  command = Code('python a.py --dataset=/images/x.csv')
  section = Section('Images', 'No image.', [command])
  said = words.worded(Page('images', '', [section]), collected.kind_of(SERIES).words)
  assert said.sections[0] == Section('Series', 'No series.', [command])


def test_what_was_collected_says_its_kind():
  kind = collected.kind_of(SERIES)
  assert kind.name == 'series' and kind.shape == (24, 1) and kind.words['images'] == 'series'
  assert collected.kind_of(collection()).name == 'image'
  assert collected.kind_of(collection()).fields['label'].names == ('a', 'b')


def test_moments_of_numbers_are_numpys_and_leave_out_what_is_missing():
  rng = np.random.default_rng(0)
  values = rng.normal(1e6, 2., (300, 7)).astype(np.float32)
  values[::9, 2] = np.nan
  values[5, 0] = 0
  numbers = Numbers()
  for row in values:
    numbers.add(row)
  there = values[~np.isnan(values)].astype(np.float64)
  moments = numbers.moments()
  np.testing.assert_allclose([moments['mean'], moments['deviation']], [there.mean(), there.std()])
  assert (moments['least'], moments['greatest']) == (there.min(), there.max())
  assert moments['zero'] == 1 / there.size and Numbers().moments()['mean'] == 0
  levels = Levels()
  levels.add(np.array([0, 0, 4], np.uint8))
  assert levels.moments()['mean'] == pytest.approx(4 / 3)
  assert levels.moments()['zero'] == pytest.approx(2 / 3)


def test_series_are_fingerprinted():
  values = np.random.default_rng(0).normal(size=(20, 6, 2)).astype(np.float32)
  first = fingerprint.fingerprint(kinded.of_series(values, np.arange(20) % 2))
  assert first['shapes'] == {'6x2': 20} and first['classes'] == [10, 10]
  assert first['mean'] == pytest.approx(values.mean(dtype=np.float64))
  values[3, 1, 0] += 1e-6
  again = fingerprint.fingerprint(kinded.of_series(values, np.arange(20) % 2))
  assert again['sha256'] != first['sha256']


def test_a_judge_says_in_short_what_came_of_it(tmp_path):
  text = judges_page.sentence(SCORES)
  assert 'real ones at .020 (0 is best, .5 is worst; real ones from each other: .004), a larger ' \
         'one at .400 (real ones: ' in text
  assert 'error of .0440, who learns from real ones with .0400' in text
  told, foretold = judges_page.answers(SCORES)
  assert told[1] == 'bad' and '64 units: .400' in told[2]  # the most severe judge counts
  assert foretold[1] == 'good'
  milder = {**SCORES, 'discriminative, 64 units': score(.2, .01), 'predictive': score(.05, .04)}
  assert [x[1] for x in judges_page.answers(milder)] == ['neutral', 'neutral']
  by_heart = {**SCORES, 'discriminative, 64 units': score(.47, .48)}
  assert judges_page.answers(by_heart)[0][1:] == (
      'good', 'discriminative: .020, of real ones .004; .5 is always told')
  blind = {**by_heart, 'discriminative': score(.4, .4)}
  assert judges_page.answers(blind)[0][1] == 'neutral'
  rows = judges_page.table(SCORES, 5).rows
  assert rows[1][1] == '.4000 [.0000,\xa0.5000]' and rows[0][1] == '.0200'
  verdict = Verdict(text, [Answer(*told)], [judges_page.table(SCORES, 5)])
  verdict_file.write(tmp_path, verdict)
  again = verdict_file.read(tmp_path / 'verdict.json')
  assert again.sentence == text and again.answers == [Answer(*told)]
  assert again.tables[0].caption == verdict.tables[0].caption


def empty(**changed):
  return result.Results(*[{}] * 7, [], [], {}, {}, **changed)


def test_what_a_stranger_asks_is_answered_by_the_last_set():
  def scores(mark, value):
    names = ('frechet', 'density', 'recall', 'coverage', 'near_copies')
    return {'marks': dict.fromkeys(names, 'good') | {'density': mark},
            'scores': {name: {'value': value, 'floor': .25} for name in names}}
  results = empty(verdicts={'judge_series': Verdict('', [Answer('Is it?', 'neutral', 'x')], [])})
  results = results._replace(before=scores('good', .5), after=scores('bad', .75))
  rows = answers.table(results)[0].rows
  assert [row[1] for row in rows] == ['▼ no', '▲ yes', '▲ yes', '● partly']
  assert rows[0][2] == 'frechet 0.75 (real: 0.25), density 0.75 (real: 0.25)'
  assert answers.table(empty()) == []
  study = {'settings': [
      {'real': 0, 'synthetic': 9, 'accuracy': {'value': .5}, 'against_real': {'verdict': 'hurts'}},
      {'real': 9, 'synthetic': 0, 'accuracy': {'value': .75}}]}
  row, = answers.table(empty()._replace(downstream=study))[0].rows
  assert row[1] == '▼ no' and '50.0% of real test images, of real ones on 75.0%' in row[2]


def test_tables_of_judges_stand_on_the_page():
  mine = Table('mine', ['a'], [['b']])
  results = empty(verdicts={'judge_series': Verdict('It is so.', [], [mine])})
  assert figures.items_of('downstream', results) == [mine]
  assert results.sentence('downstream') == 'It is so.'
  assert results.came_out('downstream') == 'judge series'


@pytest.mark.long
def test_a_series_goes_through_all_stages(tmp_path):
  rng = np.random.default_rng(0)
  prices = np.exp(.01 * rng.normal(size=(1600, 2)).cumsum(0))
  lines = ['open,close', *(f'{a},{b}' for a, b in prices)]
  (tmp_path / 'prices.csv').write_text('\n'.join(lines))
  (tmp_path / 'train.flags').write_text('\n'.join((
      '--steps=3', '--width=4', '--deep_width=4', '--hidden=4', '--heads=0', '--batch_size=8')))
  out = tmp_path / 'out'
  command = [sys.executable, str(ROOT / 'experiments/pipeline.py'), '--experiment=mnist_flow',
             f'--dataset={tmp_path}/prices.csv', '--window=8', '--log_changes', f'--out={out}',
             f'--train_flags={tmp_path}/train.flags', '--num=200', '--filters=copies,duplicates',
             '--judges=judge_series', '--judge_flags=runs=1,steps=2']
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stdout + done.stderr
  text = (out / 'report.html').read_text()
  for what in ('What the numbers say of the synthetic series', 'Can a judge hardly tell them',
               'prices.csv has 1,273 series to learn from, without labels', 'Real series, drawn',
               'Synthetic series that passed the filters',
               'href="./downstream/judge_series/report.html">judge series</a>'):
    assert what in text, what
  assert 'images' not in text
  assert json.loads((out / 'preprocess/preprocess.json').read_text())['log_changes'] is True
  assert page.page(out).title.startswith('prices.csv')


@pytest.mark.long
def test_a_table_of_a_file_goes_through_all_stages(tmp_path):
  """Its synthetic rows are read by what wrote them, not by what the flags say of the file."""
  rng = np.random.default_rng(0)
  lines = ['size,kind,sold']
  for _ in range(1200):
    sold = rng.random() < .5
    size = 'NA' if rng.random() < .1 else f'{rng.normal(2. * sold):.3f}'
    lines.append(f'{size},{"ab"[int(rng.random() < .3 + .4 * sold)]},{"yes" if sold else "no"}')
  (tmp_path / 'sales.csv').write_text('\n'.join(lines))
  (tmp_path / 'train.flags').write_text('\n'.join((
      '--network=mlp', '--conditional', '--steps=20', '--batch_size=32')))
  out = tmp_path / 'out'
  command = [sys.executable, str(ROOT / 'experiments/pipeline.py'), '--experiment=mnist_vae',
             f'--dataset={tmp_path}/sales.csv', '--label_column=sold', f'--out={out}',
             f'--train_flags={tmp_path}/train.flags', '--num=200', '--filters=copies',
             '--downstream_sizes=all', '--downstream_parts=1', '--downstream_seeds=1',
             '--downstream_steps=5', '--judges=judge_table', '--judge_flags=runs=1']
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stdout + done.stderr
  text = (out / 'report.html').read_text()
  for what in ('What the numbers say of the synthetic rows', 'Rows by class',
               'Do they stand in for real rows in training?', 'Filters (copies):',
               'Can boosted trees hardly tell them from real rows?', '>judge table</a>'):
    assert what in text, what
  assert 'images' not in text
