r"""Trains a GAN of residual networks, R3GAN's or SNGAN's, and writes synthetic images.

    python experiments/mnist_gan.py --flagfile=experiments/flags/mnist_gan.flags \
        --data_dir=$TFDS --workdir=/tmp/gan

It leaves and resumes what mnist_dcgan.py does.
"""
from collections.abc import Mapping
from typing import Any

from absl import flags
import optax

from common import gan_flags, residual_flags, train
from jaxsynth import runs

SAMPLING = ('temperature',)


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a GAN of residual networks."""
  train.define(values)
  gan_flags.define(values)
  residual_flags.define(values)
  for name, value in (('loss', 'relativistic'), ('r1', .05), ('r2', .05), ('latent_dim', 64)):
    values.set_default(name, value)
  number = flags.DEFINE_float
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  number('learning_rate', 2e-4, 'Of Adam, of both networks.', **at_least(0))
  number('b1', 0., "Adam's first decay.", upper_bound=.9999, **at_least(0))
  number('b2', 0.9, "Adam's second decay, at the start.", upper_bound=.9999, **at_least(0))
  number('last_b2', 0.99, 'At the end, if --schedule is not constant.', upper_bound=.9999,
         **at_least(0))
  flags.register_validator('learning_rate', lambda x: x > 0, 'expected more than 0',
                           flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes = about.classes_if(config['conditional'])
  generator, discriminator = residual_flags.networks(config, about.picture_shape, classes,
                                                     about.axis_name)

  def optimizer() -> optax.GradientTransformation:
    rate, b2 = train.rate(config['learning_rate'], config), config['b2']
    if config['schedule'] == 'constant':
      return optax.adam(rate, config['b1'], b2)
    return optax.inject_hyperparams(optax.adam)(rate, config['b1'], train.between(
        b2, config['last_b2'], config))

  return gan_flags.run(
      config, about, generator, discriminator,
      {player: optimizer() for player in ('generator', 'discriminator')},
      summary=f'A GAN{" given the label" if classes else ""} ({config["network"]}, widths '
      f'{config["generator_width"]} and {config["discriminator_width"]})')


if __name__ == '__main__':
  train.main(define_flags, build)
