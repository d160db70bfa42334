"""A state divided over devices: where its leaves lie, what a device holds, what is saved."""
import json
import pathlib
import subprocess
import sys

import jax
from jax.sharding import PartitionSpec as P
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest
import training

from jaxsynth import checkpoint, fsdp, parallel, train_step as ts

ROOT = pathlib.Path(__file__).parent.parent
KEY = jax.random.key(0)


def mesh(n):
  return jax.sharding.Mesh(jax.devices()[:n], ('batch',))


def state_of(params):
  """A state of these parameters, with Adam's and an average."""
  opt_state = optax.adam(1.).init(params)
  variables = {'p': {'mean': jnp.zeros(8)}, 'shared': {}}
  return ts.TrainState(jnp.int32(0), jnp.int32(0), {'p': params}, variables, {'p': opt_state},
                       {'params': {'p': params}, 'variables': {'p': variables['p']}})


@pytest.mark.parametrize('shape, n, spec', [
    ((4, 12, 8), 4, P(None, 'batch')), ((8, 6), 4, P('batch')), ((6, 4), 4, P(None, 'batch')),
    ((8, 8), 2, P('batch')), ((6, 10), 4, P()), ((), 4, P()), ((3,), 1, P('batch')),
    ((0, 4), 4, P(None, 'batch'))])
def test_leaves_are_divided_along_their_largest_axis_that_divides(shape, n, spec):
  laid = fsdp.layout(state_of({'w': jnp.zeros(shape)}), mesh(n))
  assert laid.params['p']['w'].spec == spec
  assert laid.opt_state['p'][0].mu['w'].spec == spec
  assert laid.ema['params']['p']['w'].spec == spec
  whole = (laid.step, laid.attempt, laid.variables['p']['mean'], laid.opt_state['p'][0].count,
           laid.ema['variables']['p']['mean'])
  assert {x.spec for x in whole} == {P()}


def held(state):
  """Bytes of a state on the first device."""
  return sum(shard.data.nbytes for leaf in jax.tree.leaves(state)
             for shard in leaf.addressable_shards if shard.device == jax.devices()[0])


def test_a_device_holds_its_part_and_so_does_the_compiled_step():
  """Three quarters of the state of a classifier's wide layer are elsewhere."""
  objective = objectives.TABLE['classifier'][0]()
  algorithm = ts.build(objective, {'classifier': optax.adam(1e-3)}, ema=ts.EMA())
  state = jax.device_get(jax.jit(algorithm.init)(KEY, objectives.batch()))
  sizes, arguments = {}, {}
  for how in ('sharded', 'fsdp'):
    step = parallel.compiled(algorithm.step, how, jax.devices(), like=state)
    placed = step.put_state(state)
    sizes[how] = held(placed)
    batch = jax.tree.map(step.put_batch, objectives.batch())
    arguments[how] = step.step.lower(placed, batch, KEY).compile().memory_analysis()
    after, _ = step.step(placed, batch, KEY)
    assert held(after) == sizes[how]
  assert sizes['fsdp'] < .4 * sizes['sharded']
  saved = sizes['sharded'] - sizes['fsdp']
  for which in ('argument_size_in_bytes', 'output_size_in_bytes'):
    less = getattr(arguments['sharded'], which) - getattr(arguments['fsdp'], which)
    assert abs(less - saved) < .1 * saved


def test_without_a_state_there_is_no_layout():
  with pytest.raises(ValueError, match='give one, or its shapes, as `like`'):
    parallel.compiled(lambda *args: args, 'fsdp', jax.devices())


LAYOUTS = [('fsdp', 4), ('sharded', 4), ('jit', 1), ('fsdp', 2)]


def test_checkpoints_do_not_know_the_layout(tmp_path):
  """Equal digests from any, and each goes on from what another has saved."""
  algorithm = ts.build(objectives.TABLE['gan'][0](), {
      name: optax.adam(1e-3) for name in ('generator', 'discriminator')}, ema=ts.EMA())
  state = jax.device_get(jax.jit(algorithm.init)(KEY, objectives.batch()))
  written = []
  for k, (how, n) in enumerate(LAYOUTS):
    placement = parallel.compiled(algorithm.step, how, jax.devices()[:n], like=state)
    manager = checkpoint.CheckpointManager(tmp_path / str(k))
    manager.save(0, placement.put_state(state))
    manager.wait()
    written.append(json.loads((tmp_path / f'{k}/0/digest/metadata').read_text()))
    restored = placement.put_state(manager.restore(state))
    manager.close()
    for before, after in zip(jax.tree.leaves(state), jax.tree.leaves(restored)):
      np.testing.assert_array_equal(before, after)
  assert all(x == written[0] for x in written)


@pytest.mark.long
def test_a_run_goes_on_in_another_layout(tmp_path, caplog):
  """Two devices with all of the state divided, then one: to rounding the run of one alone."""
  given = ('--sample_every=2', '--num_synthetic=20', '--eval_every=2', '--eval_samples=200')
  training.trained(tmp_path / 'a', *given, '--steps=6')
  training.trained(tmp_path / 'b', *given, '--steps=4', '--parallel=fsdp', '--devices=2')
  training.trained(tmp_path / 'b', *given, '--steps=6')
  rows = [[json.loads(x) for x in (tmp_path / name / 'metrics.jsonl').read_text().splitlines()]
          for name in 'ab']
  assert [row['step'] for row in rows[1]] == [2, 4, 6]
  for a, b in zip(*rows):
    assert a == pytest.approx(b, rel=1e-3)
  assert 'bits may differ' in caplog.text


@pytest.mark.long
def test_eight_devices_share_a_step():
  """More than this process has."""
  done = subprocess.run([sys.executable, 'tests/eight_devices.py'], cwd=ROOT, text=True,
                        capture_output=True)
  assert done.returncode == 0, done.stderr
  assert done.stdout.count('on 8 devices: the numbers of one') == len(parallel.MANY)
