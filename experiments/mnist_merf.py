r"""Trains a generator on one noisy release of mean embeddings (DP-MERF); writes synthetic images.

    python experiments/mnist_merf.py --flagfile=experiments/flags/mnist_merf.flags \
        --data_dir=$TFDS --workdir=/tmp/merf

The data are read once, before the first step: the sum over each class of features that were fixed
before (--embedding), with noise by --epsilon and --delta. The generator then learns to have the
same means, without another look at the data, so that any number of steps is free. Without
--epsilon there is no noise, and nothing is promised. It leaves and resumes what mnist_dcgan.py
does.
"""
from collections.abc import Mapping
import functools
import math
from typing import Any

from absl import flags
import jax
import optax

from common import train
from jaxsynth import runs, train_step as ts
from jaxsynth.models.dense_generator import DenseGenerator
from jaxsynth.objectives import network
from jaxsynth.objectives.mean_embedding import mean_embedding
from jaxsynth.privacy import embedding_release, embeddings
from jaxsynth.privacy.wavelets import wavelets

SAMPLING = ('temperature',)
VIEWS = {'pixels': embeddings.pixels, 'patches': embeddings.patches, 'wavelets': wavelets}


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a study of mean embeddings."""
  train.define(values)
  flags.DEFINE_list('embedding', 'pixels', f'What is released of an image, some of '
                    f'{", ".join(VIEWS)}: random Fourier features of these.', flag_values=values)
  flags.DEFINE_list('bandwidths', '0.3,0.6', 'Of their Gaussian kernels, in parts of the range of '
                    'the values; each has as many features.', flag_values=values)
  for name, count, what in (
      ('num_features', 4096, 'Of all embeddings together; rounded down to whole frequencies.'),
      ('latent_dim', 32, 'Size of the latent.'),
      ('generator_width', 8, "Channels of the generator's image of half the size.")):
    flags.DEFINE_integer(name, count, what, lower_bound=1, flag_values=values)
  flags.DEFINE_list('hidden', '256,512', 'Sizes of its dense layers before.', flag_values=values)
  for name, number, what in (
      ('temperature', 1., 'Standard deviation of the latents of samples; above 1 images are more '
       'varied and less faithful, below 1 the other way.'),
      ('learning_rate', 2e-3, 'Of Adam.')):
    flags.DEFINE_float(name, number, what, flag_values=values)
    flags.register_validator(name, lambda x: x is None or x > 0, 'expected more than 0',
                             flag_values=values)
  flags.register_validator('embedding', lambda x: x and set(x) <= set(VIEWS),
                           f'expected some of {", ".join(VIEWS)}', flag_values=values)
  flags.register_validator('bandwidths', _are_positive, 'expected positive numbers with commas '
                           'between, as 0.3,0.6', flag_values=values)
  flags.register_validator('hidden', train.positive, 'expected positive integers with commas '
                           'between, as 256,512', flag_values=values)


def _are_positive(texts: list[str]) -> bool:
  try:
    return bool(texts) and all(0 < float(text) < math.inf for text in texts)
  except ValueError:
    return False


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes, shape = about.classes_if(config['conditional']), about.picture_shape
  bandwidths = [float(b) for b in config['bandwidths']]
  embedding = embeddings.together([
      embeddings.fourier(VIEWS[name](shape), bandwidths,
                         config['num_features'] // len(config['embedding']))
      for name in config['embedding']])
  generator = DenseGenerator(
      shape, tuple(config['hidden']), config['generator_width'], classes,
      train.DTYPES[config['dtype']], about.axis_name)
  epsilon = math.inf if config['epsilon'] is None else config['epsilon']
  delta = config['delta']

  def decode(params: Any, variables: Any, *args: jax.Array) -> jax.Array:
    return network.apply(generator, params['generator'], variables['generator'], *args)[0]

  return runs.Run(
      mean_embedding(generator, embedding, latent_dim=config['latent_dim'], num_classes=classes,
                     temperature=config['temperature']),
      {'generator': optax.adam(train.rate(config['learning_rate'], config))},
      ema=ts.EMA(('generator',), config['ema_decay']), num_classes=classes,
      decoder=runs.Decoder(config['latent_dim'], decode),
      release=runs.Release(
          functools.partial(embedding_release.take, embedding=embedding, num_classes=classes,
                            epsilon=epsilon, delta=delta),
          None if math.isinf(epsilon) else functools.partial(
              embedding_release.promise, epsilon, delta)),
      summary=f'A generator{" given the label" if classes else ""} that matches mean embeddings '
      f'({", ".join(config["embedding"])}, {embedding.size:,} features)')


if __name__ == '__main__':
  train.main(define_flags, build)
