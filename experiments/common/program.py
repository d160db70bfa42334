"""How every program of this folder starts, and how it says what is wrong."""
from collections.abc import Callable
import functools
import pathlib
import sys
from typing import Any

from absl import app, flags, logging

from common import clock, errors, machine
from jaxsynth import files

HERE = pathlib.Path(__file__).resolve().parent.parent
# what a user can mend: a flag, a path, a package that is missing
MENDABLE = (ValueError, OSError, ImportError, files.CheckpointError, files.Locked)
Parser = Callable[[list[str]], list[str]]


def run(main: Callable[[], Any], define_flags: Callable[[flags.FlagValues], None], *,
        flags_parser: Parser | None = None, compiles: bool = True) -> None:
  """Defines the flags, parses them and calls `main`.

  Arguments that are no flags are refused, and errors that a user can mend become one
  message and exit code 1. `main` may raise SystemExit with a message or a code of its own.

  Args:
    main: the program.
    define_flags: called with the global flags.
    flags_parser: as `absl.app.run`'s.
    compiles: whether it computes with JAX: compiled programs and memory are then kept.
  """
  define_flags(flags.FLAGS)
  show_in_help(flags.FLAGS)
  checked = functools.partial(_checked, main, compiles)
  app.run(checked, flags_parser=flags_parser or app.parse_flags_with_usage)


def _checked(main: Callable[[], Any], compiles: bool, argv: list[str]) -> Any:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  if not flags.FLAGS['verbosity'].present:
    logging.set_verbosity(logging.WARNING)
  if compiles:
    if 'compilation_cache' not in flags.FLAGS or flags.FLAGS.compilation_cache:
      machine.keep_compiled()
    machine.keep_memory()
  try:
    return main()
  except MENDABLE as error:
    raise app.UsageError(errors.message(error)) from error
  except (RuntimeError, MemoryError, AssertionError) as error:
    text = errors.of_machine(error)
    if text is None:
      raise
    raise app.UsageError(text) from error


def show_in_help(values: flags.FlagValues) -> None:
  """Makes `--help` list every flag that the program has defined, wherever it was."""
  for name in values:
    flag = values[name]
    module = values.find_module_defining_flag(name)
    file = getattr(sys.modules.get(module or ''), '__file__', None) or sys.argv[0]
    if HERE in pathlib.Path(file).resolve().parents:  # not of the packages that it imports
      values.register_key_flag_for_module(sys.argv[0], flag)


def done(what: Any) -> None:
  """The last line of a program: what it made, and how long it took."""
  print(f'done: {what} ({clock.seconds():.0f} s)')


def plain(value: Any) -> Any:
  """A flag's value as JSON holds it: lists are of integers where they can be."""
  if not isinstance(value, list):
    return value
  return [int(x) if str(x).strip().lstrip('-').isdigit() else x for x in value]
