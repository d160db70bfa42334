"""Flags that are paths: `~` is a home folder, on the command line and in flagfiles."""
import os
from typing import Any

from absl import flags


def define(name: str, default: str | None, meaning: str, values: flags.FlagValues = flags.FLAGS,
           **more: Any) -> flags.FlagHolder:
  """Defines a flag that is a path, or a name that may be one."""
  return flags.DEFINE(PathParser(), name, default, meaning, values, **more)


def define_list(name: str, default: list[str] | None, meaning: str,
                values: flags.FlagValues = flags.FLAGS, **more: Any) -> flags.FlagHolder:
  """Defines a flag that is several of them, with commas between."""
  return flags.DEFINE(PathsParser(), name, default, meaning, values,
                      serializer=flags.CsvListSerializer(','), **more)


def expanded(path: str) -> str:
  """The path, with a home folder for `~` or `~user`.

  Raises:
    ValueError: there is no such home folder, or the path is not UTF-8, as records are.
  """
  try:
    path.encode()
  except UnicodeEncodeError as error:
    raise ValueError(f'{path!a} is not UTF-8, and records and pages are; rename it') from error
  whole = os.path.expanduser(path)
  if whole[:1] == '~':
    raise ValueError(f'there is no home folder {path.partition("/")[0]}; write the path out, or '
                     './~ for a name that begins so')
  return whole


class PathParser(flags.ArgumentParser):
  """Of one path."""
  syntactic_help = ''

  def parse(self, argument: str) -> str:
    return expanded(argument)

  def flag_type(self) -> str:
    return 'string'


class PathsParser(flags.ListParser):
  """Of several."""

  def parse(self, argument: Any) -> list[str]:
    return [expanded(path) for path in super().parse(argument)]
