"""Likelihoods of images, by hand and at the edges."""
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.losses import likelihoods

EVERY = pytest.mark.parametrize('likelihood', [
    likelihoods.bernoulli(), likelihoods.gaussian(.3), likelihoods.learned_gaussian(),
    likelihoods.discretised_logistic()], ids=['bernoulli', 'gaussian', 'learned', 'logistic'])


def test_a_coin_and_a_normal_by_hand():
  # output 0: p = 1/2, so each of two pixels costs log 2, whatever it is
  output, image = jnp.zeros((1, 2, 1, 1)), jnp.array([-1., .4]).reshape(1, 2, 1, 1)
  coin = likelihoods.bernoulli()
  np.testing.assert_allclose(coin.negative_log(output, image), [2 * np.log(2)], rtol=1e-6)
  assert coin.mean(output).tolist() == output.tolist()
  # mean tanh(0) = 0, std 1/2: (1 + .16) / (2 / 4) = 2.32, and 2 (log 1/2 + log(2 pi) / 2)
  normal = likelihoods.gaussian(.5)
  expected = 2.32 + 2 * (np.log(.5) + .5 * np.log(2 * np.pi))
  np.testing.assert_allclose(normal.negative_log(output, image), [expected], rtol=1e-6)
  # the same std, learned: softplus(s) = 1/2 - least
  learned = likelihoods.learned_gaussian(.1)
  both = jnp.concatenate([output, jnp.full_like(output, math.log(math.expm1(.4)))], -1)
  np.testing.assert_allclose(learned.negative_log(both, image), [expected], rtol=1e-5)


def test_levels_of_a_logistic_by_hand():
  # F(x) = sigmoid((x - .2) / e^-3); one level within, the darkest and the brightest
  half, image = 1 / 255, jnp.array([127 / 127.5 - 1, -1., 1.]).reshape(3, 1, 1, 1)
  below = lambda x: 1 / (1 + np.exp(-(x - .2) * np.exp(3.)))
  middle = 127 / 127.5 - 1
  expected = [below(middle + half) - below(middle - half), below(-1 + half), 1 - below(1 - half)]
  output = jnp.broadcast_to(jnp.array([.2, -3.]), (3, 1, 1, 2))
  nats = likelihoods.discretised_logistic().negative_log(output, image)
  np.testing.assert_allclose(nats, -np.log(expected), rtol=1e-4)


@pytest.mark.parametrize('mean, log_scale', [(0., -6.9), (-1.4, -2.), (.7, 3.), (0., -20.)])
def test_levels_have_all_the_mass(mean, log_scale):
  levels = (jnp.arange(256.) / 127.5 - 1).reshape(256, 1, 1, 1)
  output = jnp.broadcast_to(jnp.array([mean, log_scale]), (256, 1, 1, 2))
  nats = likelihoods.discretised_logistic().negative_log(output, levels)
  assert abs(float(jnp.sum(jnp.exp(-nats))) - 1) < 1e-3


@EVERY
def test_likelihoods_and_their_gradients_are_finite_far_out(likelihood):
  for size in (1e4, -1e4):
    output = jnp.full((1, 2, 1, likelihood.outputs), size).at[0, 0, 0, 0].multiply(-1)
    image = jnp.array([-1., 1.]).reshape(1, 2, 1, 1)
    value, gradient = jax.value_and_grad(lambda x: likelihood.negative_log(x, image)[0])(output)
    assert np.isfinite(value) and np.isfinite(gradient).all()
    assert np.abs(likelihood.mean(output)).max() <= 1


@EVERY
def test_samples_are_images_about_the_mean(likelihood):
  output = jnp.broadcast_to(jnp.array([.4, -3.][:likelihood.outputs]),
                            (4000, 1, 1, likelihood.outputs))
  drawn = likelihood.sample(jax.random.key(0), output)
  assert drawn.shape == (4000, 1, 1, 1) and float(jnp.abs(drawn).max()) <= 1
  assert abs(float(jnp.mean(drawn) - likelihood.mean(output[:1]).squeeze())) < .05
  assert float(jnp.std(drawn)) > .01


def test_what_does_not_fit_is_said():
  binary, grey = np.array([0, 255], np.uint8), np.arange(256, dtype=np.uint8)
  assert not likelihoods.bernoulli().misfit(binary)
  assert 'there are others, as 1: binarise' in likelihoods.bernoulli().misfit(grey)
  assert 'images of 2 grey levels alone' in likelihoods.learned_gaussian().misfit(binary)
  assert not likelihoods.learned_gaussian().misfit(grey)
  for make, value in ((likelihoods.gaussian, 0.), (likelihoods.learned_gaussian, np.inf)):
    with pytest.raises(ValueError, match='std=.*expected a number above 0'):
      make(value)


@EVERY
def test_one_image_that_is_no_number_is_seen_and_spoils_no_other(likelihood):
  output = jnp.zeros((3, 2, 1, likelihood.outputs))
  image = jnp.zeros((3, 2, 1, 1)).at[1, 0].set(jnp.nan)
  assert np.isnan(likelihood.negative_log(output, image)).tolist() == [False, True, False]
