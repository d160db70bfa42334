"""Paths, predictions and solvers of flows, on data whose flow is known."""
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.losses import flow, paths
from jaxsynth.losses.flow import Ends
from jaxsynth.metrics.flow_likelihood import log_likelihood
from jaxsynth.objectives import solvers

PATHS = {'rectified': paths.rectified(), 'variance_preserving': paths.variance_preserving(),
         'edm': paths.edm()}
EVERY = pytest.mark.parametrize('name', PATHS)
PREDICTIONS = {'velocity': flow.VELOCITY, 'noise': flow.NOISE, 'data': flow.DATA,
               'preconditioned': flow.preconditioned(.4)}
INSIDE = jnp.array([.1, .37, .5, .81, .95])
MEAN, STD = jnp.array([.3, -.2]), .4  # of the data whose flow is known


def exact(path):
  """The field of normal data, by the rules of joint normals."""
  def field(x, t):
    alpha, sigma = path.alpha(t), path.sigma(t)
    unit = (x - alpha * MEAN[None]) / ((alpha * STD) ** 2 + sigma ** 2)
    return Ends(MEAN[None] + alpha * STD ** 2 * unit, sigma * unit)
  return field


def carried(path, x):
  """Where the exact flow takes noise: a flow of normals to normals in one map."""
  alpha, sigma = path.alpha(jnp.zeros(())), path.sigma(jnp.zeros(()))
  return MEAN[None] + STD * (x - alpha * MEAN[None]) / jnp.hypot(alpha * STD, sigma)


@EVERY
def test_time_runs_from_noise_to_data(name):
  path, ends = PATHS[name], jnp.array([0., 1.])
  alpha, sigma = path.alpha(ends), path.sigma(ends)
  assert alpha[1] == 1 and sigma[1] == 0
  assert alpha[0] / sigma[0] <= 1 / 80 + 1e-6
  assert jnp.all(jnp.diff(paths.signal_to_noise(path, INSIDE)) > 0)
  if name == 'variance_preserving':
    np.testing.assert_allclose(path.alpha(INSIDE) ** 2 + path.sigma(INSIDE) ** 2, 1, atol=1e-6)


@EVERY
def test_rates_are_the_derivatives(name):
  h = 1e-2
  for f, rate in zip(PATHS[name][:2], paths.rates(PATHS[name], INSIDE)):
    np.testing.assert_allclose(rate, (f(INSIDE + h) - f(INSIDE - h)) / (2 * h), rtol=1e-3,
                               atol=1e-3)


@EVERY
@pytest.mark.parametrize('steps', [1, 2, 7])
def test_times_rise_from_noise_to_data(name, steps):
  times = PATHS[name].times(steps)
  assert times.shape == (steps + 1,) and times[0] == 0 and times[-1] == 1
  assert jnp.all(jnp.diff(times) > 0)


@EVERY
@pytest.mark.parametrize('kind', PREDICTIONS)
def test_data_and_noise_follow_from_every_prediction(name, kind):
  path, prediction = PATHS[name], PREDICTIONS[kind]
  ends = Ends(*jax.random.normal(jax.random.key(0), (2, 5, 3)))
  x = paths.mixed(path, *ends, INSIDE)
  again = flow.ends(path, prediction, x, flow.target(path, prediction, ends, INSIDE), INSIDE)
  np.testing.assert_allclose(again.data, ends.data, atol=2e-4)
  np.testing.assert_allclose(again.noise, ends.noise, atol=2e-4)


@EVERY
@pytest.mark.parametrize('measured', PREDICTIONS)
@pytest.mark.parametrize('kind', PREDICTIONS)
def test_a_weight_turns_an_error_into_that_of_another_prediction(name, kind, measured):
  path, prediction, other = PATHS[name], PREDICTIONS[kind], PREDICTIONS[measured]
  ends, wrong = (Ends(*jax.random.normal(jax.random.key(k), (2, 5, 1))) for k in (0, 1))
  x = paths.mixed(path, *ends, INSIDE)
  output = flow.target(path, prediction, wrong, INSIDE)
  meant = flow.ends(path, prediction, x, output, INSIDE)  # of which x_t is made
  error = lambda p, a, b: (flow.target(path, p, a, INSIDE) - flow.target(path, p, b, INSIDE)) ** 2
  weight = flow.weight(path, prediction, other, INSIDE)[:, None]
  np.testing.assert_allclose(weight * error(prediction, meant, ends), error(other, meant, ends),
                             rtol=1e-2)


def test_preconditioning_is_edms():
  """Table 1 of the paper, from its own c_skip, c_out, c_in, c_noise and weight."""
  path, s = PATHS['edm'], .4
  prediction, sigma = flow.preconditioned(s), path.sigma(INSIDE)
  c_skip, c_out = s ** 2 / (sigma ** 2 + s ** 2), sigma * s / jnp.sqrt(sigma ** 2 + s ** 2)
  np.testing.assert_allclose(path.clock(INSIDE), jnp.log(sigma) / 4, rtol=1e-6)
  np.testing.assert_allclose(prediction.scale(path, INSIDE), 1 / jnp.sqrt(sigma ** 2 + s ** 2),
                             rtol=1e-6)
  x, output = jax.random.normal(jax.random.key(0), (2, 5, 1))
  denoised = c_skip[:, None] * x + c_out[:, None] * output
  ends = flow.ends(path, prediction, x, output, INSIDE)
  np.testing.assert_allclose(ends.data, denoised, rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(ends.noise, (x - denoised) / sigma[:, None], rtol=1e-4, atol=1e-5)
  theirs = (sigma ** 2 + s ** 2) / (sigma * s) ** 2  # on the data's error
  np.testing.assert_allclose(flow.weight(path, flow.DATA, prediction, INSIDE), theirs, rtol=1e-5)


@EVERY
def test_a_preconditioned_target_has_variance_one(name):
  path, prediction = PATHS[name], flow.preconditioned(.4)
  a, b = prediction.coefficients(path, INSIDE)
  np.testing.assert_allclose((.4 * a) ** 2 + b ** 2, 1, rtol=1e-5)
  unit = prediction.scale(path, INSIDE)
  np.testing.assert_allclose(
      unit ** 2 * ((.4 * path.alpha(INSIDE)) ** 2 + path.sigma(INSIDE) ** 2), 1, rtol=1e-5)


def test_velocities_of_the_variance_preserving_path_are_those_of_v_prediction():
  """Salimans & Ho 2022: alpha noise - sigma data, here the other way round, times pi / 2."""
  path = PATHS['variance_preserving']
  a, b = flow.VELOCITY.coefficients(path, INSIDE)
  np.testing.assert_allclose(a, math.pi / 2 * path.sigma(INSIDE), rtol=1e-5)
  np.testing.assert_allclose(b, -math.pi / 2 * path.alpha(INSIDE), rtol=1e-5)


def drawn(times):
  return jax.vmap(times)(jax.random.split(jax.random.key(0), 4000))


def test_times_are_drawn_as_they_say():
  logit = jax.scipy.special.logit(drawn(flow.logit_normal(.5, .8)))
  np.testing.assert_allclose([logit.mean(), logit.std()], [.5, .8], atol=.05)
  noise = jnp.log(PATHS['edm'].sigma(drawn(flow.log_normal())))
  np.testing.assert_allclose([noise.mean(), noise.std()], [-1.2, 1.2], atol=.06)
  even = drawn(flow.uniform())
  np.testing.assert_allclose([even.mean(), even.std()], [.5, 12 ** -.5], atol=.02)


def error_of(step, path, n):
  noise = path.sigma(jnp.zeros(())) * jax.random.normal(jax.random.key(1), (16, 2))
  keys = jax.random.split(jax.random.key(2), 16)
  x, _ = jax.jit(lambda x: solvers.solved(step, exact(path), path, x, keys, path.times(n)))(noise)
  return float(jnp.abs(x - carried(path, noise)).mean())


@EVERY
@pytest.mark.parametrize('step, order', [
    (solvers.euler, 1), (solvers.heun, 2), (solvers.ancestral(0.), 1)],
    ids=['euler', 'heun', 'ddim'])
def test_the_error_falls_with_the_order_of_the_step(name, step, order):
  path, n = PATHS[name], 64 if name == 'edm' else 16
  ratio = error_of(step, path, n) / error_of(step, path, 2 * n)
  assert .8 * 2 ** order < ratio < 1.25 * 2 ** order


@EVERY
def test_the_variance_of_ancestral_steps_converges_with_the_first_order(name):
  """By the exact recursion of mean and variance that its affine steps make."""
  path = PATHS[name]
  field, (a, b) = exact(path), jax.random.split(jax.random.key(0)).reshape(2, 1)
  normal = lambda key: jax.random.normal(key[0], (2,))[:1]

  @jax.jit
  def variance_after(variance, t, s):
    step = lambda x, key: solvers.ancestral()(field, path, jnp.full((1, 2), x), key, t, s)[0, :1]
    slope = step(1., a) - step(0., a)
    fresh = (step(0., a) - step(0., b)) / (normal(a) - normal(b))
    return slope ** 2 * variance + fresh ** 2

  def error(n):
    times, variance = path.times(n), jnp.full(1, path.sigma(jnp.zeros(())) ** 2)
    for t, s in zip(times[:-1], times[1:]):
      variance = variance_after(variance, t, s)
    return abs(float(variance[0]) - STD ** 2)
  n = 64 if name == 'edm' else 16
  assert 1.6 < error(n) / error(2 * n) < 2.5


def test_heun_never_asks_where_no_noise_is_left():
  """Where the noise cannot be seen: two evaluations a step, but one in the last."""
  path, asked = PATHS['rectified'], []

  def field(x, t):
    jax.debug.callback(lambda t: asked.append(float(t)), t)
    return exact(path)(x, t)
  keys = jax.random.split(jax.random.key(0), 1)
  jax.block_until_ready(solvers.solved(solvers.heun, field, path, jnp.ones((1, 2)), keys,
                                       path.times(4)))
  jax.effects_barrier()
  assert sorted(asked) == [0., .25, .25, .5, .5, .75, .75]


def test_on_straight_lines_ddim_is_euler():
  path, x = PATHS['rectified'], jnp.array([[.3, -1.]])
  keys, t, s = jax.random.split(jax.random.key(0), 1), jnp.array(.3), jnp.array(.55)
  np.testing.assert_allclose(*(step(exact(path), path, x, keys, t, s) for step in (
      solvers.euler, solvers.ancestral(0.))), rtol=1e-6)


@pytest.mark.parametrize('name', ['rectified', 'variance_preserving'])
def test_the_likelihood_is_the_analytic_one(name):
  path = PATHS[name]
  points = MEAN[None] + STD * jax.random.normal(jax.random.key(3), (8, 2))
  velocity = lambda x, t: solvers.velocity(exact(path), path, x, t)
  computed = jax.jit(lambda x: log_likelihood(velocity, x, path.times(32)))(points)
  analytic = jax.scipy.stats.norm.logpdf(points, MEAN[None], STD).sum(-1)
  np.testing.assert_allclose(computed, analytic, atol=1e-3)


@pytest.mark.parametrize('make, message', [
    (lambda: flow.preconditioned(0.), 'data_std=0.0: expected a number above 0'),
    (lambda: flow.logit_normal(0., -1.), 'std=-1.0'),
    (lambda: paths.edm(2., 1.), 'sigma_min=2.0, sigma_max=1.0'),
    (lambda: solvers.ancestral(1.5), 'eta=1.5: expected a number in'),
    (lambda: log_likelihood(None, jnp.zeros((1, 2)), jnp.zeros(1)), 'expected at least two'),
    (lambda: log_likelihood(None, jnp.zeros((1, 2)), jnp.zeros(2), std=0.), 'std=0.0')])
def test_what_does_not_fit_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()
