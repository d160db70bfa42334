r"""Trains a vector-quantised autoencoder with a prior over its codes and writes synthetic images.

    python experiments/mnist_vqvae.py --flagfile=experiments/flags/mnist_vqvae.flags \
        --data_dir=$TFDS --workdir=/tmp/vqvae

It leaves and resumes what mnist_dcgan.py does; the metrics are the terms of a bound, in nats an
image, and how much of the codebook is used.
"""
from collections.abc import Mapping
from typing import Any

from absl import flags
import optax

from common import likelihood_flags, train
from jaxsynth import runs, train_step as ts
from jaxsynth.models import vq_networks
from jaxsynth.models.causal_transformer import CausalTransformer
from jaxsynth.objectives.codebook import Codebook
from jaxsynth.objectives.vq_vae import vq_vae

SAMPLING = ('temperature',)


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a study of codes."""
  train.define(values)
  likelihood_flags.define(values)
  for name, count, least, what in (
      ('codes', 128, 2, 'Vectors of the codebook.'),
      ('features', 16, 1, 'Size of a vector.'),
      ('width', 32, 1, "Channels at half the image's size; twice as many at a quarter."),
      ('layers', 2, 0, 'Residual blocks in encoder and decoder.'),
      ('prior_width', 128, 1, 'Of the transformer over codes.'),
      ('prior_depth', 3, 1, 'Its blocks.'),
      ('prior_heads', 4, 1, 'Its heads; they divide its width.')):
    flags.DEFINE_integer(name, count, what, lower_bound=least, flag_values=values)
  for name, number, what in (
      ('commitment', .25, "Weight of the encoder's distance from the codebook."),
      ('codebook_decay', .99, 'What a step keeps of the averages that are the codebook.'),
      ('revived_below', .05, 'Part of an even share of use below which a code is replaced by an '
       'output of the encoder.'),
      ('temperature', 1., "Of samples' codes."),
      ('learning_rate', 1e-3, 'Of Adam.')):
    flags.DEFINE_float(name, number, what, flag_values=values)
  for name, fits, expected in (
      ('commitment', lambda x: x >= 0, 'at least 0'),
      ('codebook_decay', lambda x: 0 < x < 1, 'a number in (0, 1)'),
      ('revived_below', lambda x: 0 <= x < 1, 'a share in [0, 1)'),
      ('temperature', lambda x: x > 0, 'more than 0'),
      ('learning_rate', lambda x: x > 0, 'more than 0')):
    flags.register_validator(name, lambda x, fits=fits: x is None or fits(x),
                             f'expected {expected}', flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes, likelihood = about.classes_if(config['conditional']), likelihood_flags.likelihood(config)
  grid = vq_networks.grid(about.picture_shape)
  sizes = {'width': config['width'], 'layers': config['layers'],
           'dtype': train.DTYPES[config['dtype']]}
  height, width, channels = about.picture_shape
  objective = vq_vae(
      vq_networks.Encoder(config['features'], **sizes),
      vq_networks.Decoder((height, width, likelihood.outputs * channels), **sizes),
      CausalTransformer(config['codes'], grid[0] * grid[1], config['prior_width'],
                        config['prior_depth'], config['prior_heads'], classes, sizes['dtype']),
      likelihood,
      Codebook(config['codes'], config['features'], config['codebook_decay'],
               config['revived_below']),
      grid, num_classes=classes, commitment=config['commitment'],
      temperature=config['temperature'], draw_pixels=config['draw_pixels'])
  adam = optax.adam(train.rate(config['learning_rate'], config))
  return runs.Run(
      objective, {'vqvae': adam, 'prior': adam},
      ema=ts.EMA(('vqvae', 'prior'), config['ema_decay']), num_classes=classes,
      misfit=likelihood_flags.misfit(config),
      summary=f'A vector-quantised autoencoder{" given the label" if classes else ""} '
      f'({grid[0]} x {grid[1]} codes of {config["codes"]})')


if __name__ == '__main__':
  train.main(define_flags, build)
