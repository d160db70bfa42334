"""The flags that name a rule and what it draws."""
from collections.abc import Iterable

from absl import flags

from common import paths
from jaxsynth import runs
from jaxsynth.rules import named
from jaxsynth.rules.rule import Rule
from jaxsynth.runs.ruled import of_rule


def define(values: flags.FlagValues) -> None:
  """Defines --rule and --spec."""
  flags.DEFINE_enum('rule', None, list(named.RULES), 'Draws from this rule, which is written '
                    'down and not learned, in the place of a trained model.', flag_values=values)
  paths.define('spec', None, 'What the rule draws: JSON, as {"count": [1, 3]}, or a file of it; '
               'what it lacks takes the default.',
               values)
  flags.register_multi_flags_validator(
      ['rule', 'spec'], lambda given: given['spec'] is None or given['rule'] is not None,
      'expected --rule beside --spec', flag_values=values)


def refuse(values: flags.FlagValues, names: Iterable[str]) -> None:
  """Refuses flags that a rule has no use for.

  Raises:
    ValueError: one of them was given.
  """
  for name in names:
    if values[name].present and values[name].value not in (None, False, '', []):
      raise ValueError(f'--{name}: only without --rule, which is written down and not learned; '
                       'leave one of them out')


def rule(values: flags.FlagValues) -> tuple[str, Rule]:
  """The rule that the flags name, and its name.

  Raises:
    ValueError: a spec that cannot be.
    OSError: its file cannot be read.
  """
  name = str(values['rule'].value)
  try:
    return name, named.of_name(name, values['spec'].value)
  except ValueError as error:
    raise ValueError(f'--spec: {error}') from error


def model(values: flags.FlagValues) -> runs.Trained:
  """What draws from the rule that the flags name.

  Raises:
    ValueError: a spec that cannot be, or flags that are of a trained model alone.
    OSError: its file cannot be read.
  """
  refuse(values, ('run', 'step', 'filters', 'pseudo_labels', 'require'))
  return of_rule(*rule(values))
