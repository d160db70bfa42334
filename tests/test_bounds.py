"""Bounds of log p(x), held against a model whose log p(x) is known."""
import functools

import jax
import jax.numpy as jnp
import linear_gaussian as known
import numpy as np
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.losses import elbo
from jaxsynth.losses.elbo import Bound
from jaxsynth.objectives.vae import vae
from jaxsynth.types import Context

DRAWN = dict(exact=False)


def objective(**options):
  return vae(known.Encoder(), known.Decoder(), known.likelihood(), latent_dim=known.LATENTS,
             bound=Bound(**options))


def value_and_gradient(bound, params, x, key):
  loss = lambda p: objective(**bound).loss(
      {'vae': p}, {'vae': {'encoder': {}, 'decoder': {}}}, {'image': x},
      Context(jnp.int32(0), key))[0]['vae']
  return jax.value_and_grad(loss)(params)


@functools.partial(jax.jit, static_argnums=(0, 3))
def many(bound, params, x, n=4000):
  """Losses `[n]` and gradients of as many keys."""
  return jax.vmap(lambda key: value_and_gradient(dict(bound), params, x, key))(
      jax.random.split(jax.random.key(0), n))


def of(params, x, n=4000, **bound):
  return many(tuple(sorted(bound.items())), params, x, n)


@pytest.mark.parametrize('options', [{}, dict(DRAWN, gradient='path')], ids=['exact', 'path'])
def test_a_linear_model_reaches_the_exact_log_likelihood(options):
  """The bound meets the greatest log p of all such models, by principal components."""
  x = jnp.asarray(known.data())
  algorithm = ts.build(objective(**options), {'vae': optax.adam(
      optax.cosine_decay_schedule(.03, 1500))})
  state = algorithm.init(jax.random.key(1), {'image': x})
  step = lambda state, _: algorithm.step(state, {'image': x}, jax.random.key(2))
  state, metrics = jax.jit(lambda s: jax.lax.scan(step, s, length=1500))(state)
  best = known.best_log_p(x)
  reached = known.log_p(state.params['vae'], x).mean()
  assert best - .01 < reached <= best + 1e-4
  # the divergence in closed form needs draws for the likelihood; the path estimate has no noise
  noise = .002 if options else .03
  assert abs(np.mean(metrics['elbo'][-100:]) - best) < noise + .01


@pytest.mark.long
def test_bounds_rise_with_draws_and_stay_below_log_p():
  params, x = known.parameters(), jnp.asarray(known.data(16))
  exact = known.log_p(params, x).mean()
  bounds, errors = zip(*[
      (-np.mean(losses), np.std(losses) / np.sqrt(len(losses))) for losses in (
          of(params, x, **DRAWN)[0],
          *(of(params, x, samples=k, weighted=True, **DRAWN)[0] for k in (2, 4, 8, 16)))])
  assert all(b - a > 3 * (d + e) for a, b, d, e in zip(
      bounds, bounds[1:], errors, errors[1:], strict=False))
  assert bounds[-1] < exact + 3 * errors[-1]
  assert abs(-np.mean(of(params, x)[0]) - bounds[0]) < 4 * errors[0]  # the exact divergence


def flat(gradients):
  leaves = jax.tree.leaves(gradients)
  return np.concatenate([x.reshape(len(x), -1) for x in leaves], 1).astype(np.float64)


@pytest.mark.parametrize('weighted, gradient', [(False, 'path'), (True, 'doubly')])
def test_gradients_without_the_score_have_the_right_mean(weighted, gradient):
  """And the encoder's is less noisy near its best."""
  params, x = known.parameters(), jnp.asarray(known.data(4))
  options = dict(DRAWN, samples=4, weighted=weighted)
  total, other = (flat(of(params, x, gradient=g, **options)[1]) for g in ('total', gradient))
  error = np.hypot(total.std(0), other.std(0)) / np.sqrt(len(total))
  assert (np.abs(total.mean(0) - other.mean(0)) < 4.5 * error + 1e-6).all()
  assert np.abs(total.mean(0)).max() > 10 * error.max()  # so that it means something
  near = known.with_posterior({**params, 'decoder': {**params['decoder'], 'kernel': jnp.array(
      [[1., 0., .5, 0.], [0., 1., 0., -.5]])}})
  spread = [flat(of(near, x, gradient=g, **options)[1]['encoder']).std(0).max()
            for g in ('total', gradient)]
  assert spread[1] < 1e-5 < .1 < spread[0]  # the posterior is exact, so it does not move at all


def test_the_path_gradient_of_the_weighted_bound_is_another():
  """Which is why there is the doubly reparametrised one."""
  params, x = known.parameters(), jnp.asarray(known.data(4))
  options = dict(DRAWN, samples=8, weighted=True)
  total, path = (flat(of(params, x, gradient=g, **options)[1]['encoder'])
                 for g in ('total', 'path'))
  error = np.hypot(total.std(0), path.std(0)) / np.sqrt(len(total))
  assert (np.abs(total.mean(0) - path.mean(0)) > 6 * error).any()


@pytest.mark.long
def test_with_one_draw_all_bounds_are_the_evidence_lower_bound():
  params, x, key = known.parameters(), jnp.asarray(known.data(4)), jax.random.key(3)
  path = value_and_gradient(dict(DRAWN, gradient='path'), params, x, key)
  for gradient in ('path', 'doubly'):
    weighted = value_and_gradient(dict(DRAWN, weighted=True, gradient=gradient), params, x, key)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5), path,
                 weighted)


@pytest.mark.parametrize('options', [
    dict(free_bits=.1), dict(DRAWN, samples=3, weighted=True, gradient='doubly')],
    ids=['free-bits', 'doubly'])
def test_devices_share_a_bound(options):
  """Free bits are of the whole batch, whichever device has an example."""
  x = jnp.asarray(known.data(8))

  def stepped(axis, compiled, batch):
    algorithm = ts.build(objective(**options), {'vae': optax.sgd(.1)}, axis_name=axis)
    state = algorithm.init(jax.random.key(1), {'image': x})
    return jax.device_get(compiled(algorithm.step)(state, {'image': batch}, jax.random.key(2)))
  alone = stepped(None, ts.jit, x)
  mapped = stepped('batch', lambda step: ts.pmap(step, devices=jax.devices()[:2]),
                   x.reshape(2, 4, *known.SHAPE))
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), alone, mapped)


def test_free_bits_and_warm_up_by_hand():
  # two latents, two examples: means .2 and 2, so max(.5, .2) + 2 = 2.5
  kl = jnp.array([[.1, 3.], [.3, 1.]])
  value, gradient = jax.value_and_grad(lambda x: elbo.with_free_bits(x, .5))(kl)
  assert float(value) == 2.5 and gradient.tolist() == [[0., .5], [0., .5]]
  assert [float(Bound(beta=3., warm_up=2).weight(jnp.int32(k))) for k in (0, 1, 9)] == [1.5, 3, 3]
  free = objective(free_bits=.1)
  assert 'whole batch' in free.coupled and not objective().coupled


@pytest.mark.long
def test_a_weight_that_is_no_number_is_seen():
  params, x = known.parameters(), jnp.asarray(known.data(4)).at[2].set(jnp.nan)
  for bound in ({}, {'free_bits': .1}, dict(DRAWN, samples=3, weighted=True, gradient='doubly')):
    assert np.isnan(value_and_gradient(bound, params, x, jax.random.key(0))[0])
  weights = jnp.array([[0., jnp.nan], [1., 2.]])
  assert np.isnan(elbo.importance_weighted(weights)).tolist() == [False, True]


def test_large_weights_do_not_overflow():
  huge = jnp.array([[1e4], [-1e4]])
  value, gradient = jax.value_and_grad(lambda w: elbo.importance_weighted(w)[0])(huge)
  np.testing.assert_allclose(value, 1e4 - np.log(2), rtol=1e-6)
  assert gradient.tolist() == [[1.], [0.]]


@pytest.mark.parametrize('options, message', [
    (dict(samples=0), 'samples=0: expected at least one draw'),
    (dict(beta=0.), 'beta=0.0: expected a number above 0'),
    (dict(warm_up=-1), 'warm_up=-1: expected steps'),
    (dict(free_bits=-1.), 'free_bits=-1.0: expected nats'),
    (dict(weighted=True), 'no divergence of its own: expected exact=False'),
    (dict(free_bits=1., exact=False), 'needs a standard normal prior'),
    (dict(gradient='path'), "gradient='path' is of a divergence of draws"),
    (dict(gradient='doubly', exact=False), 'is of the importance-weighted bound')])
def test_a_bound_that_is_none_is_refused(options, message):
  with pytest.raises(ValueError, match=message):
    objective(**options)
