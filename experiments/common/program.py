"""How every program of this folder starts, and how it says what is wrong."""
from collections.abc import Callable, Sequence
import functools
import locale
import os
import pathlib
import sys
from typing import Any

from absl import app, flags, logging

from common import clock, download_flag, errors, machine, outside, processes
from jaxsynth import files, hosts

HERE = pathlib.Path(__file__).resolve().parent.parent
# what a user can mend: a flag, a path, a package that is missing
MENDABLE = (ValueError, OSError, ImportError, files.CheckpointError, files.Locked,
            hosts.ProcessError, hosts.Disconnected)
# before the first line of a text file, as some editors write it
BYTE_ORDER_MARK = '\ufeff'
PREEMPTED = 75  # exit code of what was stopped and did not fail (EX_TEMPFAIL)


def run(main: Callable[[], Any], define_flags: Callable[[flags.FlagValues], None], *,
        define_more: Callable[[list[str]], None] | None = None, compiles: bool = True) -> None:
  """Defines the flags, parses them and calls `main`.

  What a user can mend, of flags, arguments and files, becomes one message and exit code 1; help
  ends with 0. With `--download` the data set is prepared first. `main` may raise SystemExit with
  a message or a code of its own.

  Args:
    main: the program.
    define_flags: called with the global flags.
    define_more: called with the arguments, flagfiles in their places, before they are parsed:
      it defines flags that depend on others.
    compiles: whether it computes with JAX: compiled programs and memory are then kept.
  """
  define_flags(flags.FLAGS)
  show_in_help(flags.FLAGS)
  app.run(functools.partial(_together, main, compiles),
          flags_parser=functools.partial(_parsed, define_more or (lambda args: None)))


def _parsed(define_more: Callable[[list[str]], None], argv: list[str]) -> list[str]:
  """Parses flags, as absl does but for what it says; the arguments that are none."""
  helped = any(arg.lstrip('-').startswith('help') for arg in argv[1:] if arg[:1] == '-')
  try:
    args = with_flagfiles(argv[1:])
    try:
      define_more(args)
    except MENDABLE:
      if not helped:  # it needs no run
        raise
    return flags.FLAGS([argv[0], *args])
  except BrokenPipeError:  # whoever reads the help has seen enough
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0) from None
  except (flags.Error, *MENDABLE) as error:
    raise refusal(error) from error
  except SystemExit as end:  # help was printed
    raise SystemExit(0 if helped else end.code) from end


def with_flagfiles(args: Sequence[str]) -> list[str]:
  """The arguments, with the lines of flagfiles in the files' places.

  Raises:
    flags.Error: a flagfile cannot be opened.
    ValueError: one is no text.
  """
  try:
    lines = flags.FLAGS.read_flags_from_files(list(args), force_gnu=False)
  except UnicodeDecodeError as error:
    raise ValueError(f'--flagfile: {error}; expected a text file in UTF-8{_locale()}') from error
  if not any(line.startswith(BYTE_ORDER_MARK) for line in lines):
    return lines
  lines = [line.removeprefix(BYTE_ORDER_MARK) for line in lines]
  return with_flagfiles([line for line in lines if line and not line.startswith(('#', '//'))])


def _locale() -> str:
  """What to do where this process reads files and names in another encoding than UTF-8."""
  names = {sys.getfilesystemencoding(), locale.getpreferredencoding(False)}
  others = sorted({x.lower() for x in names} - {'utf-8', 'utf8'})
  return f' (Python reads {others[0]} here: set PYTHONUTF8=1)' if others else ''


def refusal(error: Any) -> SystemExit:
  """The end of a program that says what its user can mend."""
  return SystemExit(f'{pathlib.Path(sys.argv[0]).name}: {error}')


def _together(main: Callable[[], Any], compiles: bool, argv: list[str]) -> Any:
  """Calls `main`; what ends one process of several is not waited for by the others."""
  try:
    return _checked(main, compiles, argv)
  except BaseException as error:
    # a number is an end that all come to
    if processes.joined() and (not isinstance(error, SystemExit) or isinstance(error.code, str)):
      processes.leave(error)
    raise


def _checked(main: Callable[[], Any], compiles: bool, argv: list[str]) -> Any:
  if len(argv) > 1:
    raise refusal(f'unexpected arguments: {" ".join(argv[1:])}; flags begin with --, and --help '
                  'lists them')
  if not flags.FLAGS['verbosity'].present:
    logging.set_verbosity(logging.WARNING)
  try:
    outside.check(flags.FLAGS)
    processes.join(flags.FLAGS, stops_at_a_step='workdir' in flags.FLAGS)
    hosts.first(lambda: download_flag.prepare(flags.FLAGS))
    # whoever does not see what the first process prepared has a disk of its own
    hosts.everywhere(lambda: None if hosts.is_first() else download_flag.prepare(flags.FLAGS))
    if compiles:
      if 'compilation_cache' not in flags.FLAGS or flags.FLAGS.compilation_cache:
        machine.keep_compiled()
      machine.keep_memory()
    return main()
  except MENDABLE as error:
    raise refusal(errors.message(error)) from error
  except (RuntimeError, MemoryError, AssertionError) as error:
    text = errors.of_machine(error)
    if text is None:
      raise
    raise refusal(text) from error


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
