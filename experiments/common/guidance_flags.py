"""The flags by which samples of a flow are guided, away from what a worse model says."""
from collections.abc import Mapping
from typing import Any

from absl import flags

SAMPLING = ('guidance', 'guidance_start', 'guidance_end', 'guide_step')


def define(values: flags.FlagValues) -> None:
  """Defines them."""
  for name, number, what, fits, expected in (
      ('guidance', 1., 'How much more samples are of their label than without it, or better than '
       '--guide_step would have them; 1 is as trained, above 1 takes twice the evaluations.',
       lambda x: x >= 0, 'at least 0'),
      ('guidance_start', 0., 'The time from which samples are guided; they begin as noise at 0.',
       lambda x: 0 <= x < 1, 'a time in [0, 1)'),
      ('guidance_end', 1., 'The time until which they are; they are done at 1.',
       lambda x: 0 < x <= 1, 'a time in (0, 1]'),
      ('label_dropout', .1, 'Share of labels that are hidden in training.',
       lambda x: 0 <= x < 1, 'a share in [0, 1)')):
    flags.DEFINE_float(name, number, what, flag_values=values)
    flags.register_validator(name, lambda x, fits=fits: x is None or fits(x),
                             f'expected {expected}', flag_values=values)
  flags.DEFINE_integer('guide_step', None, 'Of an earlier checkpoint of the same run, which '
                       'guides samples in the place of the network without labels.',
                       lower_bound=1, flag_values=values)


def options(config: Mapping[str, Any]) -> dict[str, Any]:
  """The arguments of `flow_matching` that they mean."""
  return {'guidance': config['guidance'], 'guide': config['guide_step'] is not None,
          'guidance_interval': (config['guidance_start'], config['guidance_end'])}
