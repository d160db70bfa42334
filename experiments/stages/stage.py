"""A stage as a value: what it runs, what it reads and what it leaves."""
from collections.abc import Mapping
from typing import Any, NamedTuple

NAMES = ('collect', 'preprocess', 'analyse', 'train', 'synthesise', 'assess', 'filter',
         'downstream', 'report')
Args = tuple[str, ...]


class Stage(NamedTuple):
  """One stage.

  Attributes:
    name: of the stage.
    commands: run one after the other: a program of experiments/, or the path of one, and its
      arguments; paths below OUT start with it.
    outputs: patterns below OUT; each must match when the stage is done.
    reads: names of earlier stages.
    about: what else the result depends on, by name; a change redoes the stage.
    owns: folders below OUT that are removed when the stage starts anew.
    keeps: flags that the program lets change as it goes on; another change sets what is
      owned aside, rather than removing it.
    rejection: the exit code of a command that has written its result but rejects it; `None`
      where every code but 0 is a failure.
    why_not: why the stage does not apply; empty where it does.
  """
  name: str
  commands: tuple[Args, ...]
  outputs: tuple[str, ...]
  reads: tuple[str, ...] = ()
  about: Mapping[str, str] = {}
  owns: tuple[str, ...] = ()
  keeps: Args = ()
  rejection: int | None = None
  why_not: str = ''


def named(flags: Mapping[str, Any]) -> Args:
  """Flags that have a value, as arguments."""
  return tuple(f'--{name}={x}' for name, x in flags.items() if x is not None)
