"""Downstream training: settings, seeds, verdicts, and the command."""
import json
import pathlib
import subprocess
import sys

import downstream_page
import downstream_record
import downstream_sets
from downstream_sets import Setting
import downstream_train
import numpy as np
import pytest
from scipy import stats

from jaxsynth import data, report

ROOT = pathlib.Path(__file__).parent.parent
FLAGS = ['--real=mnist5k', '--sizes=60', '--parts=3', '--seeds=3', '--steps=30', '--batch_size=64',
         '--num=180']


def outcome(*per_class):
  return {'accuracy': float(np.mean(per_class)), 'balanced_accuracy': float(np.mean(per_class)),
          'per_class': list(per_class)}


def test_the_ways_to_train_seeds_together_are_equal():
  source = data.mnist5k('train')
  sources = [data.ArraySource.of(source.images[i::50], source.labels[i::50], 10) for i in (0, 1)]
  images = source.images[::400]

  def logits(seeds, way):  # not weights: Adam's first steps are signs, of rounding where it is all
    found = downstream_train.trained(sources, seeds, downstream_train.Recipe(3, 16, 1e-3, way))
    return np.stack([p.logits for p in found.predict(images)])
  turns, others = logits([3, 4], 'turns'), [logits([3, 4], way) for way in ('vmap', 'map')]
  for other in others:
    np.testing.assert_allclose(other, turns, atol=.02)
  assert np.abs(turns[0] - turns[1]).max() > .2


def test_a_subset_has_the_shares_of_the_whole_and_holds_the_smaller_ones():
  labels = np.repeat(np.arange(4), [500, 300, 150, 50])
  one = downstream_sets.order(labels, 0)
  assert sorted(one) == list(range(1000))
  for n in (20, 100, 333):
    found = np.bincount(labels[one[:n]], minlength=4)
    assert (np.abs(found - n * np.array([.5, .3, .15, .05])) <= 1).all()
  assert (one != downstream_sets.order(labels, 1)).any()


def test_auc_is_that_of_mann_whitney():
  random = np.random.default_rng(0)
  labels, score = random.integers(0, 2, 300), random.integers(0, 20, 300) / 20
  u = stats.mannwhitneyu(score[labels == 1], score[labels == 0]).statistic
  n = labels.sum() * (1 - labels).sum()
  assert downstream_sets.auc(labels, score) == pytest.approx(u / n)


def test_the_interval_is_that_of_a_t_test():
  x = [.91, .93, .925, .94]
  low, high = stats.ttest_1samp(x, 0).confidence_interval(.95)
  assert downstream_record.mean(x) == pytest.approx((np.mean(x), low, high))


@pytest.mark.parametrize('mixed, says', [
    ([.8, .81, .8], 'helps'), ([.5, .49, .5], 'hurts'), ([.7, .6, .8], 'no difference seen')])
def test_the_verdict_is_of_differences_by_seed(mixed, says):
  real = [outcome(x, .9) for x in (.70, .71, .69)]
  rows = downstream_record.record(
      {Setting(10): real, Setting(10, 5): [outcome(x, .9) for x in mixed],
       Setting(0, 20): [outcome(.2, .9)] * 3}, ['a', 'b'])
  against = rows[1]['against_real']
  assert against['verdict'] == says and against['suffers_most']['class'] == (
      'b' if says == 'helps' else 'a')
  assert 'against_real' not in rows[0]
  assert rows[2]['against_real']['verdict'] == 'hurts'


def test_a_class_without_examples_is_named():
  images = np.zeros((6, 8, 8, 1), np.uint8)
  one = downstream_sets.Set('few', images, np.array([0, 0, 0, 1, 1, 1], np.int32))
  with pytest.raises(ValueError, match=r'2 real: no example of class \[2\]'):
    downstream_sets.source(Setting(2), one, one, 3, 0)


def run(folder, synthetic, *flags):
  return subprocess.run([sys.executable, 'experiments/downstream.py', *FLAGS,
                         f'--synthetic={synthetic}', f'--report={folder}', *flags],
                        cwd=ROOT, text=True, capture_output=True)


def test_wrong_labels_hurt_and_the_command_goes_on_where_it_was(tmp_path):
  source = data.mnist5k('train')
  at = downstream_sets.order(source.labels, 5)[:200]
  np.savez(tmp_path / 'wrong.npz', images=source.images[at],
           labels=(source.labels[at] + 1) % 10)
  done = run(tmp_path / 'out', tmp_path / 'wrong.npz')
  assert done.returncode == 0, done.stderr
  found = json.loads((tmp_path / 'out/downstream.json').read_text())
  rows = {row['name']: row for row in found['settings']}
  assert list(rows) == ['180 synthetic', '60 real', '60 real, augmented',
                        '60 real + 180 synthetic']
  assert rows['60 real']['accuracy']['value'] > .5
  assert rows['60 real + 180 synthetic']['against_real']['verdict'] == 'hurts'
  assert rows['180 synthetic']['accuracy']['value'] < .1
  assert found['trts']['accuracy']['value'] < .2
  assert 'beside real ones hurt: 60 real + 180' in (tmp_path / 'out/report.html').read_text()

  first = tmp_path / 'out/settings/60-0.json'
  before = first.stat().st_mtime_ns, (tmp_path / 'out/downstream.json').read_bytes()
  (tmp_path / 'out/settings/60-180.json').unlink()
  again = run(tmp_path / 'out', tmp_path / 'wrong.npz')
  assert again.returncode == 0, again.stderr
  assert '2/4 60 real: 0.' in again.stderr and '(0 s)' in again.stderr
  assert (tmp_path / 'out/downstream.json').read_bytes() == before[1]


@pytest.mark.parametrize('flags, message', [
    (['--sizes=none'], 'expected numbers, or all'),
    (['--parts=-1'], 'expected positive numbers'),
    (['--num=20'], '--num')])
def test_flags_are_checked(tmp_path, flags, message):
  done = run(tmp_path, tmp_path, *flags)
  assert done.returncode == 1 and message in done.stdout + done.stderr
  assert 'Traceback' not in done.stderr


def test_data_without_labels_are_refused(tmp_path):
  np.savez(tmp_path / 'plain.npz', images=data.mnist5k('test').images[:150])
  done = run(tmp_path / 'out', tmp_path / 'plain.npz')
  assert done.returncode == 1 and 'no labels' in done.stdout + done.stderr


def test_a_section_of_any_page():
  rows = downstream_record.record(
      {Setting(0, 20): [outcome(.2, .9)], Setting(10): [outcome(.7, .9)],
       Setting(20): [outcome(.8, .9)], Setting(10, 5): [outcome(.5, .9)],
       Setting(20, 10): [outcome(.6, .9)]}, ['<b>', 'b'])
  result = {'settings': rows, 'seeds': [0], 'classes': ['<b>', 'b'], 'left_out': ['x'],
            'recipe': {'steps': 1, 'batch_size': 2}, 'platform': 'cpu',
            'versions': {'jaxsynth': '1', 'jax': '1'}, 'sets': {'test': {'size': 7}},
            'trts': {'name': '20 real', 'seeds': [{}], 'accuracy': {
                'value': .5, 'low': None, 'high': None}}}
  html = report.render(downstream_page.page(result))
  assert '&lt;b&gt;' in html and 'one seed, no interval' in html and 'Left out' in html
