r"""Trains a DCGAN and writes synthetic images.

    python experiments/mnist_dcgan.py \
        --flagfile=experiments/flags/quickstart.flags --workdir=/tmp/quickstart

Into --workdir go config.json, metrics.jsonl, timings.jsonl, samples/*.png, TensorBoard
events, checkpoints, with --eval_every scores.jsonl, and at the end synthetic.npz. The same
command resumes a run that was stopped, and ends with the same bits as one never stopped.
"""
from collections.abc import Mapping
from typing import Any

from absl import flags
import optax

from common import gan_flags, train
from jaxsynth import runs
from jaxsynth.models import dcgan

SAMPLING = ('temperature',)


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a GAN study."""
  train.define(values)
  gan_flags.define(values)
  gan_flags.define_conditioning(values)
  number, yes, choice, numbers = (
      flags.DEFINE_integer, flags.DEFINE_bool, flags.DEFINE_enum, flags.DEFINE_list)
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  share: dict[str, Any] = {'lower_bound': 0, 'upper_bound': 1, 'flag_values': values}
  number('discriminator_steps', 1, 'Discriminator updates a step; with 1, both networks are '
         'updated together.', **at_least(1))
  flags.DEFINE_float('generator_learning_rate', 1e-4, 'Of Adam.', **at_least(0))
  flags.DEFINE_float('discriminator_learning_rate', 5e-4, 'Of Adam.', **at_least(0))
  flags.DEFINE_float('b1', 0., "Adam's first decay.", **share)
  flags.DEFINE_float('b2', 0.999, "Adam's second decay.", **share)
  number('generator_width', 128, 'Channels.', **at_least(1))
  number('discriminator_width', 128, 'Channels.', **at_least(1))
  yes('tapered', False, 'Twice the channels where images are half as large, in both networks, as '
      "in DCGAN; the widths are then the largest image's.", flag_values=values)
  choice('generator_norm', 'batch', ['batch', 'group'], 'Normalisation: of the batch, or of each '
         'example.', flag_values=values)
  yes('conditional_norm', False, "Give every label its own scale and shift in the generator's "
      'normalisation; needs --conditional.', flag_values=values)
  yes('global_batch_norm', True, 'Under pmap, batch statistics over all devices; under sharded '
      'they always are.', flag_values=values)
  numbers('generator_strides', '1,2,2', 'Of each transposed convolution.', flag_values=values)
  numbers('discriminator_strides', '2,2', 'Of each convolution.', flag_values=values)
  number('kernel_size', 5, "Of both networks' strided convolutions.", **at_least(1))
  flags.DEFINE_float('dropout', 0.3, "The discriminator's.", **share)
  yes('spectral_norm', False, "Divide the discriminator's weights by their largest singular value.",
      flag_values=values)
  for name in ('generator_strides', 'discriminator_strides'):
    flags.register_validator(name, train.positive, 'expected positive integers with commas '
                             'between, as 1,2,2', flag_values=values)
  for name in ('b1', 'b2', 'dropout'):
    flags.register_validator(name, lambda x: x < 1, 'expected less than 1', flag_values=values)
  for name in ('generator_learning_rate', 'discriminator_learning_rate'):
    flags.register_validator(name, lambda x: x is None or x > 0, 'expected more than 0',
                             flag_values=values)
  flags.register_multi_flags_validator(
      ['adaptive_critic', 'discriminator_steps'],
      lambda f: not f['adaptive_critic'] or f['discriminator_steps'] == 1,
      '--adaptive_critic chooses the steps itself: it needs --discriminator_steps=1',
      flag_values=values)
  flags.register_multi_flags_validator(
      ['conditional_norm', 'conditional'],
      lambda f: f['conditional'] or not f['conditional_norm'],
      '--conditional_norm needs --conditional', flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes, dtype = about.classes_if(config['conditional']), train.DTYPES[config['dtype']]
  shared = config['global_batch_norm']
  generator = dcgan.Generator(
      about.picture_shape, config['generator_width'], config['generator_strides'], classes, dtype,
      about.axis_name if shared else None, config['kernel_size'],
      config['generator_norm'] == 'batch', config['conditional_norm'], config['tapered'])
  discriminator = dcgan.Discriminator(
      config['discriminator_width'], config['discriminator_strides'], config['dropout'], classes,
      dtype, config['kernel_size'], config['tapered'], config['conditioning'],
      config['spectral_norm'])

  critics = (('discriminator',),) * (config['discriminator_steps'] - 1)
  return gan_flags.run(
      config, about, generator, discriminator,
      {player: optax.adam(train.rate(config[f'{player}_learning_rate'], config), config['b1'],
                          config['b2']) for player in ('generator', 'discriminator')},
      schedule=(*critics, ('generator', 'discriminator')),
      summary=f'A DCGAN{" given the label" if classes else ""} (widths '
      f'{config["generator_width"]} and {config["discriminator_width"]})')


if __name__ == '__main__':
  train.main(define_flags, build)
