"""The packages that draw, loaded when they are used."""
import importlib
from typing import Any


def load(name: str) -> Any:
  """A module of the extra `report`.

  Raises:
    ImportError: it is not installed; the message has the line that installs it.
  """
  try:
    return importlib.import_module(name)
  except ImportError as error:
    raise ImportError(f"a report needs {name.partition('.')[0]}: "
                      "pip install 'jaxsynth[report]'") from error
