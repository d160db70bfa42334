"""The flags of a likelihood of images."""
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags

from jaxsynth.losses import likelihoods
from jaxsynth.losses.likelihoods import Likelihood

LIKELIHOODS: dict[str, Callable[..., Likelihood]] = {
    'bernoulli': likelihoods.bernoulli, 'gaussian': likelihoods.gaussian,
    'learned_gaussian': likelihoods.learned_gaussian,
    'discretised_logistic': likelihoods.discretised_logistic}


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  flags.DEFINE_enum('likelihood', 'bernoulli', list(LIKELIHOODS), 'Of a pixel; bernoulli takes a '
                    'grey pixel for white in part.', flag_values=values)
  flags.DEFINE_float('std', .3, 'Standard deviation of a pixel, with --likelihood=gaussian.',
                     flag_values=values)
  flags.register_validator('std', lambda x: x is None or x > 0, 'expected more than 0',
                           flag_values=values)
  flags.DEFINE_bool('draw_pixels', False, 'Draw the pixels of samples from the likelihood, not '
                    'take its mean.', flag_values=values)


def likelihood(config: Mapping[str, Any]) -> Likelihood:
  """What the flags mean."""
  name = config['likelihood']
  return LIKELIHOODS[name](*[config['std']] * (name == 'gaussian'))


def misfit(config: Mapping[str, Any]) -> Callable[[Any], str]:
  """Why images cannot be learned from, as `Likelihood.misfit`; grey ones can as a mixture."""
  return likelihood(config).misfit if config['likelihood'] != 'bernoulli' else lambda images: ''
