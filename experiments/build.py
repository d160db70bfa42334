"""A run from its configuration: networks, objective, optimizers, data."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsynth import data, objectives, train_step as ts
from jaxsynth.losses import adversarial
from jaxsynth.models import dcgan
from jaxsynth.types import Algorithm

AXIS = 'batch'
DATASETS = {'mnist5k': data.mnist5k}
LOSSES = {'non_saturating': adversarial.NON_SATURATING}
DTYPES = {'float32': jnp.float32, 'bfloat16': jnp.bfloat16}


class Run(NamedTuple):
  """What a configuration means.

  Attributes:
    algorithm: `init`, `step`, `sample`.
    num_classes: of labels, or `None` for an unconditional model.
    phases: of the schedule; batches have them first if more than one.
  """
  algorithm: Algorithm
  num_classes: int | None
  phases: int


def source(config: Mapping[str, Any]) -> data.Source:
  """The data set that a configuration names."""
  found = DATASETS[config['dataset']](config['split'])
  if config['conditional'] and found.num_classes is None:
    raise ValueError(f'--conditional: {found.name} has no labels')
  return found


def build(config: Mapping[str, Any], image_shape: tuple[int, int, int],
          num_classes: int | None) -> Run:
  """Rebuilds a run from the values in its `config.json`.

  Args:
    config: flag name to value.
    image_shape: `(H, W, C)` of the data.
    num_classes: of the data's labels, or `None`.

  Returns:
    The run; nothing is computed yet.
  """
  classes = num_classes if config['conditional'] else None
  mapped = AXIS if config['parallel'] == 'pmap' else None
  dtype = DTYPES[config['dtype']]
  generator = dcgan.Generator(
      image_shape, config['generator_width'], config['generator_strides'], classes,
      dtype, mapped if config['global_batch_norm'] else None)
  discriminator = dcgan.Discriminator(
      config['discriminator_width'], config['discriminator_strides'],
      config['dropout'], classes, dtype)
  objective = objectives.gan(generator, discriminator, LOSSES[config['loss']],
                             latent_dim=config['latent_dim'], num_classes=classes)
  optimizers = {
      player: optax.adam(config[f'{player}_learning_rate'], config['b1'], config['b2'])
      for player in ('generator', 'discriminator')}
  extra = config['discriminator_steps'] - 1
  schedule = (('discriminator',),) * extra + (('generator', 'discriminator'),)
  algorithm = ts.build(objective, optimizers, schedule=schedule, axis_name=mapped,
                       ema=ts.EMA(('generator',), config['ema_decay']))
  return Run(algorithm, classes, len(schedule))


def compiled(config: Mapping[str, Any], run: Run, devices: list[jax.Device]):
  """`(step, place)`: the compiled step, and where its batches go."""
  axis = 0 if run.phases == 1 else 1
  if config['parallel'] == 'jit':
    return ts.jit(run.algorithm.step), lambda x: jax.device_put(x, devices[0])
  mesh = jax.sharding.Mesh(devices, (AXIS,))
  spec = jax.sharding.PartitionSpec(*(None,) * axis, AXIS)
  if config['parallel'] == 'sharded':
    sharding = jax.sharding.NamedSharding(mesh, spec)
    return (ts.sharded(run.algorithm.step, devices, batch_axis=axis),
            lambda x: jax.device_put(x, sharding))

  def place(x):  # [devices, ...]
    n, share = len(devices), x.shape[axis] // len(devices)
    x = x.reshape(*x.shape[:axis], n, share, *x.shape[axis + 1:])
    first = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(AXIS))
    return jax.device_put(x.swapaxes(0, axis) if axis else x, first)
  return ts.pmap(run.algorithm.step, AXIS, devices), place
