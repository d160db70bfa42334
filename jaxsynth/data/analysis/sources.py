"""The sets of an analysis: a split, and the sets that are held against it."""
from collections.abc import Sequence

from jaxsynth.data.analysis.raw import raw_npz
from jaxsynth.data.batches import Source
from jaxsynth.data.kinded_npz import kinded_npz
from jaxsynth.data.opening import open_dataset
from jaxsynth.data.spec import DatasetSpec, split_names


def open_sets(spec: DatasetSpec, against: Sequence[str] | None = None) -> dict[str, Source]:
  """Name -> set: the spec's own split first, then each that is held against it.

  Arrays of an .npz file are read as they are where no shape is asked for, so that what is
  wrong with them can be found.

  Args:
    spec: of the set that is to be trained on.
    against: other splits of its data set, folders or .npz files; `None` for all other
      splits that have a name.

  Raises:
    FileNotFoundError: no such data set.
    ValueError: an unknown split, a set that is named twice, or examples that cannot be read.
    ImportError: a package that a format needs is missing.

  >>> list(open_sets(DatasetSpec('mnist5k', 'train'), ['test']))
  ['train', 'test']
  """
  splits = split_names(spec)
  if against is None:
    others = [name for name in splits if name not in (spec.split, 'all', 'endless')]
    against = others if spec.split in splits else []
  sources = {str(spec.split) if splits else spec.title: _open(spec)}
  for name in against:
    if name in sources:
      raise ValueError(f'--against={name}: named twice')
    sources[name] = _open(spec.of_split(name))
  return sources


def _open(spec: DatasetSpec) -> Source:
  as_it_is = spec.image_size is None and spec.channels is None
  if spec.kind == 'npz' and as_it_is:
    return kinded_npz(spec.dataset) or raw_npz(spec.dataset)
  return open_dataset(spec)
