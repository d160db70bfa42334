"""Data sets as version 0.1.0 numbered their classes, for runs that began with it."""
import pathlib

from absl import logging
import numpy as np

from jaxsynth.data import fingerprint
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import Source
from jaxsynth.data.classes import moved, Names, names_of, numbered
from jaxsynth.data.memory import in_memory
from jaxsynth.data.npz_file import npz, read
from jaxsynth.data.prepared import tfds_source
from jaxsynth.data.opening import open_dataset
from jaxsynth.data.spec import DatasetSpec


def open_numbered(spec: DatasetSpec, digest: str, num_classes: int | None) -> Source:
  """The data of a run, with the labels that it was trained on.

  Args:
    spec: which.
    digest: `fingerprint.digest` of what it was trained on, as its record has it.
    num_classes: of its labels, by the record.

  Returns:
    The source whose digest and classes these are: as it is opened today, or where that is another
    one as version 0.1.0 did: a class for every number below the largest label, classes without
    examples too, and folders called by numbers sorted as texts. If neither, as it is opened today.

  Raises:
    As `open_dataset`.
  """
  source = open_dataset(spec)
  known = lambda x: fingerprint.digest(x) == digest and x.num_classes == num_classes
  if known(source) or not isinstance(source, ArraySource):
    return source
  before = _before(spec, source)
  return before if known(before) else source


def names_before(spec: DatasetSpec, num_classes: int | None) -> Names:
  """What the classes of a run are called whose record has no names.

  They are the subfolders' names, sorted as texts, if the data are a folder that is still there;
  else numbers, and a warning says so where these may be wrong.
  """
  if spec.kind != 'folder' or not num_classes:
    return numbered(num_classes)
  path = pathlib.Path(spec.dataset).expanduser()
  names = tuple(sorted(p.name for p in path.iterdir() if p.is_dir() and p.name[0] != '.')
                ) if path.is_dir() else ()
  if len(names) == num_classes:
    return names
  logging.warning('the run learned from %s, which is not there as it was, and its record has no '
                  'names of classes: they are called by their positions', spec.dataset)
  return numbered(num_classes)


def _before(spec: DatasetSpec, source: ArraySource) -> Source:
  if spec.kind == 'npz':
    labels = read(spec.dataset).labels
    return source if labels is None else npz(spec.dataset, spec.preprocess,
                                             num_classes=int(labels.max()) + 1)
  if spec.kind == 'folder' and source.labels is not None:
    names = tuple(sorted(names_of(source)))
    labels = moved(source.labels, names_of(source), names)
    order = np.argsort(labels, kind='stable')
    return source._replace(images=source.images[order], labels=labels[order], class_names=names)
  if spec.kind == 'tfds':
    return in_memory(tfds_source(
        spec.dataset, spec.split or 'train', spec.data_dir, spec.preprocess,
        image_key=spec.image_key, label_key=spec.label_key))
  return source
