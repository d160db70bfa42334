"""Whether a data set was drawn from a model by this library: it is then no real one."""
from collections.abc import Mapping
import json
import pathlib
from typing import Any
import zipfile

from jaxsynth.data.prepared import folder_of, is_prepared
from jaxsynth.data.spec import DatasetSpec
from jaxsynth.data.tables import embedded

MARK = 'synthetic'  # an entry of metadata.json, and an array of an .npz file


def is_synthetic(spec: DatasetSpec) -> bool:
  """Whether a data set says that this library drew it, by its metadata.json or its arrays.

  Those of versions before the mark are known too: by the model that their metadata name, and a
  synthetic.npz by the run that it lies in, as a synthetic.csv is.

  Args:
    spec: of the data set; its split does not count.

  Raises:
    FileNotFoundError: no such tfds data set is prepared there.

  >>> is_synthetic(DatasetSpec('mnist5k'))
  False
  """
  path = pathlib.Path(spec.dataset).expanduser()
  if spec.kind in ('mnist5k', 'rule') or (
      spec.kind == 'table' and spec.dataset in embedded.NAMES):
    return False
  if path.suffix in ('.npz', '.csv') or spec.kind == 'table':
    return _marked(path) or path.stem == 'synthetic' and 'flags' in json_of(
        path.parent / 'config.json')
  if spec.kind == 'tfds' and not is_prepared(path):
    path = folder_of(spec.dataset, spec.data_dir)
  # a split of an image folder lies in the folder of its metadata
  parent = path.absolute().parent
  return made_here(path) or spec.kind != 'tfds' and made_here(parent) and (
      path.name in json_of(parent / 'metadata.json').get('splits', ()))


def made_here(folder: pathlib.Path) -> bool:
  """Whether the metadata.json of a folder is that of a data set of this library."""
  about = json_of(folder / 'metadata.json')
  model = about.get('model')
  return about.get(MARK) is True or 'splits' in about and isinstance(
      model, dict) and 'digest' in model


def check_real(spec: DatasetSpec) -> None:
  """Refuses a synthetic data set in the place of a real one.

  Raises:
    ValueError: it is one.
    FileNotFoundError: as `is_synthetic`.
  """
  if is_synthetic(spec):
    raise ValueError(f'{spec.dataset}: a synthetic data set, drawn from a model by jaxsynth, and '
                     'no real one: what is measured against it says nothing of real images. Name '
                     'real images, or say --synthetic_as_real where this is meant')


def json_of(path: pathlib.Path) -> Mapping[str, Any]:
  """An object of a file; empty where there is no such file, or what it holds is none."""
  try:
    content = json.loads(path.read_text(encoding='utf-8'))
  except (OSError, ValueError):
    return {}
  return content if isinstance(content, dict) else {}


def _marked(path: pathlib.Path) -> bool:
  """Whether an .npz file has the mark; one that cannot be read is the reader's to refuse."""
  try:
    with zipfile.ZipFile(path) as file:
      return f'{MARK}.npy' in file.namelist()
  except (OSError, zipfile.BadZipFile):
    return False
