"""Data sets as version 0.1.0 numbered their classes, for runs that began with it."""
import numpy as np

from jaxsynth.data import fingerprint
from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import Source
from jaxsynth.data.classes import moved, names_of
from jaxsynth.data.memory import in_memory
from jaxsynth.data.npz_file import npz, read
from jaxsynth.data.prepared import tfds_source
from jaxsynth.data.spec import DatasetSpec, open_dataset


def open_numbered(spec: DatasetSpec, digest: str) -> Source:
  """The data of a run, with the labels that it was trained on.

  Args:
    spec: which.
    digest: `fingerprint.digest` of what it was trained on, as its record has it.

  Returns:
    The source whose digest this is: as it is opened today, or where that is another one as
    version 0.1.0 did: a class for every number below the largest label, classes without examples
    too, and folders called by numbers sorted as texts. If neither, as it is opened today.

  Raises:
    As `open_dataset`.
  """
  source = open_dataset(spec)
  if fingerprint.digest(source) == digest or not isinstance(source, ArraySource):
    return source
  before = _before(spec, source)
  return before if fingerprint.digest(before) == digest else source


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
