"""What README's test command leaves to `-m long`."""
from collections.abc import Collection, Iterable

import pytest


def every(argument: str, cases: Iterable[str], short: Collection[str]):
  """All cases of a test, of which a short run takes a few."""
  return pytest.mark.parametrize(argument, [
      case if case in short else pytest.param(case, marks=pytest.mark.long) for case in cases])
