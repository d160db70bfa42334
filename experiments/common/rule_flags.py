"""The flags that name a rule and what it draws."""
from absl import flags

from common import paths
from jaxsynth import runs
from jaxsynth.rules import named
from jaxsynth.runs.ruled import of_rule


def define(values: flags.FlagValues) -> None:
  """Defines --rule and --spec."""
  flags.DEFINE_enum('rule', None, list(named.RULES), 'Draws from this rule, which is written '
                    'down and not learned, in the place of a --run.', flag_values=values)
  paths.define('spec', None, 'What the rule draws: JSON, as {"count": [1, 3]}, or a file of it; '
               'what it lacks takes the default.',
               values)


def model(values: flags.FlagValues) -> runs.Trained:
  """What draws from the rule that the flags name.

  Raises:
    ValueError: a spec that cannot be, or flags that are of a trained model alone.
    OSError: its file cannot be read.
  """
  for name in ('run', 'step', 'filters', 'pseudo_labels', 'require'):
    if values[name].value:
      raise ValueError(f'--{name}: only without --rule, whose examples are exact')
  name, spec = str(values['rule'].value), values['spec'].value
  return of_rule(name, named.of_name(name, spec))
