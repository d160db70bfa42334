"""Downstream training: settings, seeds, verdicts, studies, and the command."""
import json

import downstream as program
import numpy as np
import programs
import pytest
from scipy import stats

from jaxsynth import data, downstream, report
from jaxsynth.data.examples import Examples
from jaxsynth.downstream import accuracy, settings, studies, train, verdicts
from jaxsynth.downstream.settings import Setting
from jaxsynth.downstream.train import Recipe
from jaxsynth.models.classifier import Classifier
from jaxsynth.pages import downstream as page

NET = Classifier(10, (4,), blocks=0, features=16)


def outcome(*per_class):
  return {'accuracy': float(np.mean(per_class)), 'balanced_accuracy': float(np.mean(per_class)),
          'per_class': list(per_class)}


def digits(split='train', start=0, every=1):
  """Small digits: every other pixel of real ones."""
  source = data.mnist5k(split)
  images = np.ascontiguousarray(source.images[start::every, ::2, ::2])
  return Examples(split, images, source.labels[start::every])


def source(examples):
  return data.ArraySource.of(examples.images, examples.labels, 10)


@pytest.mark.long
def test_the_ways_to_train_seeds_together_are_equal():
  sources = [source(digits(start=i, every=50)) for i in (0, 1)]
  images = digits(every=400).images

  def logits(seeds, way):  # not weights: Adam's first steps are signs, of rounding where it is all
    classifiers = train.trained(sources, seeds, Recipe(4, 16, 1e-3, way), net=NET)
    return np.stack([p.logits for p in classifiers.predict(images)])
  turns, others = logits([3, 4], 'turns'), [logits([3, 4], way) for way in ('vmap', 'map')]
  for other in others:
    np.testing.assert_allclose(other, turns, atol=.02)
  assert np.abs(turns[0] - turns[1]).max() > .2
  alone = train.trained(sources[:1], [3], Recipe(4, 16, 1e-3, 'vmap'), net=NET)  # nothing to batch
  np.testing.assert_array_equal(alone.predict(images)[0].logits, turns[0])


class Steps:
  """A hook that keeps what it was called with."""

  def __init__(self):
    self.steps, self.closed = [], False

  def __call__(self, step, state, metrics):
    self.steps.append((step, int(state.step)))
    params, _ = train.weights_of(state)
    self.first = np.asarray(params['Dense_1']['bias'])

  def close(self):
    self.closed = True


def test_hooks_see_every_step_and_the_weights_that_are_returned():
  hook = Steps()
  classifiers = train.trained([source(digits(every=50))], [0], Recipe(4, 16, 1e-3), net=NET,
                              hooks=[hook])
  assert hook.steps == [(1, 1), (2, 2), (3, 3), (4, 4)] and hook.closed
  np.testing.assert_array_equal(classifiers.weights[0][0]['Dense_1']['bias'], hook.first)


def test_trainings_that_do_not_fit_are_refused():
  one, plain = source(digits(every=50)), data.ArraySource.of(digits(every=50).images)
  with pytest.raises(ValueError, match='arrays: no labels, so no classifier'):
    train.trained([plain], [0], Recipe(1, 4))
  with pytest.raises(ValueError, match='1 training sets for 2 seeds'):
    train.trained([one], [0, 1], Recipe(1, 4))
  with pytest.raises(ValueError, match='hooks with 2 seeds: expected one seed'):
    train.trained([one, one], [0, 1], Recipe(1, 4), hooks=[Steps()])


def test_a_subset_has_the_shares_of_the_whole_and_holds_the_smaller_ones():
  labels = np.repeat(np.arange(4), [500, 300, 150, 50])
  order = settings.stratified(labels, 0)
  assert sorted(order) == list(range(1000))
  for n in (20, 100, 333):
    counts = np.bincount(labels[order[:n]], minlength=4)
    assert (np.abs(counts - n * np.array([.5, .3, .15, .05])) <= 1).all()
  assert (order != settings.stratified(labels, 1)).any()


def test_auc_is_that_of_mann_whitney():
  random = np.random.default_rng(0)
  labels, score = random.integers(0, 2, 300), random.integers(0, 20, 300) / 20
  u = stats.mannwhitneyu(score[labels == 1], score[labels == 0]).statistic
  n = labels.sum() * (1 - labels).sum()
  assert accuracy.auc(labels, score) == pytest.approx(u / n)


def test_a_classifier_that_diverged_has_no_outcomes():
  with pytest.raises(ValueError, match='has diverged: lower --learning_rate'):
    accuracy.outcomes(np.array([0, 1]), np.array([[np.nan, np.nan], [.5, .5]]))


def test_the_interval_is_that_of_a_t_test():
  x = [.91, .93, .925, .94]
  low, high = stats.ttest_1samp(x, 0).confidence_interval(.95)
  assert verdicts.mean(x) == pytest.approx((np.mean(x), low, high))


@pytest.mark.parametrize('mixed, says', [
    ([.8, .81, .8], 'helps'), ([.5, .49, .5], 'hurts'), ([.7, .6, .8], 'no difference seen')])
def test_the_verdict_is_of_differences_by_seed(mixed, says):
  real = [outcome(x, .9) for x in (.70, .71, .69)]
  rows = verdicts.rows(
      {Setting(10): real, Setting(10, 5): [outcome(x, .9) for x in mixed],
       Setting(0, 20): [outcome(.2, .9)] * 3}, ['a', 'b'])
  against = rows[1]['against_real']
  assert against['verdict'] == says and against['suffers_most']['class'] == (
      'b' if says == 'helps' else 'a')
  assert 'against_real' not in rows[0]
  assert rows[2]['against_real']['verdict'] == 'hurts'


def test_a_class_without_examples_is_named():
  images = np.zeros((6, 8, 8, 1), np.uint8)
  few = Examples('few', images, np.array([0, 0, 0, 1, 1, 1], np.int32))
  with pytest.raises(ValueError, match='2 real: no example of fox'):
    settings.training_set(Setting(2), few, few, ('cat', 'dog', 'fox'), 0)


@pytest.fixture(scope='module')
def wrong():
  """Digits, each with the label of the next class."""
  examples = digits()
  examples = examples.take(settings.stratified(examples.labels, 5)[:200])
  return examples._replace(name='wrong', labels=(examples.labels + 1) % 10)


GIVEN = ('--real=mnist5k', '--image_size=14,14', '--sizes=60', '--parts=3', '--steps=30',
         '--batch_size=64', '--num=180')


@pytest.mark.long
def test_wrong_labels_hurt_and_the_command_goes_on_where_it_was(tmp_path, wrong, capsys):
  np.savez(tmp_path / 'wrong.npz', images=wrong.images, labels=wrong.labels)
  out = tmp_path / 'out'

  def run():
    programs.call(program, *GIVEN, f'--synthetic={tmp_path / "wrong.npz"}', f'--report={out}')
    return capsys.readouterr()
  assert 'done: ' in run().out
  result = json.loads((out / 'downstream.json').read_text())
  assert list(result) == ['recipe', 'seeds', 'classes', 'sets', 'versions', 'platform', 'flags',
                          'synthetic', 'settings', 'trts', 'left_out']
  assert {role: x['size'] for role, x in result['sets'].items()} == {
      'train': 4000, 'test': 500, 'synthetic': 180}
  flags = result['flags']
  assert flags['real_split'] is None and flags['validation_split'] == '' and 'split' not in flags
  assert flags['image_size'] == [14, 14] and flags['steps'] == 30 and flags['seeds'] == 3
  assert result['synthetic'] == {'kind': 'npz'} and result['left_out'] == []

  rows = {row['name']: row for row in result['settings']}
  assert list(rows) == ['180 synthetic', '180 synthetic, augmented', '60 real',
                        '60 real, augmented', '60 real + 180 synthetic']
  assert rows['60 real']['accuracy']['value'] > .5
  assert rows['60 real + 180 synthetic']['against_real']['verdict'] == 'hurts'
  assert rows['180 synthetic']['accuracy']['value'] < .1
  assert result['trts']['accuracy']['value'] < .2
  assert 'beside real ones hurt: 60 real + 180' in (out / 'report.html').read_text()
  assert page.read(out).heading == 'Downstream'

  kept = sorted((out / 'settings').iterdir())
  assert [p.name for p in kept] == ['0-180-augmented.json', '0-180.json', '60-0-augmented.json',
                                    '60-0.json', '60-180.json']
  times, before = [p.stat().st_mtime_ns for p in kept], (out / 'downstream.json').read_bytes()
  kept[-1].unlink()
  lines = run().err.splitlines()
  assert [p.stat().st_mtime_ns for p in kept][:-1] == times[:-1]  # read, not trained again
  assert kept[-1].stat().st_mtime_ns != times[-1]
  assert (out / 'downstream.json').read_bytes() == before
  assert lines[2].startswith('3/5 60 real: 0.') and lines[2].endswith('(0 s)')


def test_what_another_protocol_finished_is_not_taken(tmp_path):
  setting = Setting(10)
  studies._keep(tmp_path, {'seeds': [0], 'recipe': {'together': None}}, setting, {'outcomes': []})
  assert studies._kept(tmp_path, {'seeds': [0], 'recipe': {'together': None}}, setting) == {
      'outcomes': []}
  assert studies._kept(tmp_path, {'seeds': [1], 'recipe': {'together': None}}, setting) is None
  assert studies._kept(tmp_path, {}, Setting(10, 0, True)) is None
  assert studies._kept(None, {}, setting) is None


@pytest.mark.parametrize('change, message', [
    (lambda x: {'synthetic': x._replace(labels=None)}, 'no labels, so no classifier'),
    (lambda x: {'synthetic': x._replace(values=x.values[:, 1:])},
     r'images of \[13, 14, 1\], those of test are \[14, 14, 1\]'),
    (lambda x: {'synthetic': x._replace(labels=x.labels + 5)},
     'the classes of train and wrong do not fit: train has 0, 1, .*; wrong has 5, 6, .*, 14'),
    (lambda x: {'test': digits('test')._replace(class_names=tuple('0123456789')),
                'train': digits().take(np.flatnonzero(digits().labels < 9))},
     'train: no examples of 9, so no classifier can learn that; it has 0, .* 8, and the other'),
    (lambda x: {'synthetic': x._replace(labels=x.labels[1:])},
     r'labels int32\[199\], expected integers \[200\]'),
    (lambda x: {'test': digits('train', every=9)}, '445 of 445 images of train are in train too'),
    (lambda x: {'seeds': 3}, r'seeds=3: expected which, as range\(3\)'),
    (lambda x: {'sizes': ['some']}, 'sizes .*expected one or more positive numbers')])
def test_sets_that_do_not_fit_are_refused(wrong, change, message):
  given = {'train': digits(), 'test': digits('test'), 'synthetic': wrong, **change(wrong)}
  with pytest.raises(ValueError, match=message):
    downstream.study(**given)


@pytest.mark.parametrize('flags, message', [
    (['--sizes=none'], 'expected numbers, or all'),
    (['--parts=-1'], 'expected positive numbers'),
    (['--num=20'], '--num')])
def test_flags_are_checked(tmp_path, flags, message):
  assert message in programs.refused(program, f'--synthetic={tmp_path}', f'--report={tmp_path}',
                                     *flags)


def test_sets_that_a_study_cannot_use_are_named(tmp_path, wrong):
  np.savez(tmp_path / 'wrong.npz', images=wrong.images, labels=wrong.labels)
  np.savez(tmp_path / 'plain.npz', images=wrong.images)
  np.savez(tmp_path / 'few.npz', images=wrong.images, labels=wrong.labels % 9)

  def said(name, *flags):
    return programs.refused(program, *GIVEN, f'--synthetic={tmp_path / name}',
                            f'--report={tmp_path / "out"}', *flags)
  assert 'no labels' in said('plain.npz')
  assert '180 synthetic: no example of 9; take larger --sizes, or a synth' in said('few.npz')
  assert 'no split to learn from beside test' in said('wrong.npz', '--train_split=')
  with pytest.raises(FileNotFoundError, match='no downstream.json there'):
    page.read(tmp_path)


def test_arrays_are_examples_too_and_classes_are_numbered(wrong):
  """Floats are taken too; it stops where two synthetic examples lack eight classes."""
  with pytest.raises(ValueError, match='2 synthetic: no example of 2, 3, 4'):
    downstream.study((wrong.images, wrong.labels), digits('test'),
                     (wrong.images[:2].astype(np.float32) / 127.5 - 1, [0, 1]))


def test_a_section_of_any_page():
  rows = verdicts.rows(
      {Setting(0, 20): [outcome(.2, .9)], Setting(10): [outcome(.7, .9)],
       Setting(20): [outcome(.8, .9)], Setting(10, 5): [outcome(.5, .9)],
       Setting(20, 10): [outcome(.6, .9)]}, ['<b>', 'b'])
  result = {'settings': rows, 'seeds': [0], 'classes': ['<b>', 'b'], 'left_out': ['x'],
            'recipe': {'steps': 1, 'batch_size': 2}, 'platform': 'cpu',
            'versions': {'jaxsynth': '1', 'jax': '1'}, 'sets': {'test': {'size': 7}},
            'trts': {'name': '20 real', 'seeds': [{}], 'accuracy': {
                'value': .5, 'low': None, 'high': None}}}
  html = report.render(page.page(result))
  assert '&lt;b&gt;' in html and 'one seed, no interval' in html and 'Left out' in html
