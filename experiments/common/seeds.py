"""The flag of a seed, of every program."""
from absl import flags

from jaxsynth.keys import SEEDS


def define(values: flags.FlagValues, meaning: str) -> None:
  """Defines `--seed`, of which every value draws something else."""
  flags.DEFINE_integer('seed', 0, meaning, lower_bound=0, upper_bound=SEEDS - 1,
                       flag_values=values)
