"""What a data set says of itself, as tensorflow-datasets reads it."""
from collections.abc import Mapping, Sequence
import json
import os
import pathlib
import tempfile
from typing import Any, NamedTuple

from jaxsynth import files
from jaxsynth.kinds.kind import Kind
from jaxsynth.synthesis.plan import Shard


ADDED = ('class_names', 'synthetic', 'kind')  # settings that data sets of earlier versions lack


class About(NamedTuple):
  """What is known before anything is drawn.

  Attributes:
    name: of the data set, a Python identifier.
    version: as `1.0.0`.
    kind: of its examples.
    description: for people.
    citation: BibTeX.
  """
  name: str
  version: str
  kind: Kind
  description: str = ''
  citation: str = ''


class OtherSettings(ValueError):
  """The folder holds, or begins to hold, another data set."""


def claim(folder: str | os.PathLike, settings: Mapping[str, Any]) -> None:
  """Writes `metadata.json`, or holds the settings against the one that is there.

  tensorflow-datasets shows the file as `builder.info.metadata`. Every worker claims
  before it draws; of workers that begin together one writes it, and all read it. An entry
  `measured`, which the file may get once the data are there, is no setting.

  Args:
    folder: made if missing.
    settings: all that the bytes depend on, as JSON holds it.

  Raises:
    OtherSettings: other settings, or files that are no part of such a data set.
    OSError: the folder cannot be written.
  """
  folder, settings = pathlib.Path(folder), json.loads(json.dumps(settings))
  path = folder / 'metadata.json'
  folder.mkdir(parents=True, exist_ok=True)
  if not path.exists():
    foreign = sorted(p.name for p in folder.iterdir() if not p.name.startswith('.'))
    if foreign and not path.exists():
      raise OtherSettings(f'{folder} holds {foreign[0]} and no metadata.json: not a data '
                          'set of this engine; give another folder, name or version')
    with files.write_aside(path, exclusive=True) as f:
      f.write(json.dumps(settings, indent=2, sort_keys=True).encode() + b'\n')
  there = json.loads(path.read_text(encoding='utf-8'))
  there.pop('measured', None)
  # data sets from before it was kept are gone on with
  settings = {key: x for key, x in settings.items() if key in there or key not in ADDED}
  before, now = _flat(there), _flat(settings)
  for flat in (before, now):
    flat.pop('model.flags.dataset', None)  # once a path; model.data says which they are
  lines = [f'\n  {key}: {before.get(key)!r} there, {now.get(key)!r} now'
           for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
  if lines:
    raise OtherSettings(f'{folder} holds a data set of other settings:' + ''.join(lines) +
                        '\nGive another folder, name or version, or remove it')


def _flat(tree: Mapping[str, Any], path: str = '') -> dict[str, Any]:
  out: dict[str, Any] = {}
  for key, value in tree.items():
    out.update(_flat(value, f'{path}{key}.') if isinstance(value, Mapping) and value
               else {path + key: value})
  return out


def write_metadata(folder: pathlib.Path, about: About, suffix: str, shards: Sequence[Shard],
                   sizes: Sequence[int]) -> None:
  """`features.json`, then `dataset_info.json`, which makes it a data set.

  The same bytes whoever writes them, so that two workers may.

  Args:
    folder: of the data set's version.
    about: what to say.
    suffix: of its files.
    shards: in order.
    sizes: of their files, bytes.
  """
  import tensorflow_datasets as tfds  # slow to load
  template = tfds.core.ShardedFileTemplate(
      data_dir=folder, dataset_name=about.name, filetype_suffix=suffix)
  splits = []
  for split in dict.fromkeys(shard.split for shard in shards):
    mine = [(shard, size) for shard, size in zip(shards, sizes) if shard.split == split]
    splits.append(tfds.core.SplitInfo(
        name=split, shard_lengths=[shard.stop - shard.start for shard, _ in mine],
        num_bytes=sum(size for _, size in mine),
        filename_template=template.replace(split=split)))
  condition = about.kind.condition
  info = tfds.core.DatasetInfo(
      builder=tfds.core.DatasetIdentity(
          name=about.name, version=tfds.core.Version(about.version), data_dir=str(folder),
          module_name=''),
      features=tfds.features.FeaturesDict(about.kind.tfds_features()),
      description=about.description,
      supervised_keys=None if condition is None else (about.kind.name, condition),
      citation=about.citation)
  info.set_file_format(suffix)
  info.set_splits(tfds.core.SplitDict(splits))
  with tempfile.TemporaryDirectory() as written:
    info.write_to_directory(written)
    contents = sorted(pathlib.Path(written).iterdir(), key=lambda p: p.name == 'dataset_info.json')
    for file in contents:
      with files.write_aside(folder / file.name) as f:
        f.write(file.read_bytes())
