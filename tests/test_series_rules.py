"""Series written down: prices against closed forms and a reference, beats against their label."""
import dataclasses

import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.metrics import stylised_facts
from jaxsynth.rules import rule, spec
from jaxsynth.rules.distributions import Choice, Uniform
from jaxsynth.rules.heart import CLASSES, Heart, heart
from jaxsynth.rules.prices import Prices, PROCESSES, prices

DAY = 1 / 252
# 20 % a year of all, so that every number below is of one process
FIXED = Prices(length=1001, volatility=Uniform(.2, .2), drift=Uniform(0., 0.))


def returns_of(of, n=1000, first=0):
  keys = jax.random.split(jax.random.key(first), n)
  x = jax.device_get(jax.jit(lambda k: rule.examples(prices(of), k, jnp.zeros(n, int)))(keys))
  np.testing.assert_allclose(np.diff(np.log(x['series'].astype(float)), axis=1), x['returns'],
                             atol=2e-5)
  return x['returns'][..., 0].astype(float), x['volatility'][..., 0].astype(float)


def one(name, **values):
  return dataclasses.replace(FIXED, process=Choice((name,)), **values)


def test_brownian_motion_has_normal_returns_of_its_volatility():
  """10^6 returns: means to 4 of their standard errors, that of a kurtosis being sqrt(24 / n)."""
  r, deviation = returns_of(one('brownian', drift=Uniform(.1, .1)))
  facts = stylised_facts.stylised(r)
  std = .2 * DAY ** .5
  np.testing.assert_allclose(deviation, std, rtol=1e-5)
  np.testing.assert_allclose(facts.std, std, rtol=.004)
  np.testing.assert_allclose(facts.mean, (.1 - .02) * DAY, atol=4 * std / 1000)
  assert abs(facts.kurtosis) < .02 and abs(facts.skewness) < .01
  assert np.abs([facts.autocorrelation, facts.clustering, facts.leverage]).max() < .005


@pytest.mark.long
def test_garch_has_its_kurtosis_and_its_memory():
  """Bollerslev 1986: kurtosis 3 (1 - p^2) / (1 - p^2 - 2 a^2) and autocorrelation of squares
  a (1 - p b) / (1 - 2 b p + b^2) p^(k - 1), p = a + b."""
  a, b = .08, .85
  r, deviation = returns_of(one('garch', alpha=Uniform(a, a), beta=Uniform(b, b)), 2000)
  p = a + b
  assert abs(r.std() / (.2 * DAY ** .5) - 1) < .01
  np.testing.assert_allclose((r / deviation).std(), 1, atol=.003)
  kurtosis = 3 * (1 - p ** 2) / (1 - p ** 2 - 2 * a ** 2) - 3
  np.testing.assert_allclose(stylised_facts.stylised(r[:, 200:]).kurtosis, kurtosis, rtol=.06)
  squares = stylised_facts.stylised(r[:, 200:] ** 2, lags=(1, 5, 20)).autocorrelation
  first = a * (1 - p * b) / (1 - 2 * b * p + b ** 2)
  np.testing.assert_allclose(squares, first * p ** np.array([0, 4, 19]), atol=.015)


@pytest.mark.long
def test_falls_raise_the_volatility_of_an_asymmetric_garch():
  r, _ = returns_of(one('garch', alpha=Uniform(.02, .02), beta=Uniform(.85, .85),
                        asymmetry=Uniform(.15, .15)))
  assert (stylised_facts.stylised(r, lags=(1, 5)).leverage < -.05).all()
  assert abs(r.std() / (.2 * DAY ** .5) - 1) < .02


def reference_heston(steps, parts, kappa, theta, xi, rho):
  """10^6 returns by numpy, with more parts to a step, in float64."""
  rng, n = np.random.default_rng(0), 1000
  dt = DAY / parts
  v = rng.gamma(2 * kappa * theta / xi ** 2, xi ** 2 / (2 * kappa), n)
  r = np.zeros((steps, n))
  for t in range(steps):
    for _ in range(parts):
      there = np.maximum(v, 0)
      dw, other = rng.normal(size=(2, n)) * dt ** .5
      r[t] += -there / 2 * dt + there ** .5 * dw
      dz = rho * dw + (1 - rho ** 2) ** .5 * other
      v += kappa * (theta - there) * dt + xi * there ** .5 * dz
  return r.T


def test_heston_agrees_with_closed_forms_and_a_finer_reference():
  """Of a day the kurtosis is nearly that of its variance, 3 var(v) / theta^2 = 3 xi^2 / (2 kappa
  theta), and that of squares falls as exp(-kappa t)."""
  kappa, xi, rho = 5., .5, -.7
  r, deviation = returns_of(one('heston'))
  excess = 3 * xi ** 2 / (2 * kappa * .04)
  facts = stylised_facts.stylised(r, lags=(1, 5, 20))
  finer = stylised_facts.stylised(reference_heston(1000, 8, kappa, .04, xi, rho), lags=(1, 5, 20))
  np.testing.assert_allclose([facts.kurtosis, finer.kurtosis], excess, rtol=.08)
  np.testing.assert_allclose(facts.std, .2 * DAY ** .5, rtol=.01)
  np.testing.assert_allclose(facts.clustering, finer.clustering, atol=.012)
  np.testing.assert_allclose(facts.leverage, finer.leverage, atol=.012)
  np.testing.assert_allclose(facts.tail_index, finer.tail_index, rtol=.03)
  assert (facts.leverage < -.01).all() and facts.clustering[0] > .05
  moving = deviation > 1e-3
  np.testing.assert_allclose((r[moving] / deviation[moving]).std(), 1, atol=.005)
  squares = stylised_facts.stylised(r ** 2, lags=(5, 25)).autocorrelation
  np.testing.assert_allclose(squares[1] / squares[0], np.exp(-kappa * 20 * DAY), atol=.08)


def test_jumps_have_mertons_moments():
  """Cumulants of a Poisson sum of normal jumps add to those of the motion."""
  rate, mean, std = 20., -.03, .04
  r, _ = returns_of(one('jumps', jumps=Uniform(rate, rate), jump_mean=Uniform(mean, mean),
                        jump_std=Uniform(std, std)), 2000)
  n = rate * DAY
  second, third, fourth = (n * x for x in (
      mean ** 2 + std ** 2, mean ** 3 + 3 * mean * std ** 2,
      mean ** 4 + 6 * mean ** 2 * std ** 2 + 3 * std ** 4))
  variance = .04 * DAY + second
  facts = stylised_facts.stylised(r)
  np.testing.assert_allclose(facts.std, variance ** .5, rtol=.01)
  np.testing.assert_allclose(facts.skewness, third / variance ** 1.5, rtol=.05)
  np.testing.assert_allclose(facts.kurtosis, fourth / variance ** 2, rtol=.05)
  np.testing.assert_allclose(np.exp(r).mean(), 1, atol=4 * variance ** .5 / 1400)


def test_hearts_beat_as_their_label_says():
  keys, labels = jax.random.split(jax.random.key(0), 400), jnp.arange(400) % 4
  x = jax.device_get(jax.jit(lambda k: rule.examples(heart(), k, labels))(keys))
  beats = (x['events'] > 0).sum(1) / 4 * 60  # a minute; of 4 seconds, so to 15
  for label, (low, high) in enumerate([(45, 110), (105, 185), (15, 65), (30, 110)]):
    of_label = beats[x['label'] == label]
    assert low <= of_label.mean() <= high and (of_label >= low - 15).all()
  early = (x['events'] == 2).any(1)
  assert (early[x['label'] == CLASSES.index('early beats')]).mean() > .95
  assert not early[x['label'] != CLASSES.index('early beats')].any()
  peaks = [np.abs(np.argmax(s[max(at - 10, 0):at + 10]) - min(at, 10)) for s, events in zip(
      x['series'][..., 0], x['events']) for at in np.flatnonzero(events)[1:-1]]
  assert np.mean(np.array(peaks) <= 1) > .95


@pytest.mark.parametrize('of', [prices(Prices(length=50)), heart(Heart(length=64))],
                         ids=['prices', 'heart'])
@pytest.mark.parametrize('platform', ['cuda', 'tpu'])
def test_series_need_no_host(of, platform):
  keys = jax.random.split(jax.random.key(0), 8)
  text = export.export(jax.jit(lambda k: rule.examples(of, k)), platforms=(platform,))(
      keys).mlir_module()
  assert 'callback' not in text and 'infeed' not in text
  x = rule.examples(of, keys)
  assert all(np.isfinite(np.asarray(value)).all() for value in x.values())


@pytest.mark.parametrize('kind, values, message', [
    (Prices, {'alpha': .3, 'beta': .8}, 'alpha=.*: expected alpha'),
    (Prices, {'jumps': 500}, 'jumps=.*: expected at most 252, one a step'),
    (Prices, {'process': 'levy'}, "'levy' is unknown; expected brownian"),
    (Prices, {'length': 1}, r'length=1: expected a whole number in \[2'),
    (Heart, {'rate': 1}, r'rate=1: expected a number in \[20, 1000\]'),
    (Heart, {'fast': [170, 120]}, 'fast=.*: an empty range'),
])
def test_bad_series_are_refused(kind, values, message):
  with pytest.raises(ValueError, match=message):
    spec.of_json(kind, values)
  assert spec.of_json(kind, spec.to_json(kind())) == kind()


@pytest.mark.parametrize('arguments, message', [
    ((np.array([1., np.nan]),), 'expected finite'), ((np.ones(30),), 'all are equal'),
    ((np.arange(9.),), r'lags .*: expected whole numbers in \[1, 9\)'),
    ((np.arange(9.), (1,), 0.), 'tail=0.0')])
def test_facts_of_nothing_are_refused(arguments, message):
  with pytest.raises(ValueError, match=message):
    stylised_facts.stylised(*arguments)


def test_every_process_has_its_place():
  assert set(PROCESSES) == set(Prices().process.names)
