"""Every objective against every law of the core."""
import collections
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest
import tiers

from jaxsynth import train_step as ts

SHORT = ('gan', 'conditional-gan', 'classifier')
EVERY = tiers.every('name', objectives.TABLE, SHORT)
KEY = jax.random.key(3)
LOCAL = 'gan-local-batch-norm'
# every objective on four devices, and those whose examples meet in batch statistics on fewer too
DIVIDED = pytest.mark.parametrize('name, n', [
    *((name, 4) if name in SHORT else pytest.param(name, 4, marks=pytest.mark.long)
      for name in objectives.TABLE),
    *(pytest.param(name, n, marks=pytest.mark.long) for name, n in (
        ('gan', 1), ('gan', 2), (LOCAL, 2)))])


def make(name, axis_name=None, optimizer=None, **kwargs):
  objective, players = objectives.TABLE[name]
  optimizers = {p: optimizer or optax.sgd(0.05) for p in players}
  return ts.build(objective(axis_name), optimizers, axis_name=axis_name,
                  ema=ts.EMA(players[-1:]), **kwargs)


@functools.cache
def started(name):
  return jax.jit(make(name).init)(jax.random.key(1), objectives.batch())


def fresh(name):
  return jax.tree.map(jnp.copy, started(name))


def devices(n):
  """The first `n`; on CPU there are four virtual ones."""
  if jax.device_count() < n:
    pytest.skip(f'{n} devices are needed, and there are {jax.device_count()}')
  return jax.devices()[:n]


def train(step, state, steps=3, shape=lambda x: x):
  for k in range(steps):
    batch = jax.tree.map(shape, objectives.batch(seed=k))
    state, metrics = jax.block_until_ready(step(state, batch, KEY))
  return jax.device_get((state, metrics))


TRACED = collections.Counter()


@functools.cache
def jitted(name):
  """The step for one device, compiled once for all tests; `TRACED` counts how often it was."""
  step = make(name).step
  return ts.jit(lambda *args: (TRACED.update([name]), step(*args))[1])


@functools.cache
def sharded(name, n=4):
  return ts.sharded(make(name).step, devices(n))


@functools.cache
def with_adam(name):
  """An algorithm whose optimizers have a state, and its step."""
  algorithm = make(name, optimizer=optax.adam(1e-2))
  return algorithm, jax.jit(algorithm.step)


@functools.cache
def by_jit(name):
  """What every other way of compiling is held against; it equals eager where that is tried."""
  return train(jitted(name), fresh(name))


def assert_close(a, b, tolerance=1e-5):
  a, b = jax.device_get((a, b))
  chex.assert_trees_all_equal_shapes_and_dtypes(a, b)
  chex.assert_trees_all_close(a, b, rtol=tolerance, atol=tolerance)


@EVERY
def test_the_state_tree_is_a_fixed_point(name):
  step, state = jax.jit(make(name).step), started(name)
  after, metrics = step(state, objectives.batch(), KEY)
  chex.assert_trees_all_equal_shapes_and_dtypes(state, after)
  assert int(after.step) == 1 and int(after.attempt) == 0
  chex.assert_shape(jax.tree.leaves(metrics), ())
  chex.assert_tree_all_finite(metrics)


@EVERY
def test_same_key_same_state_other_attempt_other_state(name):
  a, b = (jitted(name)(fresh(name), objectives.batch(), KEY) for _ in range(2))
  chex.assert_trees_all_equal(a, b)
  again = fresh(name)._replace(attempt=jnp.int32(1))
  c, _ = jitted(name)(again, objectives.batch(), KEY)
  with pytest.raises(AssertionError):
    chex.assert_trees_all_equal((a[0].params, a[0].variables), (c.params, c.variables))


@pytest.mark.parametrize('name', SHORT)
def test_the_step_is_pure_and_jit_equals_eager(name):
  state = fresh(name)
  before = jax.device_get(state)
  assert_close(train(make(name).step, state), by_jit(name))
  chex.assert_trees_all_equal(before, jax.device_get(state))


@DIVIDED
def test_sharded_equals_jit(name, n):
  """Batch statistics are global however the batch is divided."""
  assert_close(by_jit(name), train(sharded(name, n), fresh(name)))


@DIVIDED
def test_fully_sharded_equals_jit(name, n):
  """Wherever the parts of parameters, optimizer states and averages lie."""
  step = fully_sharded(name, n)
  assert_close(by_jit(name), train(step, fresh(name)))


@functools.cache
def fully_sharded(name, n=4):
  return ts.fully_sharded(make(name).step, started(name), devices(n))


@DIVIDED
def test_pmap_equals_jit(name, n):
  """Global statistics equal one device's; local ones equal a mapped step's."""
  share = lambda x: x.reshape(n, -1, *x.shape[1:])
  step = ts.pmap(make(name, 'batch').step, devices=devices(n))
  ours = train(step, fresh(name), shape=share)
  if name != LOCAL:
    assert_close(by_jit(name), ours)
    return
  mapped = jax.jit(jax.vmap(make(name, 'batch').step, (None, 0, None), axis_name='batch'))
  first = lambda tree: jax.tree.map(lambda x: x[0], tree)
  theirs = train(lambda *args: first(mapped(*args)), fresh(name), shape=share)
  assert_close(theirs, ours)


@pytest.mark.long
def test_local_statistics_are_local():
  """The table's two GANs differ under pmap, so the tests above tell them apart."""
  share = lambda x: x.reshape(2, -1, *x.shape[1:])
  a, b = (train(ts.pmap(make(name, 'batch').step, devices=devices(2)), fresh(name),
                shape=share)[0] for name in ('gan', LOCAL))
  gap = optax.tree.norm(optax.tree.sub(a.params, b.params))
  assert gap > 1e-3


@EVERY
def test_one_trace_in_a_hundred_steps(name):
  """However many of this file's tests have taken steps before."""
  state, batches = fresh(name), [objectives.batch(seed=k) for k in range(5)]
  for k in range(100):
    state, _ = jitted(name)(state, batches[k % 5], KEY)
  assert int(state.step) == 100 and TRACED[name] == 1


@EVERY
@pytest.mark.parametrize('compiled', [jitted, sharded, fully_sharded])
def test_the_state_is_donated(name, compiled):
  step = compiled(name)
  state, _ = step(jax.device_put(fresh(name)), objectives.batch(), KEY)
  after, _ = step(state, objectives.batch(), KEY)
  jax.block_until_ready(after)
  kept = [jax.tree_util.keystr(path) for path, x in jax.tree_util.tree_leaves_with_path(state)
          if not x.is_deleted()]
  assert all(path.endswith("/sigma']") for path in kept), kept  # of Linen's, which nothing reads


@EVERY
def test_every_player_moves(name):
  algorithm, step = with_adam(name)
  state = jax.jit(algorithm.init)(jax.random.key(1), objectives.batch())
  after, _ = step(state, objectives.batch(), KEY)
  for player in state.params:
    for field in ('params', 'opt_state'):
      old, new = getattr(state, field)[player], getattr(after, field)[player]
      moved = jax.tree.map(lambda a, b: bool(jnp.any(a != b)), old, new)
      assert any(jax.tree.leaves(moved)), (player, field)


@EVERY
def test_only_its_own_loss_moves_a_player(name):
  """Scaling one player's loss scales its own gradient and no other's."""
  objective, players = objectives.TABLE[name]
  objective = objective()

  def scaled(player, params, variables, batch, ctx):
    losses, aux = objective.loss(params, variables, batch, ctx)
    return {p: 2 * x if p == player else x for p, x in losses.items()}, aux

  def gradients(loss):
    state = started(name)
    ctx = ts.Context(state.step, KEY)
    return ts.joint_grad(loss, players, state.params, state.variables,
                         objectives.batch(), ctx)[0]

  plain = gradients(objective.loss)
  for player in players:
    doubled = gradients(functools.partial(scaled, player))
    for p in players:
      assert_close(optax.tree.scale(2. if p == player else 1., plain[p]), doubled[p], 1e-6)


@EVERY
def test_resume_from_each_middle_state_is_bitwise(name):
  algorithm, step = with_adam(name)
  state = jax.jit(algorithm.init)(jax.random.key(1), objectives.batch())
  states = [state]
  for k in range(4):
    states.append(step(states[-1], objectives.batch(seed=k), KEY)[0])
  for middle in range(4):
    state = jax.tree.map(jnp.asarray, jax.device_get(states[middle]))
    for k in range(middle, 4):
      state, _ = step(state, objectives.batch(seed=k), KEY)
    chex.assert_trees_all_equal(state, states[-1])


@EVERY
def test_samples_have_shape_dtype_range_and_one_key_each(name):
  sample = make(name).sample
  state, keys = started(name), jax.random.split(KEY, 6)
  labelling = name in objectives.LABELLING
  cond = jnp.arange(6) % 3 if name in objectives.CONDITIONAL else None
  cond = objectives.batch(6)['image'] if labelling else cond
  params, variables = ts.averaged(state)
  variables = {player: variables[player] for player in params if player in variables}  # as loaded
  x = sample(params, variables, keys, cond)
  if labelling:
    assert x.shape == (6, *objectives.LABELLING[name]) and x.dtype == jnp.int32
    assert set(np.unique(x)) <= {0, 1, 2}
  else:
    chex.assert_shape(x, (6, *objectives.SHAPE))
    assert x.dtype == jnp.float32 and float(jnp.abs(x).max()) <= 1
  part = sample(params, variables, keys[2:5], None if cond is None else cond[2:5])
  # a GPU's products, of fewer bits, are summed another way in another batch: 3e-4 on an H100
  apart = 1e-6 if jax.default_backend() == 'cpu' else 1e-3
  np.testing.assert_allclose(x[2:5], part, atol=apart)


@EVERY
def test_scanned_steps_equal_single_ones(name):
  one = by_jit(name)
  each = [objectives.batch(seed=k) for k in range(3)]
  batches = jax.tree.map(lambda *x: jnp.stack(x), *each)
  state, metrics = jax.jit(ts.scan(make(name).step))(fresh(name), batches, KEY)
  assert_close(one, (state, jax.tree.map(lambda x: x[-1], metrics)))
