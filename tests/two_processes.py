"""A GAN's steps on two processes of two devices, in every way to share them.

    python tests/two_processes.py FOLDER COORDINATOR PROCESS

The first process writes the numbers of each way, and those of one device, as JSON. Both then
restore a checkpoint that they saved together, and try what processes tell each other.
"""
import json
import pathlib
import sys

import jax

if __name__ == '__main__':  # before anything is computed
  folder, coordinator, process = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
  jax.config.update('jax_num_cpu_devices', 2)
  jax.distributed.initialize(coordinator, 2, process, initialization_timeout=60)

import chex
import numpy as np
import objectives
import optax

from jaxsynth import checkpoint, hosts, parallel, train_step as ts

STEPS = 3


def trained(how, devices):
  """The state after some steps, and metrics; every process gives its half of a batch."""
  objective, players = objectives.TABLE['gan']
  axis = parallel.axis_name(how)
  algorithm = ts.build(objective(axis), {p: optax.sgd(.05) for p in players}, axis_name=axis)
  state = jax.device_get(jax.jit(algorithm.init)(jax.random.key(1), objectives.batch()))
  step = parallel.compiled(algorithm.step, how, devices, like=state)
  state, key = step.put_state(state), step.put_key(jax.random.key(3))
  for k in range(STEPS):
    batch = jax.device_get(objectives.batch(seed=k))
    if how != 'jit':
      batch = jax.tree.map(lambda x: np.split(x, 2)[process], batch)
    state, metrics = jax.block_until_ready(
        step.step(state, jax.tree.map(step.put_batch, batch), key))
  return state, {name: float(x) for name, x in jax.device_get(metrics).items()}


def saved(state, where):
  """Saves in both processes, each its part, and restores."""
  whole = jax.tree.map(np.asarray, hosts.local(state))
  manager = checkpoint.CheckpointManager(where)
  manager.save(STEPS, state)
  manager.wait()
  chex.assert_trees_all_equal(manager.restore(whole), whole)
  manager.close()


def agreed():
  """What processes tell each other: values, differences and errors."""
  assert hosts.is_first() == (process == 0)
  assert hosts.first(lambda: {'process': process}) == {'process': 0}
  long = 'x' * 5000
  assert hosts.everywhere(lambda: long * process) == long * process
  hosts.check_same({'--steps': 3})
  assert hosts.any_of(process == 1) and not hosts.any_of(False)
  for call, kind, text in (
      (lambda: hosts.check_same({'--steps': process, 'code': 'a'}), ValueError,
       'the same:\n  --steps: 0 in process 0, 1 in process 1'),
      (lambda: hosts.first(lambda: 1 // process),
       hosts.ProcessError if process else ZeroDivisionError, 'by zero'),
      (lambda: hosts.everywhere(lambda: open('\udcff')),  # what is no text is said too
       FileNotFoundError, 'No such file'),
      (lambda: hosts.everywhere(lambda: [5][process]),
       IndexError if process else hosts.ProcessError, 'list index out of range')):
    try:
      call()
    except kind as error:
      assert text in str(error), error
    else:
      raise AssertionError(text)


def main():
  agreed()
  numbers = {'alone': trained('jit', jax.local_devices()[:1])[1]}
  for how in parallel.MANY:
    state, numbers[how] = trained(how, jax.devices())
    saved(state, folder / how)
  if hosts.is_first():
    (folder / 'numbers.json').write_text(json.dumps(numbers))


if __name__ == '__main__':
  main()
