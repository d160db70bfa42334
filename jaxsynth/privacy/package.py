"""The package that clips, adds noise and counts, loaded when it is used."""
import importlib
from typing import Any


def load(name: str = 'jax_privacy') -> Any:
  """A module of the extra `privacy`: of `jax_privacy`, or of `dp_accounting`.

  Raises:
    ImportError: it is not installed; the message has the line that installs it.
  """
  try:
    return importlib.import_module(name)
  except ImportError as error:
    raise ImportError(f"privacy needs {name.partition('.')[0]}: "
                      "pip install 'jaxsynth[privacy]'") from error
