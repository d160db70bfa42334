"""Series go through everything that images go through, and are shown, said and kept as such."""
import json
import subprocess
import sys

from common.experiments import HERE as PROGRAMS
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow_datasets as tfds
import tiers
import training

from jaxsynth import conditions, data, downstream, evaluation
from jaxsynth.data import analysis, examples, kinded, ruled
from jaxsynth.data.examples import Examples
from jaxsynth.evaluation.comparison import compare
from jaxsynth.evaluation.synthetic import Synthetic
from jaxsynth.kinds import pooling, recorded
from jaxsynth.kinds.series_kind import ranges, series
from jaxsynth.metrics import features
from jaxsynth.models.unet import UNet
from jaxsynth.pages import analysis as analysis_page, evaluation as evaluation_page
from jaxsynth.report import render

HEARTS = 'rule:heart{"length": 32, "rate": 20}'


def waves(n, seed=0, level=0.):
  rng = np.random.default_rng(seed)
  labels = np.arange(n) % 2
  time = np.arange(24) / 24 * 2 * np.pi * (1 + labels[:, None])
  values = np.sin(time + rng.random((n, 1))) + .1 * rng.normal(size=(n, 24)) + level
  return np.stack([values, 5 * values + 3], -1).astype(np.float32), labels


def test_a_model_sees_the_range_of_what_it_learns_from():
  values, labels = waves(50)
  source = kinded.of_series(values, labels, name='waves')
  kind = source.kind
  seen = kind.in_model(source.take(np.arange(50)))
  assert sorted(seen) == ['label', 'series'] and seen['series'].dtype == jnp.float32
  np.testing.assert_allclose(seen['series'].min((0, 1)), -1, atol=1e-6)
  np.testing.assert_allclose(seen['series'].max((0, 1)), 1, atol=1e-6)
  np.testing.assert_allclose(kind.on_disk(seen['series']), values, atol=1e-5)
  again = recorded.kind_of_record([24, 2], json.loads(json.dumps(kind.settings)), 2, ('a', 'b'))
  np.testing.assert_array_equal(again.on_disk(seen['series']), kind.on_disk(seen['series']))
  assert again.fields['label'].names == ('a', 'b') and again.condition == 'label'
  constant = ranges(np.ones((2, 3, 1)))
  assert constant == ((.5,), (1.5,))  # no division by 0


@pytest.mark.parametrize('values, labels, message', [
    (np.zeros((2, 3, 4, 1)), None, r'series of float64\[2, 3, 4, 1\], expected numbers'),
    (np.array([['a']]), None, 'expected numbers'),
    (np.zeros((0, 3)), None, 'N > 0'),
    (np.array([[1., np.nan], [0, 0]]), None, '1 of 2 series are not finite, the first is 0'),
    (np.zeros((2, 3)), [0], r'expected integers \[2\]'),
])
def test_what_is_no_series_is_refused(values, labels, message):
  with pytest.raises(ValueError, match=f'^mine: .*{message}'):
    kinded.of_series(values, labels, name='mine')


def test_kinds_that_cannot_be_are_refused():
  for shape, low, high, message in (
      ((3,), [0.], [1.], r'expected \(steps, channels\)'),
      ((3, 2), [0.], [1.], 'expected 2 numbers each'),
      ((3, 1), [1.], [1.], 'the first below the second')):
    with pytest.raises(ValueError, match=message):
      series(shape, low, high)
  with pytest.raises(ValueError, match="kind 'smell': expected image, series"):
    recorded.kind_of_record([3], {'kind': 'smell'})
  with pytest.raises(ValueError, match=r"the batch has \['a', 'b'\]: expected 'image', or one"):
    conditions.learned({'a': jnp.zeros(1), 'b': jnp.zeros(1)})


def test_images_are_the_first_kind():
  source = data.open_dataset(data.DatasetSpec('mnist5k', 'test'))
  kind, some = kinded.kind_of(source), source.take(np.arange(9))
  assert (kind.name, kind.plural, kind.shape, kind.settings, kind.words) == (
      'image', 'images', (28, 28, 1), {}, {})
  for name, x in data.to_float(some).items():
    np.testing.assert_array_equal(kind.in_model(some)[name], x)
  drawn = np.random.default_rng(0).uniform(-1.1, 1.1, (5, 28, 28, 1)).astype(np.float32)
  np.testing.assert_array_equal(kind.on_disk(drawn), data.to_uint8(drawn))
  np.testing.assert_array_equal(kind.shown(some), some['image'])
  assert kind.features('auto', True).name == 'mnist'


def test_parts_of_any_axis_are_averaged():
  x = np.random.default_rng(0).normal(size=(3, 12, 2))
  np.testing.assert_allclose(pooling.pooled(x, 4).reshape(3, 4, 2),
                             x.reshape(3, 4, 3, 2).mean(2), rtol=1e-5)
  np.testing.assert_allclose(pooling.pooled(x[:, 0], 1), x[:, 0], rtol=1e-6)


def test_features_of_series_know_motions_and_their_places():
  values, labels = waves(40)
  net = features.random_series(2)
  embedded = features.extract(net, values)
  assert embedded.shape == (40, net.width) and net.sha256 == features.random_series(2).sha256
  apart = np.linalg.norm(embedded[labels == 0].mean(0) - embedded[labels == 1].mean(0))
  spread = np.linalg.norm(embedded[labels == 0] - embedded[labels == 0].mean(0), axis=1).mean()
  assert apart > spread
  with pytest.raises(ValueError, match='expected auto, random or pixels'):
    features.of_series(2, 'mnist')
  with pytest.raises(ValueError, match=r'expected \[N, any, 2\]'):
    features.extract(net, values[..., :1])


def test_a_series_is_an_image_of_one_column_to_the_network():
  net = UNet((8, 8), heads=2, features=8)
  x, time = jax.random.normal(jax.random.key(0), (2, 21, 3)), jnp.array([.1, .7])
  params = net.init(jax.random.key(1), x, time, train=False)
  sizes = {v.shape[:2] for k, v in jax.tree_util.tree_leaves_with_path(params) if v.ndim == 4}
  assert sizes == {(3, 1)}
  moved = jax.tree.map(lambda v: v + .1, params)  # as it begins it gives zeros
  out = net.apply(moved, x, time, train=False)
  assert out.shape == x.shape and float(jnp.std(out)) > 0


def sets(n=400, level=0.):
  reference, labels = waves(n, 1)
  kind = kinded.of_series(reference, labels).kind
  as_examples = lambda name, seed, level=0.: Examples(
      name, *waves(n, seed, level), class_names=('slow', 'fast'), kind=kind)
  return [as_examples('real', 1), as_examples('train', 2), as_examples('made', 3, level)]


def test_scores_and_page_are_of_series():
  real, train, made = sets(level=.5)
  shifted = evaluation.score_arrays(made, real, net='pixels')
  comparison = compare(Synthetic(made, 2, {'kind': 'arrays'}), real, train=train)
  outcome = evaluation.evaluate(comparison, comparison.kind.features('auto', False))
  assert outcome.scores['frechet'].value > 5 * outcome.scores['frechet'].floor
  assert outcome.scores['pixel_mean'].value > 5 * outcome.scores['pixel_mean'].floor
  text = render(evaluation_page.page(comparison, outcome))
  assert 'Synthetic series' in text and 'image' not in text.split('<main')[-1].replace(
      'data:image', '').replace('image-rendering', '').replace('<image', '')
  good = evaluation.score_arrays(train, real, net='pixels')
  assert good['frechet'].value < shifted['frechet'].value / 3


def test_classifiers_learn_series():
  real, train, made = sets(200)
  recipe = downstream.Recipe(steps=30, batch_size=32)
  result = downstream.study(train, real, made, sizes=[100], parts=[1.], seeds=[0, 1],
                            recipe=recipe)
  assert result['settings'][0]['accuracy']['value'] > .9  # of synthetic ones alone
  assert result['words']['images'] == 'series'


def test_an_analysis_is_of_series():
  values, labels = waves(60)
  values[7] = 3  # constant
  both = {'train': kinded.of_series(values, labels),
          'test': kinded.of_series(values[:5], labels[:5])}
  result = analysis.analyze(both, pairs=20)
  said = [(f.where, f.text) for f in result.findings]
  assert ('train', '1 image of one value') in said and any('also in train' in x for _, x in said)
  text = render(analysis_page.page(result, both, 'waves', ('0', '1')))
  assert 'Series of 24 x 2' in text and 'each step of train' in text


def test_series_of_files(tmp_path):
  values, labels = waves(30)
  np.savez(tmp_path / 'waves.npz', series=values, labels=labels,
           class_names=np.array(['slow', 'fast']))
  source = data.open_dataset(data.DatasetSpec(str(tmp_path / 'waves.npz')))
  assert source.size == 30 and source.class_names == ('slow', 'fast')
  np.testing.assert_array_equal(source.take(np.array([4]))['series'][0], values[4])
  with pytest.raises(ValueError, match='holds series and no images'):
    data.open_dataset(data.DatasetSpec(str(tmp_path / 'waves.npz'), channels=1))
  whole = examples.read_split(data.DatasetSpec(HEARTS), 'test[:20]')
  assert whole.values.shape == (20, 32, 1) and whole.kind.name == 'series'


def test_a_rule_of_series_has_one_range_whatever_the_split():
  kinds = [ruled.rule_source(HEARTS, split).kind for split in ('train', 'test[5:]', 'endless')]
  assert kinds[0].settings == kinds[1].settings == kinds[2].settings
  with pytest.raises(ValueError, match='its examples are videos'):
    ruled.rule_source('rule:scenes{"frames": 2, "image_size": [16, 20]}', 'train')


FAMILIES = {
    'mnist_flow': ('--width=8', '--deep_width=8', '--hidden=8', '--heads=2'),
    'mnist_vae': ('--network=mlp', '--hidden=16', '--likelihood=learned_gaussian'),
    'series_flow': ('--width=8', '--layers=1', '--hidden=8', '--heads=2')}


@tiers.every('program', list(FAMILIES), ['mnist_vae'])
def test_from_training_to_a_data_set(tmp_path, program):
  """Stopped and gone on with it is the same run; tfds reads what it draws."""
  given = (f'--dataset={HEARTS}', '--split=train[:500]', '--conditional', '--eval_every=2',
           '--eval_split=test[:400]', '--eval_samples=300', '--num_synthetic=12',
           '--batch_size=8', *FAMILIES[program])
  for name, parts in (('whole', (4,)), ('parts', (2, 4))):
    for steps in parts:
      training.trained(tmp_path / name, *given, f'--steps={steps}', name=program)
  whole, parts = (np.load(tmp_path / name / 'synthetic.npz')['series'] for name in (
      'whole', 'parts'))
  np.testing.assert_array_equal(whole, parts)
  assert whole.shape == (12, 32, 1) and whole.dtype == np.float32
  subprocess.run([sys.executable, str(PROGRAMS / 'synthesize.py'), f'--run={tmp_path}/whole',
                  '--num=20', f'--out={tmp_path}/data', '--name=hearts'], check=True,
                 capture_output=True)
  drawn = tfds.data_source('hearts', split='train', data_dir=str(tmp_path / 'data'))
  assert drawn[0]['series'].shape == (32, 1) and drawn[0]['series'].dtype == np.float32
  source = data.open_dataset(data.DatasetSpec('hearts', data_dir=str(tmp_path / 'data')))
  assert source.kind.name == 'series' and source.class_names[0] == 'normal'
  np.testing.assert_array_equal(source.take(np.array([3]))['series'][0], drawn[3]['series'])
