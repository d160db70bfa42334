"""Programs of experiments/ called in this process, as their command calls them."""
import importlib.util
import sys
from unittest import mock

from absl import flags
import pytest

from common import program


def module_of(path):
  """A program by its path, as two of different folders may bear the same name."""
  spec = importlib.util.spec_from_file_location(f'{path.parent.name}_{path.stem}', path)
  module = importlib.util.module_from_spec(spec)
  sys.modules[spec.name] = module
  spec.loader.exec_module(module)
  return module


def call(module, *given):
  """Calls a program with these flags, in a set of flags of its own.

  Raises:
    flags.Error: a flag that is unknown, missing or out of range.
    program.MENDABLE: what the program tells its user.
  """
  values = flags.FlagValues()
  module.define_flags(values)
  values([module.__name__, *map(str, given)])
  with mock.patch.object(flags, 'FLAGS', values):
    return module.main()


def refused(module, *given):
  """What a program says of flags that it refuses."""
  with pytest.raises((flags.Error, *program.MENDABLE)) as error:
    call(module, *given)
  return str(error.value)
