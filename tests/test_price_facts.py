"""Stylised facts of the rule `prices` against closed forms, or 10^6 steps by numpy."""
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize, stats

from jaxsynth.metrics.stylised_facts import kurtosis_of_sums, stylised
from jaxsynth.rules import rule
from jaxsynth.rules.distributions import Choice, Uniform
from jaxsynth.rules.prices import Prices, prices

DAY = 1 / 252
DEVIATION = .2 * DAY ** .5
SPEC = Prices(length=1001, volatility=Uniform(.2, .2), drift=Uniform(0., 0.))


def returns_of(process, n=1000, **values):
  """Log-returns and their standard deviations, float64 `[n, 1000]`: 10^6 by default."""
  spec = dataclasses.replace(SPEC, process=Choice((process,)), **{
      name: Uniform(x, x) for name, x in values.items()})
  keys = jax.random.split(jax.random.key(1), n)
  x = jax.jit(lambda k: rule.examples(prices(spec), k, jnp.zeros(n, int)))(keys)
  return (np.asarray(x[name], float)[..., 0] for name in ('returns', 'volatility'))


def hill_of(beyond, tail=.05):
  """Hill's index of a distribution whose |r| is above x with probability `beyond(x)`:
  1 / E[log(|r| / u) given |r| > u] = tail / integral of beyond(x) / x from u on."""
  u = optimize.brentq(lambda x: beyond(x) - tail, 1e-9, 1)
  return tail / integrate.quad(lambda x: beyond(x) / x, u, 100 * u, limit=500)[0]


def test_brownian_motion_has_the_tail_of_a_normal_distribution():
  """Its sums are normal too; the error of Hill's index is index / sqrt(tail n) = .03."""
  r, _ = returns_of('brownian')
  index = hill_of(lambda x: 2 * stats.norm.sf(x / DEVIATION))
  assert 5.9 < index < 6.1
  np.testing.assert_allclose(stylised(r).tail_index, index, atol=.1)
  assert abs(kurtosis_of_sums(r, 20)) < .1


def test_jumps_have_mertons_tail_and_no_memory():
  """|r| is of a mixture, by the number of jumps; kurtosis of sums is divided by their length."""
  rate, mean, std = 20 * DAY, -.03, .04
  r, _ = returns_of('jumps', jumps=20., jump_mean=mean, jump_std=std)
  counts = np.arange(8)
  weights = stats.poisson.pmf(counts, rate)
  centres = counts * mean - rate * mean
  scales = (DEVIATION ** 2 + counts * std ** 2) ** .5

  def beyond(x):
    return weights @ (stats.norm.sf((x - centres) / scales)
                      + stats.norm.cdf((-x - centres) / scales))
  facts = stylised(r)
  np.testing.assert_allclose(facts.tail_index, hill_of(beyond), rtol=.02)
  assert np.abs([facts.autocorrelation, facts.clustering, facts.leverage]).max() < .006
  np.testing.assert_allclose(kurtosis_of_sums(r, 20), facts.kurtosis / 20, atol=.15)


def test_asymmetric_garch_has_its_kurtosis_and_leverage():
  """With p = a + g / 2 + b, E[r^4] = 3 E[s^4] and E[s^4] = (w^2 + 2 w p v) / (1 - q), where v is
  the variance, w = v (1 - p), q = 3 (a^2 + a g + g^2 / 2) + 2 b (a + g / 2) + b^2; and a return's
  covariance with later squares falls as p^(k - 1) from -g E|z|^3 / 2 E[s^3], E|z|^3 = 1.5958."""
  a, g, b = .03, .1, .8
  p = a + g / 2 + b
  r, deviation = returns_of('garch', 2000, alpha=a, asymmetry=g, beta=b)
  facts = stylised(r, lags=(1, 6))
  q = 3 * (a ** 2 + a * g + g ** 2 / 2) + 2 * b * (a + g / 2) + b ** 2
  kurtosis = 3 * ((1 - p) ** 2 + 2 * (1 - p) * p) / (1 - q) - 3
  np.testing.assert_allclose(facts.kurtosis, kurtosis, rtol=.08)
  third = (deviation ** 3).mean() / DEVIATION ** 3
  first = -g * 1.5958 / 2 * third / (kurtosis + 2) ** .5
  np.testing.assert_allclose(facts.leverage, [first, first * p ** 5], atol=.005)
  assert np.abs(facts.autocorrelation).max() < .005


def reference_garch(steps, n, a, b):
  """`steps` by numpy in float64, `n` at once, of variance 1."""
  rng = np.random.default_rng(0)
  variance, r = np.ones(n), np.zeros((steps, n))
  for t in range(steps):
    r[t] = variance ** .5 * rng.normal(size=n)
    variance = 1 - a - b + a * r[t] ** 2 + b * variance
  return r.T


def test_garch_agrees_with_a_million_steps_of_another_implementation():
  """Of |r| and of Hill's index there is no closed form."""
  r, _ = returns_of('garch', alpha=.1, beta=.85)
  lags = (1, 5, 20)
  facts, reference = stylised(r, lags), stylised(reference_garch(1000, 1000, .1, .85), lags)
  np.testing.assert_allclose(facts.clustering, reference.clustering, atol=.01)
  np.testing.assert_allclose(facts.tail_index, reference.tail_index, rtol=.03)
  assert np.abs([facts.autocorrelation, facts.leverage]).max() < .02
  assert facts.clustering[0] > .1 and facts.tail_index < 5


def test_heston_has_its_stationary_variance_and_leverage():
  """The variance is of a gamma distribution, mean c and variance c x^2 / (2 k). Over a short
  step dt a return's correlation with the square of a later one, t on, is
  rho x sqrt(dt / c) exp(-k t) / sqrt(kurtosis + 2)."""
  k, x, rho, c = 5., .5, -.7, .04
  r, deviation = returns_of('heston', reversion=k, variation=x, correlation=rho)
  variance = deviation ** 2 / DAY
  np.testing.assert_allclose(variance.mean(), c, rtol=.02)
  np.testing.assert_allclose(variance.var(), c * x ** 2 / (2 * k), rtol=.06)
  lags = np.array([1, 20, 60])
  kurtosis = 3 * x ** 2 / (2 * k * c)
  expected = rho * x * (DAY / c) ** .5 * np.exp(-k * lags * DAY) / (kurtosis + 2) ** .5
  np.testing.assert_allclose(stylised(r, lags).leverage, expected, atol=.006)


@pytest.mark.parametrize('steps', [0, 30])
def test_sums_longer_than_a_series_are_refused(steps):
  with pytest.raises(ValueError, match=rf'steps={steps}: expected a whole number in \[1, 30\)'):
    kurtosis_of_sums(np.arange(30.), steps)
