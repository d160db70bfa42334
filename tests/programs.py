"""Programs of experiments/ called in this process, as their command calls them."""
from unittest import mock

from absl import flags
import pytest

from common import program


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
