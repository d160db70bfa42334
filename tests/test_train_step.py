"""The update rule: schedules, averages, gradients, and what it refuses."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import keys as keys_, train_step as ts
from jaxsynth.ema import EMA
from jaxsynth.models import dcgan
from jaxsynth.objectives.gan import gan
from jaxsynth.types import Context, Objective

PLAYERS = ('generator', 'discriminator')


def sgd(rate=0.1, players=PLAYERS):
  return {p: optax.sgd(rate) for p in players}


def started(optimizers=None, **kwargs):
  algorithm = ts.build(objectives.tiny_gan(), optimizers or sgd(), **kwargs)
  return algorithm, algorithm.init(jax.random.key(1), objectives.batch())


def stacked(phases):
  return jax.tree.map(lambda *x: jnp.stack(x),
                      *(objectives.batch(seed=k) for k in range(phases)))


def test_the_update_is_simultaneous(key):
  """On `f(x, y) = x * y`, x descends and y ascends from the same point:
  x' = 3 - 0.1 * 5 = 2.5 and y' = 5 + 0.1 * 3 = 5.3; alternating, y' would be
  5 + 0.1 * 2.5 = 5.25."""
  objective = Objective(
      init=lambda key, batch: ({'x': jnp.float32(3), 'y': jnp.float32(5)}, {}),
      loss=lambda p, v, batch, ctx: ({'x': p['x'] * p['y'], 'y': -p['x'] * p['y']}, (v, {})),
      sample=lambda *args: None)
  algorithm = ts.build(objective, sgd(players='xy'))
  state, metrics = algorithm.step(algorithm.init(key, None), None, key)
  np.testing.assert_allclose([state.params['x'], state.params['y']], [2.5, 5.3], rtol=1e-6)
  assert metrics['x/grad_norm'] == 5 and metrics['y/loss'] == -15


def test_one_generator_application_serves_both_players(key):
  """The generator is traced once, and the step holds as many matrix products as one
  pass needs. Forward: 2 in G, 2 in D on each of 2 inputs. D's gradient: 2 weights and
  1 activation on each input. G's: 2 activations in D, 2 weights and 1 activation in G.
  In all 6 + 6 + 5."""
  class Counted(objectives.TinyGenerator):
    count = 0

    def __call__(self, z, label=None, *, train):
      Counted.count += 1
      return super().__call__(z, label, train=train)

  objective = gan(Counted(), objectives.TinyDiscriminator(), latent_dim=5)
  algorithm = ts.build(objective, sgd())
  state = algorithm.init(key, objectives.batch())
  Counted.count = 0
  lowered = jax.jit(algorithm.step).trace(state, objectives.batch(), key).lower(
      lowering_platforms=('cuda',))
  assert Counted.count == 1
  assert lowered.as_text().count('stablehlo.dot_general') == 6 + 6 + 5


def test_a_compiled_dcgan_step_has_no_second_generator_pass(key):
  """XLA's own form: 3 + 1 convolutions in G, 2 in D. Forward 4 + 2 * 2 = 8. D's
  gradient: weights 2 * 2, activations 2 * 1. G's: activations 2 in D, 4 in G, less
  none (the dense layer needs its input's), weights 4. In all 24."""
  objective = gan(dcgan.Generator((8, 8, 1), 8, (1, 2, 2)), dcgan.Discriminator(8),
                  latent_dim=5)
  algorithm = ts.build(objective, sgd())
  batch = {'image': jnp.zeros((4, 8, 8, 1))}
  state = jax.eval_shape(algorithm.init, key, batch)
  lowered = jax.jit(algorithm.step).trace(state, batch, key).lower(
      lowering_platforms=('cuda',))
  count = lowered.as_text().count('stablehlo.convolution')
  assert count == 24, count


def test_phases_train_their_players_on_their_batches(key):
  """Two critic steps and one generator step equal three steps by hand."""
  schedule = (('discriminator',),) * 2 + (('generator',),)
  algorithm, state = started(schedule=schedule)
  got, metrics = algorithm.step(state, stacked(3), key)
  objective, hand = objectives.tiny_gan(), state
  folded = jax.random.fold_in(jax.random.fold_in(key, 0), 0)
  for phase, (player,) in enumerate(schedule):
    ctx = Context(hand.step, jax.random.fold_in(folded, phase))
    grads, _, (variables, _) = ts.joint_grad(
        objective.loss, (player,), hand.params, hand.variables,
        objectives.batch(seed=phase), ctx)
    moved = jax.tree.map(lambda p, g: p - 0.1 * g, hand.params[player], grads[player])
    hand = hand._replace(params={**hand.params, player: moved}, variables=variables)
  chex.assert_trees_all_close(got.params, hand.params, rtol=1e-5)
  chex.assert_trees_all_close(got.variables, hand.variables, rtol=1e-5)
  assert int(got.step) == 1 and {'generator/loss', 'discriminator/loss'} <= set(metrics)


def test_key_is_folded_with_attempt_step_and_phase(key):
  seen = []
  objective = Objective(
      init=lambda key, batch: ({'a': jnp.zeros(())}, {}),
      loss=lambda p, v, b, ctx: (seen.append(ctx.key), ({'a': p['a']}, (v, {})))[1],
      sample=lambda *args: None)
  algorithm = ts.build(objective, sgd(players='a'), schedule=(('a',), ('a',)))
  state = algorithm.init(key, None)
  for s in (state, state._replace(step=jnp.int32(1)), state._replace(attempt=jnp.int32(1))):
    algorithm.step(s, None, key)
  assert len({tuple(np.ravel(jax.random.key_data(k))) for k in seen}) == len(seen) == 6


def test_per_example_keys_do_not_depend_on_the_devices(key):
  ctx = Context(jnp.int32(0), key)
  whole = keys_.per_example(key, 8, ctx)
  shared = jax.vmap(lambda _: keys_.per_example(key, 2, ctx._replace(axis_name='i')),
                    axis_name='i')(jnp.arange(4))
  assert bool(jnp.all(whole == shared.reshape(8)))


def test_average_by_hand():
  """keep = (1 + t) / (10 + t): 2/11, then 3/12 = 0.25, capped by the decay 0.2.
  From 0, with value 1 at both: 1 + 2/11 * (0 - 1) = 9/11; 1 + 0.2 * (9/11 - 1)
  = 53/55. A counter is copied."""
  from jaxsynth import ema as emas
  ema, values = EMA(('g',), 0.2), {'g': {'w': jnp.ones(2), 'n': jnp.int32(7)}, 'd': {}}
  average = emas.init(ema, {'g': {'w': jnp.zeros(2), 'n': jnp.int32(0)}, 'd': {}},
                      {'g': {}, 'd': {}, 'shared': {}})
  for step, want in ((0, 9 / 11), (1, 53 / 55)):
    average = emas.update(ema, average, values, {'g': {}}, jnp.int32(step))
    np.testing.assert_allclose(average['params']['g']['w'], want, rtol=1e-6)
  assert int(average['params']['g']['n']) == 7
  assert average['params']['g']['n'].dtype == jnp.int32


def test_averages_cover_statistics_and_only_named_players(key):
  algorithm, state = started(ema=EMA(('generator',), 0.5))
  after, _ = algorithm.step(state, objectives.batch(), key)
  params, variables = ts.averaged(after)
  chex.assert_trees_all_equal(params['discriminator'], after.params['discriminator'])
  mean = lambda v: v['generator']['batch_stats']['BatchNorm_0']['mean']
  old, new, kept = mean(state.variables), mean(after.variables), mean(variables)
  np.testing.assert_allclose(kept, new + 2 / 11 * (old - new), rtol=1e-5)
  assert bool(jnp.any(old != new))


def test_grad_fn_is_an_argument(key):
  """A clipping gradient in three lines, in place of another trainer."""
  def clipped(*args):
    grads, losses, aux = ts.joint_grad(*args)
    return {p: optax.tree.scale(1e-3 / optax.tree.norm(g), g)
            for p, g in grads.items()}, losses, aux
  algorithm, state = started(grad_fn=clipped)
  _, metrics = algorithm.step(state, objectives.batch(), key)
  np.testing.assert_allclose(metrics['generator/grad_norm'], 1e-3, rtol=1e-5)


@pytest.mark.parametrize('kwargs, message', [
    (dict(optimizers=sgd(players=('generator',))), "the players are .*'discriminator'"),
    (dict(ema=EMA(('writer',))), "ema players .'writer'.: expected some of"),
    (dict(ema=EMA(('generator',), 1.)), 'ema decay 1.0: expected 0 <= decay < 1')])
def test_init_refuses(kwargs, message):
  with pytest.raises(ValueError, match=message):
    started(**kwargs)


@pytest.mark.parametrize('schedule, message', [
    ((('writer',),), "schedule phase .*'writer'"),
    (((),), 'expected one or more of'),
    ((('generator',),) * 3, r'3 phases takes a batch \[3, B'),
    ((('discriminator',),), r"no phase trains \['generator'\]; expected every player")])
def test_step_refuses(schedule, message, key):
  algorithm, state = started(schedule=schedule)
  with pytest.raises(ValueError, match=message):
    algorithm.step(state, objectives.batch(), key)


def test_an_objective_without_a_players_loss_is_refused(key):
  objective = objectives.tiny_gan()
  only = objective._replace(loss=lambda *args: (
      lambda losses, aux: ({'generator': losses['generator']}, aux))(*objective.loss(*args)))
  algorithm = ts.build(only, sgd())
  state = algorithm.init(key, objectives.batch())
  with pytest.raises(ValueError, match="no loss for .'discriminator'."):
    algorithm.step(state, objectives.batch(), key)
