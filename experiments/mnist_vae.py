r"""Trains a convolutional variational autoencoder and writes synthetic images.

    python experiments/mnist_vae.py --flagfile=experiments/flags/mnist_vae.flags \
        --workdir=/tmp/vae

It leaves and resumes what mnist_dcgan.py does; the metrics are the bound's terms, in nats an
image.
"""
from collections.abc import Mapping
from typing import Any

from absl import flags
import jax
import optax

from common import train
from jaxsynth import runs, train_step as ts
from jaxsynth.losses import elbo
from jaxsynth.models import conv_vae
from jaxsynth.objectives import network
from jaxsynth.objectives.vae import vae

SAMPLING = ('temperature',)


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a VAE study."""
  train.define(values)
  flags.DEFINE_integer('latent_dim', 16, 'Size of the latent.', lower_bound=1,
                       flag_values=values)
  flags.DEFINE_integer('width', 32, 'Channels of the largest image in both networks.',
                       lower_bound=1, flag_values=values)
  flags.DEFINE_integer('hidden', 256, "Size of both networks' dense layer.", lower_bound=1,
                       flag_values=values)
  flags.DEFINE_enum('likelihood', 'bernoulli', ['bernoulli', 'gaussian'], 'Of a pixel.',
                    flag_values=values)
  for name, default, what in (
      ('std', .3, 'Standard deviation of a pixel, with --likelihood=gaussian.'),
      ('beta', 1., 'Weight of the divergence; 1 is the evidence lower bound.'),
      ('temperature', 1., 'Standard deviation of the latents of samples.'),
      ('learning_rate', 1e-3, 'Of Adam.')):
    flags.DEFINE_float(name, default, what, flag_values=values)
    flags.register_validator(name, lambda x: x is None or x > 0, 'expected more than 0',
                             flag_values=values)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  classes, dtype = about.classes_if(config['conditional']), train.DTYPES[config['dtype']]
  sizes = config['width'], config['hidden'], classes, dtype
  encoder = conv_vae.Encoder(config['latent_dim'], *sizes)
  decoder = conv_vae.Decoder(about.image_shape, *sizes)
  likelihood = (elbo.bernoulli() if config['likelihood'] == 'bernoulli' else
                elbo.gaussian(config['std']))

  def decode(params: Any, variables: Any, *args: jax.Array) -> jax.Array:
    return likelihood.mean(network.apply(
        decoder, params['vae']['decoder'], variables['vae']['decoder'], *args)[0])

  return runs.Run(
      vae(encoder, decoder, likelihood, latent_dim=config['latent_dim'], num_classes=classes,
          beta=config['beta'], temperature=config['temperature']),
      {'vae': optax.adam(train.rate(config['learning_rate'], config))},
      ema=ts.EMA(('vae',), config['ema_decay']), num_classes=classes,
      decoder=runs.Decoder(config['latent_dim'], decode),
      summary=f'A variational autoencoder{" given the label" if classes else ""} '
      f'({config["latent_dim"]} latents, {config["likelihood"]} likelihood)')


if __name__ == '__main__':
  train.main(define_flags, build)
