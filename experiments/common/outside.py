"""What a program writes lies outside the data that it reads."""
from collections.abc import Iterator
import pathlib

from absl import flags

from jaxsynth.data import DatasetSpec
from jaxsynth.data.spec import is_path
from jaxsynth.runs.record import NAME

OUTPUTS = ('workdir', 'out', 'report', 'output')  # the flags of where a program writes
INPUTS = ('dataset', 'split', 'validation_split', 'test_split', 'train_split', 'eval_split',
          'synthetic', 'against', 'extra')


def check(values: flags.FlagValues) -> None:
  """Looks at the flags of a program, before it does anything.

  Pictures that a run leaves in a folder of images would be taken for some of them, or for a
  class, when the folder is read again.

  Raises:
    ValueError: a folder of results lies in a folder of data, or is one.
  """
  for output in OUTPUTS:
    given = values[output].value if output in values else None
    if given is None:
      continue
    path = _resolved(given)
    for name, folder in _folders(values):
      if folder == path or folder in path.parents:
        raise ValueError(
            f'--{output}={given}: it lies in --{name}={folder}, and what is '
            'written there would be read as data the next time; name a folder outside')


def _folders(values: flags.FlagValues) -> Iterator[tuple[str, pathlib.Path]]:
  """Flags that name a folder of images, with the folder."""
  for name in INPUTS:
    given = values[name].value if name in values else None
    for text in given if isinstance(given, list) else [given]:
      if not text or name != 'dataset' and not is_path(text):
        continue
      data_dir = values['data_dir'].value if name == 'dataset' else None
      path = _resolved(text)
      if DatasetSpec(text, data_dir=data_dir).kind == 'folder' and not (path / NAME).exists():
        yield name, path


def _resolved(text: str) -> pathlib.Path:
  return pathlib.Path(text).expanduser().resolve()
