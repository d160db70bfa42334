"""A GAN's steps on eight devices, in every way to share them: the numbers of one device.

    python tests/eight_devices.py
"""
import jax

if __name__ == '__main__':  # before anything is computed
  jax.config.update('jax_num_cpu_devices', 8)

import chex
import objectives
import optax

from jaxsynth import parallel, train_step as ts

STEPS = 3


def trained(how, n):
  objective, players = objectives.TABLE['gan']
  axis = parallel.axis_name(how)
  algorithm = ts.build(objective(axis), {p: optax.sgd(.05) for p in players}, axis_name=axis)
  state = jax.jit(algorithm.init)(jax.random.key(1), objectives.batch())
  step = parallel.compiled(algorithm.step, how, jax.devices()[:n], like=state)
  state = step.put_state(state)
  for k in range(STEPS):
    batch = jax.tree.map(lambda x: step.put_batch(jax.device_get(x)), objectives.batch(seed=k))
    state, metrics = jax.block_until_ready(step.step(state, batch, jax.random.key(3)))
  return jax.device_get((state, metrics))


def main():
  alone = trained('jit', 1)
  for how in parallel.MANY:
    chex.assert_trees_all_close(trained(how, 8), alone, rtol=1e-5, atol=1e-5)
    print(how, 'on 8 devices: the numbers of one')


if __name__ == '__main__':
  main()
