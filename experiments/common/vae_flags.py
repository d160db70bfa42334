"""The flags of a variational autoencoder: its networks and its bound."""
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from jaxsynth.losses.elbo import Bound


def define(values: flags.FlagValues, networks: Sequence[str]) -> None:
  """Defines them; the first network is the default."""
  number, choice = flags.DEFINE_integer, flags.DEFINE_enum
  given: dict[str, Any] = {'flag_values': values}
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  number('latent_dim', 16, 'Size of the latent.', **at_least(1))
  choice('network', networks[0], networks, 'Convolutions; dense layers; residual '
         'convolutions; or convolutions over time, of series.', **given)
  number('width', 32, 'Channels of the largest image in both networks; not of mlp.', **at_least(1))
  number('hidden', 256, "Size of both networks' dense layer.", **at_least(1))
  number('layers', 1, 'Dense layers of mlp; residual blocks a size of residual.', **at_least(1))
  flags.DEFINE_float('dropout', 0., 'Rate in residual.', lower_bound=0, **given)
  choice('prior', 'normal', ['normal', 'flow'], 'Of the latent: the standard normal, or a flow '
         'that is learned, for each label if --conditional.', **given)
  number('prior_layers', 6, 'Couplings of --prior=flow.', **at_least(2))
  number('prior_hidden', 128, 'Size of its dense layers.', **at_least(1))
  choice('bound', 'elbo', ['elbo', 'iwae'], 'The evidence lower bound, or the importance-weighted '
         'one.', **given)
  number('importance_samples', 1, 'Latents drawn an image.', **at_least(1))
  choice('kl', 'exact', ['exact', 'sampled'], 'The divergence of --bound=elbo from the normal '
         'prior, in closed form or of the draws.', **given)
  choice('gradient', 'total', ['total', 'path', 'doubly'], "Of a bound of draws: total, path "
         '(sticking the landing) or doubly (doubly reparametrised, of iwae).', **given)
  flags.DEFINE_float('free_bits', 0., 'Nats a latent whose divergence is not pressed further.',
                     lower_bound=0, **given)
  number('warm_up', 0, 'Steps over which the weight of the divergence rises.', **at_least(0))
  for name, default, what in (
      ('beta', 1., 'Weight of the divergence; 1 is the evidence lower bound.'),
      ('temperature', 1., 'Standard deviation of the latents of samples.'),
      ('learning_rate', 1e-3, 'Of Adam.')):
    flags.DEFINE_float(name, default, what, **given)
    flags.register_validator(name, lambda x: x is None or x > 0, 'expected more than 0', **given)
  flags.register_validator('dropout', lambda x: x < 1, 'expected less than 1', **given)
  flags.register_multi_flags_validator(
      ['prior', 'latent_dim'], lambda f: f['prior'] == 'normal' or f['latent_dim'] > 1,
      '--prior=flow needs --latent_dim of at least 2', **given)


def bound(config: Mapping[str, Any]) -> Bound:
  """What is climbed.

  Raises:
    ValueError: flags that do not go together.
  """
  weighted = config['bound'] == 'iwae'
  exact = config['kl'] == 'exact' and config['prior'] == 'normal' and not weighted
  return Bound(config['importance_samples'], weighted, exact, config['gradient'], config['beta'],
               config['warm_up'], config['free_bits']).checked()


def sizes(config: Mapping[str, Any]) -> dict[str, Any]:
  """The arguments of its networks that flags of the same names say."""
  names = {'conv': ('width', 'hidden'), 'mlp': ('hidden', 'layers'),
           'residual': ('width', 'hidden', 'layers', 'dropout'), 'temporal': ('width', 'hidden')}
  return {name: config[name] for name in names[config['network']]}
