"""The flagfile of the training, held against the flags of the pipeline."""
from typing import Any

from absl import flags


def flagfile(path: str) -> list[str]:
  """The flags in a file, those of files that it names among them.

  Raises:
    ValueError: it cannot be read.
  """
  try:
    return flags.FlagValues().read_flags_from_files([f'--flagfile={path}'])
  except flags.Error as error:
    raise ValueError(f'--train_flags={path}: {error}') from error


def check(train: list[str], own: dict[str, Any], path: str) -> None:
  """Holds a training flagfile against the pipeline's flags, which every stage gets.

  Raises:
    ValueError: it names a folder, or a flag of the data or a seed that is another one here.
  """
  for flag in train:
    name, _, value = flag.lstrip('-').partition('=')
    if name in ('workdir', 'fresh', 'nofresh'):
      raise ValueError(f'--train_flags={path}: it has --{name}, which is for the pipeline to say; '
                       'remove it there')
    if name in own:
      here = own[name]
      text = ','.join(map(str, here)) if isinstance(here, list) else (
          '' if here is None else str(here))
      if value.strip('\'"') != text and str(here) != value:
        raise ValueError(f'--train_flags={path}: {flag}, but here it is --{name}={text}, for '
                         'every stage; give the flag to the pipeline, not to the training alone')
