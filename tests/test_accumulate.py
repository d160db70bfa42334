"""Batches in parts: the same update as the whole batch, or a refusal that says why."""
import functools

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import keys, train_step as ts
from jaxsynth.accumulate import accumulate
from jaxsynth.losses import adversarial, relativistic
from jaxsynth.objectives.classify import classify
from jaxsynth.objectives.gan import gan
from test_contract import assert_close, train


class GroupNormGenerator(nn.Module):

  @nn.compact
  def __call__(self, z, *, train):
    x = nn.GroupNorm(2)(nn.Dense(8)(z))
    return jnp.tanh(nn.Dense(16)(nn.relu(x))).reshape(-1, *objectives.SHAPE)


def independent_gan(loss=adversarial.NON_SATURATING, **kwargs):
  return gan(GroupNormGenerator(), objectives.TinyDiscriminator(), loss, latent_dim=5, **kwargs)


class Dense(nn.Module):

  @nn.compact
  def __call__(self, x, *, train):
    return nn.Dense(3)(x.reshape(len(x), -1))


TABLE = {'gan': (independent_gan, objectives.BOTH),
         'classifier': (lambda: classify(Dense()), ('classifier',)),
         **{name: objectives.TABLE[name] for name in ('vae', 'rectified-flow')}}


@functools.cache
def trained(name, parts, parallel='jit'):
  make, players = TABLE[name]
  objective = make()
  algorithm = ts.build(objective, {p: optax.sgd(0.05) for p in players},
                       grad_fn=accumulate(objective, parts),
                       axis_name='batch' if parallel == 'pmap' else None)
  state = jax.jit(algorithm.init)(jax.random.key(1), objectives.batch())
  if parallel == 'jit':
    return train(ts.jit(algorithm.step), state)
  return train(ts.pmap(algorithm.step, devices=jax.devices()[:2]), state,
               shape=lambda x: x.reshape(2, 4, *x.shape[1:]))


@pytest.mark.parametrize('name', TABLE)
def test_parts_equal_the_whole(name):
  assert_close(trained(name, 1), trained(name, 4))


def test_parts_on_two_devices_equal_the_whole_on_one():
  assert_close(trained('gan', 1), trained('gan', 2, 'pmap'))


def test_parts_take_less_memory():
  def temporaries(parts):
    objective = independent_gan()
    algorithm = ts.build(objective, {p: optax.sgd(0.05) for p in objectives.BOTH},
                         grad_fn=accumulate(objective, parts))
    state = jax.eval_shape(algorithm.init, jax.random.key(1), objectives.batch())
    step = jax.jit(algorithm.step).lower(state, objectives.batch(4096), jax.random.key(0))
    return step.compile().memory_analysis().temp_size_in_bytes
  assert temporaries(8) < temporaries(1) / 2


def test_keys_of_parts_are_those_of_the_whole(key):
  ctx = [ts.Context(jnp.int32(0), key, part=(i, 3)) for i in range(3)]
  whole = keys.per_example(key, 6, ts.Context(jnp.int32(0), key))
  parts = [keys.per_example(key, 2, c) for c in ctx]
  assert bool(jnp.all(whole == jnp.concatenate(parts)))
  alone = {tuple(jax.random.key_data(keys.per_part(key, c)).tolist())
           for c in ctx}
  assert len(alone) == 3 and bool(keys.per_part(key, ctx[0]._replace(part=(0, 1))) == key)


@pytest.mark.parametrize('objective, reason', [
    (independent_gan(relativistic.RELATIVISTIC_AVERAGE), 'mean of the batch'),
    (independent_gan(packing=2), 'judges packs'),
    (objectives.tiny_codes(), 'the whole batch, and dead codes')])
def test_coupled_losses_are_refused(objective, reason):
  with pytest.raises(ValueError, match=f'in 4 parts: .*{reason}'):
    accumulate(objective, 4)
  assert accumulate(objective, 1) is ts.joint_grad


def test_batch_norm_and_odd_batches_are_refused():
  objective = objectives.tiny_gan()
  algorithm = ts.build(objective, {p: optax.sgd(0.05) for p in objectives.BOTH},
                       grad_fn=accumulate(objective, 4))
  state = jax.eval_shape(algorithm.init, jax.random.key(1), objectives.batch())
  step = lambda algorithm, state, batch: jax.eval_shape(algorithm.step, state, batch,
                                                        jax.random.key(0))
  with pytest.raises(ValueError, match='the generator has BatchNorm'):
    step(algorithm, state, objectives.batch())
  with pytest.raises(ValueError, match='a batch of 6 in 4 parts'):
    objective = independent_gan()
    algorithm = ts.build(objective, {p: optax.sgd(0.05) for p in objectives.BOTH},
                         grad_fn=accumulate(objective, 4))
    step(algorithm, jax.eval_shape(algorithm.init, jax.random.key(1), objectives.batch()),
         objectives.batch(6))
  with pytest.raises(ValueError, match='positive integer, got 0'):
    accumulate(objective, 0)


def test_packed_examples_are_channels(key):
  """The discriminator sees examples 0 and 1 as the two channels of its first image."""
  seen = []

  class Judge(objectives.TinyDiscriminator):
    def __call__(self, x, label=None, *, train):
      seen.append(x)
      return jnp.mean(x, (1, 2, 3))

  objective = gan(GroupNormGenerator(), Judge(), latent_dim=5, packing=2)
  batch = objectives.batch()
  params, variables = objective.init(key, batch)
  seen.clear()
  objective.loss(params, variables, batch, ts.Context(jnp.int32(0), key))
  assert seen[0].shape == (4, 4, 4, 2)
  np.testing.assert_array_equal(seen[0][0], jnp.concatenate(list(batch['image'][:2]), -1))
  with pytest.raises(ValueError, match='packing 3 images: .* got 8'):
    odd = gan(GroupNormGenerator(), Judge(), latent_dim=5, packing=3)
    odd.loss(params, variables, batch, ts.Context(jnp.int32(0), key))
  with pytest.raises(ValueError, match='1 with labels'):
    independent_gan(packing=2, num_classes=3)
