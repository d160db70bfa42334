"""A run from its configuration: networks, objective, optimizers, data."""
from collections.abc import Callable, Mapping
import functools
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import data, objectives, train_step as ts
from jaxsynth.accumulate import accumulate
from jaxsynth.losses import adversarial
from jaxsynth.models import dcgan
from jaxsynth.types import Algorithm

AXIS = 'batch'
LOSSES = {'non_saturating': adversarial.NON_SATURATING,
          'relativistic_average': adversarial.RELATIVISTIC_AVERAGE}
# not in every config.json
LATER = {'kernel_size': 5, 'image_key': 'image', 'label_key': 'label', 'accumulate': 1,
         'packing': 1, 'generator_norm': 'batch', 'conditional_norm': False, 'tapered': False,
         'eval_every': 0, 'eval_samples': 2000, 'eval_split': None}
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
  config = {**LATER, **config}
  name, split = config['dataset'], config['split']
  size = config['image_size']
  preprocess = data.Preprocess(None if size is None else (size[0], size[1]),
                               config['channels'], config['fit'])
  of = kind(name, config['data_dir'])
  if of in ('npz', 'folder') and split not in (None, 'train'):
    raise ValueError(f'--split={split}: {name} has no splits; expected train, which is all of it')
  if of == 'mnist5k':
    found: data.Source = data.preprocessed(data.mnist5k(split), preprocess)
  elif of == 'npz':
    found = data.npz(name, preprocess)
  elif of == 'folder':
    found = data.in_memory(data.folder(name, preprocess))
  else:
    found = data.in_memory(data.tfds_source(
        name, split, config['data_dir'], preprocess,
        image_key=config['image_key'], label_key=config['label_key'] or None))
  if config['conditional'] and found.num_classes is None:
    raise ValueError(f'--conditional: {found.name} has no labels')
  return found


def kind(name: str, data_dir: str | None = None) -> str:
  """What the name of a data set is of: 'mnist5k', 'npz', 'folder' or 'tfds'.

  A bare name is a folder's only where there is one and `data_dir` is not given, which
  says that the name is a tfds data set's.
  """
  if name == 'mnist5k':
    return name
  if name.endswith('.npz'):
    return 'npz'
  if data.is_prepared(name):
    return 'tfds'
  bare = not is_path(name)
  return 'tfds' if bare and (data_dir or not pathlib.Path(name).is_dir()) else 'folder'


def is_path(name: str) -> bool:
  """Whether a name is written as that of a folder or file: never a tfds data set or a split."""
  return name.endswith('.npz') or '/' in name or name[:1] == '~' or name in ('.', '..')


def name_of(dataset: str) -> str:
  """What a record calls the data set: the last part of a path, but for a version's number."""
  path = pathlib.Path(dataset).expanduser().absolute()
  return path.parent.name if data.is_prepared(path) else path.name


def of_split(config: Mapping[str, Any], split: str) -> dict[str, Any]:
  """The configuration of another split of its data set, or of the path that stands for one.

  Raises:
    ValueError: a bare name, but the data set has no splits.
  """
  if is_path(split):
    return {**config, 'dataset': split, 'data_dir': None, 'split': 'train'}
  if kind(config['dataset'], config['data_dir']) in ('npz', 'folder'):
    raise ValueError(f'{split}: {config["dataset"]} has no splits; expected a folder, as '
                     f'./{split}, or an .npz file')
  return {**config, 'split': split}


def build(config: Mapping[str, Any], image_shape: tuple[int, int, int],
          num_classes: int | None, temperature: float = 1.) -> Run:
  """Rebuilds a run from the values in its `config.json`.

  Args:
    config: flag name to value.
    image_shape: `(H, W, C)` of the data.
    num_classes: of the data's labels, or `None`.
    temperature: of its samples.

  Returns:
    The run; nothing is computed yet.
  """
  config = {**LATER, **config}
  classes = num_classes if config['conditional'] else None
  mapped = AXIS if config['parallel'] == 'pmap' else None
  dtype = DTYPES[config['dtype']]
  generator = generator_of(config, image_shape, num_classes)
  discriminator = dcgan.Discriminator(
      config['discriminator_width'], config['discriminator_strides'],
      config['dropout'], classes, dtype, config['kernel_size'], config['tapered'])
  objective = objectives.gan(generator, discriminator, LOSSES[config['loss']],
                             latent_dim=config['latent_dim'], num_classes=classes,
                             packing=config['packing'], temperature=temperature)
  optimizers = {
      player: optax.adam(rate(config, player), config['b1'], config['b2'])
      for player in ('generator', 'discriminator')}
  extra = config['discriminator_steps'] - 1
  schedule = (('discriminator',),) * extra + (('generator', 'discriminator'),)
  algorithm = ts.build(objective, optimizers, schedule=schedule, axis_name=mapped,
                       grad_fn=accumulate(objective, config['accumulate']),
                       ema=ts.EMA(('generator',), config['ema_decay']))

  @jax.jit
  def logits(state: ts.TrainState, image: jax.Array, *labels: jax.Array):
    own = {'params': state.params['discriminator'], **state.variables['discriminator']}
    whole = len(image) - len(image) % config['packing']
    return discriminator.apply(
        own, objectives.packed(image[:whole], config['packing']), *labels, train=False)

  return Run(algorithm, classes, len(schedule), logits)


def generator_of(config: Mapping[str, Any], image_shape: tuple[int, int, int],
                 num_classes: int | None) -> dcgan.Generator:
  """The generator alone: `(z [B, latent_dim], label [B] if conditional, train=) -> images`."""
  config = {**LATER, **config}
  mapped = config['parallel'] == 'pmap' and config['global_batch_norm']
  return dcgan.Generator(
      image_shape, config['generator_width'], config['generator_strides'],
      num_classes if config['conditional'] else None, DTYPES[config['dtype']],
      AXIS if mapped else None, config['kernel_size'],
      config['generator_norm'] == 'batch', config['conditional_norm'], config['tapered'])


def rate(config: Mapping[str, Any], player: str) -> float | optax.Schedule:
  """A player's learning rate."""
  peak = config[f'{player}_learning_rate']
  return peak if config['schedule'] == 'constant' else optax.cosine_decay_schedule(
      peak, config['steps'])


class Compiled(NamedTuple):
  """A compiled step, and where its arguments go.

  Attributes:
    step: `(state, batch, key) -> (state, metrics)`; with `--steps_per_call` K, a batch
      has K first and the metrics are the last step's.
    batch: a host batch's leaf, to the devices.
    state: a whole state, to the devices: laid out as the step returns it, so that
      its first call compiles what all others run.
  """
  step: ts.Step
  batch: Callable[[np.ndarray], jax.Array]
  state: Callable[[ts.TrainState], ts.TrainState]


def compiled(config: Mapping[str, Any], run: Run, devices: list[jax.Device]) -> Compiled:
  """Compiles the run's step the way that `--parallel` says."""
  fused = config['steps_per_call'] > 1
  axis = fused + (run.phases > 1)  # of the examples
  step = last_of(ts.scan(run.algorithm.step)) if fused else run.algorithm.step
  if config['parallel'] == 'jit':
    put = functools.partial(jax.device_put, device=devices[0])
    return Compiled(ts.jit(step), put, put)
  mesh = jax.sharding.Mesh(devices, (AXIS,))
  whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  everywhere = functools.partial(jax.device_put, device=whole)
  if config['parallel'] == 'sharded':
    share = jax.sharding.NamedSharding(
        mesh, jax.sharding.PartitionSpec(*(None,) * axis, AXIS))
    return Compiled(ts.sharded(step, devices, batch_axis=axis),
                    functools.partial(jax.device_put, device=share), everywhere)
  first = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(AXIS))

  def divided(x: np.ndarray) -> jax.Array:  # [devices, ...]
    n = len(devices)
    x = x.reshape(*x.shape[:axis], n, x.shape[axis] // n, *x.shape[axis + 1:])
    return jax.device_put(np.moveaxis(x, axis, 0), first)
  return Compiled(ts.pmap(step, AXIS, devices), divided, everywhere)


def last_of(steps: ts.Step) -> ts.Step:
  """A scanned step whose metrics are those of its last."""
  def call(state, batches, key):
    state, metrics = steps(state, batches, key)
    return state, jax.tree.map(lambda x: x[-1], metrics)
  return call
