"""Flags of sampling: those that a family of models lets differ from its training.

Which they are is known once the run is: of `--run=/tmp/mnist --temperature=2` the first flag
is looked at before the others are parsed.
"""
from collections.abc import Callable, Sequence
import pathlib
from types import ModuleType
from typing import Any

from absl import flags

from common import experiments
from common.program import plain, show_in_help
from jaxsynth.runs import record as records


def of_run(folder: str) -> ModuleType:
  """The program that trained the run in a folder.

  Raises:
    ValueError, OSError: no run there, or one of no program that there is.
  """
  record = records.read_record(pathlib.Path(folder).expanduser())
  return experiments.program(record.get('experiment', experiments.FIRST))


def definer(flag: str, program_of: Callable[[str], ModuleType] = of_run,
            default: str | None = None) -> Callable[[list[str]], None]:
  """What defines those of sampling once the arguments are known, for `program.run`.

  Args:
    flag: the one that names the run or the experiment.
    program_of: from its value to the program.
    default: of the flag; with `None` no flags of sampling are defined where it is not given.
  """
  def define_more(args: list[str]) -> None:
    name = peek(args, flag) or default
    if name is not None:
      try:
        define(program_of(name), flags.FLAGS)
      except (ValueError, OSError):
        # a pipeline checks flags before it has trained a run
        if not any(arg.lstrip('-').startswith('only_check_args') for arg in args):
          raise
  return define_more


def define(program: ModuleType, values: flags.FlagValues) -> None:
  """Defines a program's flags of sampling; not given, they are as in training."""
  defined = flags.FlagValues()
  program.define_flags(defined)
  for name in program.SAMPLING:
    defined.set_default(name, None)
    defined[name].help += ' By default as in training.'
    flags.DEFINE_flag(defined[name], values, program.__name__)
  show_in_help(values)


def given(program: ModuleType, values: flags.FlagValues) -> dict[str, Any]:
  """The flags of sampling that were given, by name."""
  return {name: plain(values[name].value) for name in program.SAMPLING
          if name in values and values[name].value is not None}


def of_arguments(program: ModuleType, args: Sequence[str]) -> dict[str, Any]:
  """The flags of sampling among arguments that hold no others.

  Raises:
    ValueError: another flag, or a value that is refused.
  """
  values = flags.FlagValues()
  define(program, values)
  try:
    rest = values(['', *args])[1:]
  except flags.Error as error:
    raise ValueError(f'{error}; when samples are drawn only '
                     f'{", ".join(program.SAMPLING) or "nothing"} may be another') from error
  if rest:
    raise ValueError(f'{" ".join(rest)}: expected flags, as --solver_steps=4')
  return given(program, values)


def peek(args: Sequence[str], flag: str) -> str | None:
  """A flag's value, whatever the other flags are."""
  scratch = flags.FlagValues()
  scratch.set_gnu_getopt(True)
  flags.DEFINE_string(flag, None, '', flag_values=scratch)
  scratch(['', *args], known_only=True)
  return scratch[flag].value
