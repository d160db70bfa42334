"""What a synthetic set says of the model that drew it: what was promised, and learned from what."""
from collections.abc import Mapping
import os
import pathlib
from typing import Any, NamedTuple

from jaxsynth.data.origin import json_of
from jaxsynth.evaluation.synthetic import newest_version
from jaxsynth.privacy.guarantee import Guarantee

KEY = 'privacy'  # of config.json and metadata.json


class Provenance(NamedTuple):
  """Of a synthetic set.

  Attributes:
    guarantee: what was promised to those whose data were learned from, or `None`.
    learned: the data that were learned from, as `runs.record.about` says it, or `None` where
      nothing tells.
    run: folder of the run, where the set lies in it.
    model: SHA-256 of the model that drew it, or `None` where nothing tells.
  """
  guarantee: Guarantee | None = None
  learned: Mapping[str, Any] | None = None
  run: pathlib.Path | None = None
  model: str | None = None


def provenance(path: str | os.PathLike) -> Provenance:
  """What lies beside a synthetic set: the config.json of its run, or its own metadata.json.

  Args:
    path: as `read_synthetic` takes it; it exists.

  Raises:
    ValueError: a guarantee that cannot be read; it names the file.
  """
  path = pathlib.Path(path).expanduser()
  folder = path if path.is_dir() else path.parent
  record = json_of(folder / 'config.json')
  if 'flags' in record:
    return Provenance(_guarantee(record, folder / 'config.json'), record.get('data'), folder)
  if not path.is_dir():
    return Provenance()
  version = newest_version(path)
  for file in (version / 'metadata.json', version.absolute().parent / 'metadata.json'):
    metadata = json_of(file)
    if metadata.get('splits') is not None:
      model = metadata.get('model')
      model = model if isinstance(model, Mapping) else {}
      return Provenance(_guarantee(metadata, file), model.get('data'), model=model.get('digest'))
  return Provenance()


def _guarantee(values: Mapping[str, Any], file: pathlib.Path) -> Guarantee | None:
  if values.get(KEY) is None:
    return None
  try:
    return Guarantee.of_json(values[KEY])
  except (ValueError, TypeError, AttributeError) as error:
    raise ValueError(f'{file}: its "{KEY}" cannot be read ({error}); expected what '
                     'Guarantee.to_json writes') from error
