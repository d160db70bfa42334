"""Data sets as PNG files in one folder a class."""
from collections.abc import Callable, Iterable, Mapping, Sequence
import os
import pathlib
import re
import shutil
import tempfile

import numpy as np

from jaxsynth import files
from jaxsynth.data.classes import numbered
from jaxsynth.kinds import png
from jaxsynth.synthesis.engine import Encoded, Format
from jaxsynth.synthesis.labels import Shares, counts
from jaxsynth.synthesis.plan import Shard


def image_folder(folder: str | os.PathLike, num_classes: int | None = None,
                 shares: Shares | None = None, *, exact: bool = True,
                 class_names: Sequence[str] | None = None) -> Format:
  """`SPLIT/CLASS/000001.png`, or `SPLIT/000001.png` without labels.

  A file's name is its sample's address. A class's folder has its name, or its number,
  with zeros before it where there are more than ten; a class without images has no
  folder, and the others keep their names. A shard's files are
  written aside, synced and renamed one by one; an empty file in `.shards` says that
  they are all there.

  Args:
    folder: of the data set; it exists.
    num_classes: of labels, or `None` for none.
    shares: of the labels; `num_classes` by default.
    exact: whether every class must have its share, or only a split its images.
    class_names: of the labels, in their order; numbers by default.

  Raises:
    ValueError: a class whose name cannot be that of a folder.
  """
  root = pathlib.Path(folder)
  folders = _folder_names(num_classes, class_names)

  def place(split: str, label: int | None) -> pathlib.Path:
    return root / split if label is None else root / split / folders[label]

  def encode(example: Mapping[str, np.ndarray]) -> bytes:
    return png.encode(example['image'])

  def write(shard: Shard, pieces: Iterable[Encoded]) -> None:
    for torn in root.glob(f'.{shard.name}.*.aside'):
      shutil.rmtree(torn)
    with tempfile.TemporaryDirectory(prefix=f'.{shard.name}.', suffix='.aside', dir=root,
                                     ignore_cleanup_errors=True) as aside:
      finals = []
      for piece in pieces:
        labels = [None] * len(piece.records) if piece.labels is None else piece.labels.tolist()
        for i, (record, label) in enumerate(zip(piece.records, labels), piece.start):
          finals.append(place(shard.split, label) / f'{i:06d}.png')
          pathlib.Path(aside, f'{i:06d}.png').write_bytes(record)
      os.sync()  # at once, since once a file costs more than drawing it
      for parent in {final.parent for final in finals}:
        parent.mkdir(parents=True, exist_ok=True)
      for final in finals:
        os.replace(pathlib.Path(aside, final.name), final)
    (root / '.shards').mkdir(exist_ok=True)
    with files.write_aside(root / '.shards' / shard.name):
      pass

  return Format(encode, write, lambda shard: (root / '.shards' / shard.name).exists(),
                lambda shards: _check(shards, place, num_classes, shares, exact))


def _folder_names(num_classes: int | None, class_names: Sequence[str] | None) -> list[str]:
  """The folder of each class."""
  numbers = numbered(num_classes)
  if class_names is None or tuple(class_names) == numbers:
    digits = len(str((num_classes or 1) - 1))
    return [name.zfill(digits) for name in numbers]
  bad = [name for name in class_names if not re.fullmatch(r'[^./\\\0][^/\\\0]*', name) or
         len(name.encode()) > 255]
  if bad:
    raise ValueError(f'the class {bad[0]!r} cannot be a folder of that name; write array_record, '
                     'which keeps any name')
  return list(class_names)


def _check(shards: Sequence[Shard], place: Callable[[str, int | None], pathlib.Path],
           num_classes: int | None, shares: Shares | None, exact: bool) -> None:
  """Counts the images of every class, or of all together.

  Raises:
    OSError: there are more or fewer than asked for.
  """
  every = [None] if num_classes is None else range(num_classes)
  for split in dict.fromkeys(shard.split for shard in shards):
    mine = [shard for shard in shards if shard.split == split]
    start, stop = mine[0].start, mine[-1].stop
    sizes = {}
    for label in every:
      here = place(split, label)
      sizes[here] = sum(p.suffix == '.png' for p in here.iterdir()) if here.exists() else 0
    if num_classes is None or not exact:
      sizes, wanted = {place(split, None): sum(sizes.values())}, [stop - start]
    else:
      wanted = counts(start, stop, num_classes if shares is None else shares).tolist()
    for (here, n), want in zip(sizes.items(), wanted):
      if n != want:
        raise OSError(f'{here} has {n} images, expected {want}: remove it and .shards, and '
                      'run this again')
