"""The likelihood of images by importance samples, and the program that measures it."""
import functools
import json
import pathlib

import evaluate_likelihood
import jax.numpy as jnp
import linear_gaussian as known
import numpy as np
import pytest
import training

from jaxsynth import data, runs
from jaxsynth.data import binarize
from jaxsynth.metrics.likelihood import log_likelihood
from jaxsynth.pixels import scaled

FLAGFILES = pathlib.Path(__file__).parent.parent / 'experiments/flags'
IMAGES = np.random.default_rng(0).integers(0, 256, (12, *known.SHAPE), dtype=np.uint8)
MEASURE = functools.partial(known.networks().log_weights, known.likelihood())


def measured(params, images=IMAGES, **options):
  return log_likelihood(MEASURE, {'vae': params}, {'vae': {'encoder': {}, 'decoder': {}}}, images,
                        **options)


def test_it_is_the_exact_likelihood_of_a_model_that_has_one():
  """By the exact posterior with no error at all, by another within its errors and from below."""
  diagonal = {'kernel': jnp.array([[1., 0., .5, 0.], [0., 1., 0., -.5]]), 'bias': jnp.zeros(4)}
  params = {**known.parameters(), 'decoder': diagonal}
  exact = known.log_p(params, scaled(IMAGES))
  best = measured(known.with_posterior(params), samples=4, chunk=2)
  np.testing.assert_allclose(best.log_p, exact, atol=1e-4)
  np.testing.assert_allclose(best.elbo, exact, atol=1e-4)
  np.testing.assert_allclose(best.effective, 4, rtol=1e-3)
  near = known.with_posterior(params)
  near['encoder'] = {**near['encoder'], 'bias': near['encoder']['bias'] + .3}
  other = measured(near, samples=4000, chunk=500)
  np.testing.assert_allclose(other.log_p, exact, atol=.2)
  assert abs((other.log_p - exact).mean()) < .05
  assert (other.elbo < other.log_p - .01).all() and (other.effective < 3900).all()


def test_blocks_do_not_matter():
  params = known.parameters()
  a, b = (measured(params, samples=40, chunk=20, batch_size=n) for n in (5, 12))
  np.testing.assert_allclose(a.log_p, b.log_p, rtol=1e-5)
  assert measured(params, samples=40, chunk=20, seed=1).log_p[0] != a.log_p[0]


def test_an_image_without_a_likelihood_is_named():
  def broken(params, variables, batch, keys, count):
    return jnp.where(jnp.arange(len(keys)) == 2, jnp.nan, 0.)[None].repeat(count, 0)
  with pytest.raises(FloatingPointError, match='1 of 4 images have no finite .* first is 2'):
    log_likelihood(broken, {}, {}, IMAGES[:4], samples=2, chunk=2, batch_size=4)


@pytest.mark.parametrize('options, message', [
    (dict(samples=0), 'samples=0: expected at least 1'),
    (dict(samples=30, chunk=20), 'samples=30: expected a multiple of chunk=20'),
    (dict(images=IMAGES[:0]), 'no images')])
def test_what_cannot_be_measured_is_refused(options, message):
  with pytest.raises(ValueError, match=message):
    measured({}, **{'images': IMAGES, **options})


@pytest.fixture(scope='module')
def binary(tmp_path_factory):
  """Sixty binary digits in a file, and a run that learned from them."""
  folder = tmp_path_factory.mktemp('binary')
  batch = data.mnist5k('train').take(np.arange(0, 4000, 67))
  np.savez(folder / 'digits.npz', images=binarize.binarized(batch['image'], 0),
           labels=batch['label'])
  training.trained(folder / 'run', f'--dataset={folder / "digits.npz"}', '--steps=2',
                   '--network=mlp', '--prior=flow', '--prior_layers=2', '--prior_hidden=4',
                   '--bound=iwae', '--importance_samples=2', '--gradient=doubly',
                   '--conditional', name='mnist_vae')
  return folder


def program(monkeypatch, *given):
  values = evaluate_likelihood.flags.FlagValues()
  evaluate_likelihood.define_flags(values)
  values(['evaluate_likelihood', *map(str, given)])
  monkeypatch.setattr(evaluate_likelihood, 'FLAGS', values)
  evaluate_likelihood.main()


def test_the_program_writes_nats_with_how_they_were_measured(binary, tmp_path, monkeypatch,
                                                             capsys):
  program(monkeypatch, f'--run={binary / "run"}', f'--images={binary / "digits.npz"}', '--num=9',
          '--samples=6', '--chunk=3', f'--report={tmp_path}')
  found = json.loads((tmp_path / 'likelihood.json').read_text())
  assert 300 < found['nats'] < 700 and found['standard_error'] > 0  # near 784 log 2
  card = found['protocol']
  assert (card['samples'], card['images'], card['levels'], card['given']) == (6, 9, 2, 'label')
  assert len(card['sha256']) == 64 and 'over 9 images' in capsys.readouterr().out


def test_grey_images_have_no_bernoulli_likelihood(binary, tmp_path, monkeypatch):
  np.savez(tmp_path / 'grey.npz', images=np.full((4, 28, 28, 1), 7, np.uint8),
           labels=np.zeros(4, int))
  with pytest.raises(ValueError, match='there are others, as 7: binarise them'):
    program(monkeypatch, f'--run={binary / "run"}', f'--images={tmp_path / "grey.npz"}',
            f'--report={tmp_path / "out"}')
  assert not (tmp_path / 'out').exists()


def test_data_that_a_likelihood_does_not_fit_are_refused_before_any_work(binary, tmp_path):
  with pytest.raises(runs.RunError, match='Gaussian of learned variance .* 2 grey levels'):
    training.trained(tmp_path / 'run', f'--dataset={binary / "digits.npz"}',
                     '--likelihood=learned_gaussian', name='mnist_vae')
  assert not list((tmp_path / 'run').glob('checkpoints/*'))


@pytest.mark.parametrize('given, message', [
    ('--importance_samples=0', 'importance_samples'), ('--likelihood=laplace', 'likelihood'),
    ('--free_bits=-1', 'free_bits'), ('--dropout=1', 'expected less than 1')])
def test_flags_that_mean_nothing_are_refused(given, message):
  with pytest.raises(evaluate_likelihood.flags.Error, match=message):
    training.config_of(given, name='mnist_vae')


def test_pixels_are_drawn_once_and_for_all():
  grey = np.repeat(np.arange(256, dtype=np.uint8), 400).reshape(256, 400)
  drawn = binarize.binarized(grey, 5)
  assert set(np.unique(drawn)) == {0, 255} and drawn.dtype == np.uint8
  shares = (drawn > 0).mean(1)
  assert np.abs(shares - np.arange(256) / 255).max() < .11 and shares[0] == 0 and shares[255] == 1
  np.testing.assert_array_equal(drawn, binarize.binarized(grey, 5))
  for other in (binarize.binarized(grey, 6), binarize.binarized(grey, 5, 1)):
    assert .2 < (other != drawn).mean() < .5
  # a part of the pixels, in their order, has the same draws
  np.testing.assert_array_equal(binarize.binarized(grey[:9], 5), drawn[:9])
  for bad, message in (((grey.astype(float), 0), 'dtype float64'), ((grey, 0, -1), 'part=-1')):
    with pytest.raises(ValueError, match=message):
      binarize.binarized(*bad)


def test_draws_stay_what_they_are():
  """So that scores of before are of the same images."""
  drawn = binarize.binarized(np.full((4, 4), 100, np.uint8), 0)
  assert (drawn > 0).astype(int).tolist() == [
      [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]]


@pytest.mark.parametrize('path', sorted(FLAGFILES.glob('static_mnist_*.flags')),
                         ids=lambda path: path.stem)
def test_flagfiles_of_binary_digits_are_flags_of_the_program(path):
  config = training.config_of(f'--flagfile={path}', name='mnist_vae', tiny=False)
  assert config['network'] in path.stem
