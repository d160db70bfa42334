"""A run from its configuration: networks, objective, optimizers, data."""
from collections.abc import Callable, Mapping
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import data, objectives, train_step as ts
from jaxsynth.losses import adversarial
from jaxsynth.models import dcgan
from jaxsynth.types import Algorithm

AXIS = 'batch'
LOSSES = {'non_saturating': adversarial.NON_SATURATING}
DTYPES = {'float32': jnp.float32, 'bfloat16': jnp.bfloat16}


class Run(NamedTuple):
  """What a configuration means.

  Attributes:
    algorithm: `init`, `step`, `sample`.
    num_classes: of labels, or `None` for an unconditional model.
    phases: of the schedule; batches have them first if more than one.
    logits: `(state, images, labels...) -> [n]`, the discriminator's, in evaluation.
  """
  algorithm: Algorithm
  num_classes: int | None
  phases: int
  logits: Callable[..., jax.Array]


def source(config: Mapping[str, Any]) -> data.Source:
  """The data set that a configuration names."""
  name, split = config['dataset'], config['split']
  size = config['image_size']
  preprocess = data.Preprocess(None if size is None else (size[0], size[1]),
                               config['channels'], config['fit'])
  if name == 'mnist5k':
    found: data.Source = data.preprocessed(data.mnist5k(split), preprocess)
  elif name.endswith('.npz'):
    found = data.npz(name, preprocess)
  elif pathlib.Path(name).is_dir():
    found = data.in_memory(data.folder(name, preprocess))
  else:
    found = data.in_memory(data.tfds_source(name, split, config['data_dir'], preprocess))
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
      player: optax.adam(rate(config, player), config['b1'], config['b2'])
      for player in ('generator', 'discriminator')}
  extra = config['discriminator_steps'] - 1
  schedule = (('discriminator',),) * extra + (('generator', 'discriminator'),)
  algorithm = ts.build(objective, optimizers, schedule=schedule, axis_name=mapped,
                       ema=ts.EMA(('generator',), config['ema_decay']))

  @jax.jit
  def logits(state: ts.TrainState, *args: jax.Array):
    own = {'params': state.params['discriminator'], **state.variables['discriminator']}
    return discriminator.apply(own, *args, train=False)

  return Run(algorithm, classes, len(schedule), logits)


def rate(config: Mapping[str, Any], player: str) -> float | optax.Schedule:
  """A player's learning rate."""
  peak = config[f'{player}_learning_rate']
  return peak if config['schedule'] == 'constant' else optax.cosine_decay_schedule(
      peak, config['steps'])


def compiled(config: Mapping[str, Any], run: Run, devices: list[jax.Device]):
  """`(step, at)`: the compiled step, and the placement of its batches on devices.

  With `--steps_per_call` K, a batch has K first and the metrics are the last step's.
  """
  fused = config['steps_per_call'] > 1
  axis = fused + (run.phases > 1)  # of the examples
  step = last_of(ts.scan(run.algorithm.step)) if fused else run.algorithm.step
  if config['parallel'] == 'jit':
    return ts.jit(step), lambda x: jax.device_put(x, devices[0])
  mesh = jax.sharding.Mesh(devices, (AXIS,))
  spec = jax.sharding.PartitionSpec(*(None,) * axis, AXIS)
  if config['parallel'] == 'sharded':
    sharding = jax.sharding.NamedSharding(mesh, spec)
    return (ts.sharded(step, devices, batch_axis=axis),
            lambda x: jax.make_array_from_process_local_data(sharding, x))

  def place(x):  # [devices, ...]
    n = len(devices) // jax.process_count()
    x = x.reshape(*x.shape[:axis], n, x.shape[axis] // n, *x.shape[axis + 1:])
    first = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(AXIS))
    return jax.make_array_from_process_local_data(first, np.moveaxis(x, axis, 0))
  return ts.pmap(step, AXIS, devices), place


def last_of(steps: ts.Step) -> ts.Step:
  """A scanned step whose metrics are those of its last."""
  def call(state, batches, key):
    state, metrics = steps(state, batches, key)
    return state, jax.tree.map(lambda x: x[-1], metrics)
  return call
