"""Critic steps by need: against the schedule of the paper, step by step on the host."""
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.models import dcgan
from jaxsynth.objectives.adaptive_critic import adaptive_critic, LADDER, still_at_zero
from jaxsynth.objectives.gan import gan
from jaxsynth.privacy import private_grad
from jaxsynth.types import Objective


def scripted(accuracies):
  """A GAN of two numbers, whose accuracies on fakes are given; its losses are `w`."""
  def loss(params, variables, batch, ctx):
    k = jnp.minimum(ctx.step, len(accuracies) - 1)
    return {p: params[p]['w'] for p in params}, (
        variables, {'accuracy/fake': jnp.asarray(accuracies)[k]})

  return Objective(lambda key, batch: ({p: {'w': jnp.zeros(())} for p in (
      'generator', 'discriminator')}, {}), loss, lambda params, variables, keys, cond: keys)


def on_host(accuracies, threshold, grace, decay):
  """In which steps the generator learns, and the rung after each, by plain counting."""
  rung, since, updates, average = 0, 0, 0, None
  learns, rungs = [], []
  for accuracy in accuracies:
    since += 1
    learns.append(since == LADDER[rung])
    if learns[-1]:
      since, updates = 0, updates + 1
      average = accuracy if average is None else decay * average + (1 - decay) * accuracy
      if updates >= grace and average <= threshold:
        rung, updates = rung + 1, 0
    rungs.append(rung)
  return learns, rungs


@pytest.mark.parametrize('seed', range(3))
def test_the_generator_learns_in_the_steps_of_the_paper(seed):
  accuracies = np.random.default_rng(seed).uniform(.3, .9, 60).astype(np.float32)
  objective = adaptive_critic(scripted(accuracies), .6, grace=2, decay=.5)
  algorithm = ts.build(objective, {
      'generator': still_at_zero(optax.sgd(1.)), 'discriminator': optax.sgd(1.)})
  state, step = algorithm.init(jax.random.key(0), jnp.zeros(1)), jax.jit(algorithm.step)
  learns, rungs, steps = [], [], []
  for k in range(len(accuracies)):
    before = state.params['generator']['w']
    state, metrics = step(state, jnp.zeros(1), jax.random.key(0))
    learns.append(bool(state.params['generator']['w'] != before))
    rungs.append(int(state.variables['shared']['critic']['rung']))
    steps.append(float(metrics['critic/steps']))
    assert state.params['discriminator']['w'] == -(k + 1)
  expected = on_host(accuracies, .6, 2, .5)
  assert (learns, rungs) == expected
  assert steps == [LADDER[rung] for rung in [0, *rungs[:-1]]]
  assert max(rungs) >= 2


def test_an_optimizer_at_zero_neither_moves_nor_ages():
  adam, held = optax.adam(.1), still_at_zero(optax.adam(.1))
  params = {'a': jnp.ones(2), 'b': jnp.ones(())}
  grads = [{'a': jnp.array([1., 0.]), 'b': jnp.ones(())}, {'a': jnp.array([0., 2.]), 'b': 0.}]
  zero = jax.tree.map(jnp.zeros_like, params)
  plain = params, adam.init(params)
  waiting = params, held.init(params)
  for g in grads:
    updates, state = adam.update(g, plain[1])
    plain = optax.apply_updates(plain[0], updates), state
    for h in (g, zero, zero):
      updates, state = held.update(h, waiting[1])
      waiting = optax.apply_updates(waiting[0], updates), state
  for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(waiting), strict=True):
    np.testing.assert_array_equal(a, b)


def test_no_real_example_moves_the_schedule_of_a_private_training():
  objective = adaptive_critic(gan(
      dcgan.Generator((8, 8, 1), 4, (2,), 3, kernel_size=3, batch_norm=False),
      dcgan.Discriminator(4, (2,), 0., 3, kernel_size=3), latent_dim=2, num_classes=3), grace=1)
  grad_fn = private_grad.private_grad(objective, ('discriminator',), clip_norm=1.,
                                      noise_multiplier=1., batch_size=4, num_classes=3)
  algorithm = ts.build(objective, {'generator': still_at_zero(optax.adam(.01)),
                                   'discriminator': optax.adam(.01)}, grad_fn=grad_fn)

  def after(scale):
    batch = {'image': jnp.full((4, 8, 8, 1), scale), 'label': jnp.arange(4) % 3,
             'padding': jnp.zeros(4, bool)}
    state = algorithm.init(jax.random.key(0), batch)
    return algorithm.step(state, batch, jax.random.key(1))[0]

  low, high = after(-1.), after(1.)
  for part in ('shared', 'generator'):
    for a, b in zip(jax.tree.leaves(low.variables[part]), jax.tree.leaves(high.variables[part]),
                    strict=True):
      np.testing.assert_array_equal(a, b)
  for a, b in zip(jax.tree.leaves(low.params['generator']),
                  jax.tree.leaves(high.params['generator']), strict=True):
    np.testing.assert_array_equal(a, b)
  assert any(np.any(a != b) for a, b in zip(jax.tree.leaves(low.params['discriminator']),
                                            jax.tree.leaves(high.params['discriminator'])))


def test_what_cannot_be_is_refused():
  with pytest.raises(ValueError, match='threshold=1'):
    adaptive_critic(scripted([.5]), 1.)
  with pytest.raises(ValueError, match='grace=0'):
    adaptive_critic(scripted([.5]), grace=0)
  objective = adaptive_critic(scripted([.5])._replace(
      loss=lambda params, variables, batch, ctx: ({}, (variables, {'loss': 0.}))))
  params, variables = objective.init(jax.random.key(0), jnp.zeros(1))
  with pytest.raises(ValueError, match='accuracy/fake'):
    jax.eval_shape(lambda: objective.loss(params, variables, None, ts.Context(
        jnp.int32(0), jax.random.key(0))))
