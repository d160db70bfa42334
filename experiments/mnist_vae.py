r"""Trains a variational autoencoder and writes synthetic images.

    python experiments/mnist_vae.py --flagfile=experiments/flags/mnist_vae.flags \
        --workdir=/tmp/vae

It leaves and resumes what mnist_dcgan.py does; the metrics are the bound's terms, in nats an
image. evaluate_likelihood.py measures log p(x) of a run.
"""
from collections.abc import Mapping
import functools
from typing import Any

from absl import flags
import jax
import optax

from common import likelihood_flags, train, vae_flags
from jaxsynth import runs, train_step as ts
from jaxsynth.models import conv_vae, coupling_flow, mlp_vae, residual_vae, series_vae
from jaxsynth.objectives.vae import vae
from jaxsynth.objectives.vae_networks import Networks

SAMPLING = ('temperature',)
MODELS: dict[str, Any] = {'conv': conv_vae, 'mlp': mlp_vae, 'residual': residual_vae,
                          'temporal': series_vae}
OF_ANY_SHAPE = ('mlp', 'temporal')


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a VAE study."""
  train.define(values)
  likelihood_flags.define(values)
  vae_flags.define(values, tuple(MODELS))


def networks(config: Mapping[str, Any], about: runs.About, outputs: int) -> Networks:
  """Encoder, decoder and prior; `outputs` of the decoder are for each channel of the image."""
  classes, model = about.classes_if(config['conditional']), MODELS[config['network']]
  sizes = vae_flags.sizes(config) | {'num_classes': classes,
                                     'dtype': train.DTYPES[config['dtype']]}
  *sides, channels = (
      about.image_shape if config['network'] in OF_ANY_SHAPE else about.picture_shape)
  prior = (coupling_flow.CouplingFlow(config['prior_layers'], config['prior_hidden'], classes)
           if config['prior'] == 'flow' else None)
  return Networks(model.Encoder(config['latent_dim'], **sizes),
                  model.Decoder((*sides, outputs * channels), **sizes), prior,
                  config['latent_dim'], classes)


def build(config: Mapping[str, Any], about: runs.About) -> runs.Run:
  """The run that the flags mean."""
  likelihood = likelihood_flags.likelihood(config)
  nets = networks(config, about, likelihood.outputs)

  def decode(params: Any, variables: Any, noise: jax.Array, *labels: jax.Array) -> jax.Array:
    return likelihood.mean(nets.decoded(params, variables, noise, *labels))

  return runs.Run(
      vae(*nets[:2], likelihood, latent_dim=nets.latent_dim, num_classes=nets.num_classes,
          prior=nets.prior, bound=vae_flags.bound(config), temperature=config['temperature'],
          draw_pixels=config['draw_pixels']),
      {'vae': optax.adam(train.rate(config['learning_rate'], config))},
      ema=ts.EMA(('vae',), config['ema_decay']), num_classes=nets.num_classes,
      decoder=None if config['draw_pixels'] else runs.Decoder(nets.latent_dim, decode),
      density=runs.Density(functools.partial(nets.log_weights, likelihood), likelihood.misfit),
      misfit=likelihood_flags.misfit(config), signals=runs.collapse.OF_VAES,
      summary=f'A variational autoencoder{" given the label" if nets.conditional else ""} '
      f'({nets.latent_dim} latents, {config["likelihood"]} likelihood)')


if __name__ == '__main__':
  train.main(define_flags, build)
