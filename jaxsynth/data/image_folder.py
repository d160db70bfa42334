"""A folder of images; its subfolders, if they hold the images, are the classes."""
import collections
from collections.abc import Sequence
import dataclasses
import os
import pathlib

from absl import logging
import numpy as np

from jaxsynth.data.classes import Names, ordered
from jaxsynth.data.memory import DecodedSource
from jaxsynth.data.preprocess import Preprocess, decoded, preprocess_image

SUFFIXES = ('.png', '.jpg', '.jpeg', '.jpe', '.jfif', '.bmp', '.webp', '.gif', '.tif', '.tiff',
            '.ppm', '.pgm')


def folder(path: str | os.PathLike, preprocess: Preprocess = Preprocess(), *,
           name: str | None = None) -> DecodedSource:
  """Images under `path`, decoded on demand; `in_memory` keeps them decoded.

  With subfolders that hold images, each is a class of its name: sorted, numbers as
  numbers, they give labels 0, 1, ...; otherwise there are no labels. Examples are
  sorted by class, then by file name. Hidden files and folders do not count; other
  files that are left out are counted by suffix, in the log and in `skipped`.

  Args:
    path: of the folder; its files end in one of `suffixes()`, in any case.
    preprocess: the size and channels of every image.
    name: for messages and records; by default the folder's name.

  Returns:
    The source, of images `[H, W, C]`.

  Raises:
    FileNotFoundError: no such folder.
    ValueError: a file, no images, images beside class folders or below them, a class folder
      without images, or (when it is taken) a file that is no readable image.
  """
  root = pathlib.Path(path).expanduser()
  if root.is_file():
    raise ValueError(f'{root}: a file; expected a folder of images, or an .npz file, as '
                     "numpy.savez('data.npz', images=..., labels=...) writes it")
  if not root.is_dir():
    raise FileNotFoundError(f'{root}: no such folder of images')
  files, labels, names = _listed(root)

  def read(indices: Sequence[int]) -> list[tuple[pathlib.Path, int | None]]:
    return [(files[i], labels[i]) for i in indices]

  def decode(record: tuple[pathlib.Path, int | None]) -> tuple[np.ndarray, int | None]:
    file, label = record
    return preprocess_image(decoded(file.read_bytes()), preprocess), label

  source = DecodedSource.of(name or root.resolve().name, len(files),
                            None if names is None else len(names), read, decode,
                            lambda i: str(files[i]), names)
  skipped = skipped_files(root)
  if skipped:
    logging.warning('%s', skipped_text(root, skipped))
  return dataclasses.replace(source, skipped=skipped)


def suffixes() -> tuple[str, ...]:
  """Of the files that are read: `SUFFIXES`, and `.avif` where Pillow can read it."""
  from PIL import features  # slow to load
  avif = 'avif' in features.get_supported_modules() if 'avif' in features.modules else False
  return (*SUFFIXES, '.avif') if avif else SUFFIXES


def skipped_files(root: pathlib.Path) -> tuple[tuple[str, int], ...]:
  """Suffixes of the files in a folder and its subfolders that are not read, the most first."""
  readable, counts = suffixes(), collections.Counter[str]()
  for place in (root, *_folders(root)):
    for file in place.iterdir():
      suffix, lost = file.suffix.lower(), file.is_symlink() and not file.exists()
      if not file.name.startswith('.') and (lost or file.is_file() and suffix not in readable):
        counts[(suffix or 'no suffix') + ' (a link to nothing)' * lost] += 1
  return tuple(sorted(counts.items(), key=lambda x: (-x[1], x[0])))


def skipped_text(where: object, skipped: Sequence[tuple[str, int]]) -> str:
  """What is said of files that are left out.

  >>> skipped_text('birds', [('.heic', 38), ('.txt', 1)])
  'birds: 39 files are left out, as they are no images that can be read: 38 .heic, 1 .txt'
  """
  total = sum(n for _, n in skipped)
  each = ', '.join(f'{n:,} {suffix}' for suffix, n in skipped)
  return (f'{where}: {total:,} file{"s are" if total > 1 else " is"} left out, as they are no '
          f'images that can be read: {each}')


def _listed(root: pathlib.Path) -> tuple[list[pathlib.Path], list[int | None], Names | None]:
  flat, folders = _images(root), _folders(root)
  classes = {sub: _images(sub) for sub in folders}
  deep = [below for sub in folders for below in _folders(sub) if _images(below)]
  if deep:
    raise ValueError(f'{root}: images two folders down, in {deep[0]}; give the folder '
                     'whose subfolders are the classes')
  if not flat and not any(classes.values()):
    raise ValueError(f'{root}: no images; expected files {", ".join(suffixes())} in it, or '
                     f'in one subfolder a class{_instead(root)}')
  if not any(classes.values()):
    return flat, [None] * len(flat), None
  if flat:
    raise ValueError(f'{root}: images ({flat[0].name}) beside class folders; expected '
                     'either, not both')
  empty = [sub for sub, files in classes.items() if not files]
  if empty:
    raise ValueError(f'{empty[0]}: a class folder without images, beside others with; '
                     f'fill or remove it{_instead(empty[0])}')
  files = [file for sub in folders for file in classes[sub]]
  return (files, [k for k, sub in enumerate(folders) for _ in classes[sub]],
          tuple(sub.name for sub in folders))


def _instead(path: pathlib.Path) -> str:
  """What lies there in the place of images."""
  skipped = skipped_files(path)
  return f'. {skipped_text("There", skipped)}' if skipped else ''


def _images(path: pathlib.Path) -> list[pathlib.Path]:
  readable = suffixes()
  return sorted(p for p in path.iterdir() if p.suffix.lower() in readable
                and not p.name.startswith('.') and p.is_file())


def _folders(path: pathlib.Path) -> list[pathlib.Path]:
  names = [p.name for p in path.iterdir() if p.is_dir() and not p.name.startswith('.')]
  return [path / name for name in ordered(names)]
