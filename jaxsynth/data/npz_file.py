"""A data set as an .npz file: what experiments write as synthetic.npz."""
import os
import pathlib
from typing import NamedTuple
import zipfile

import numpy as np

from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.preprocess import Preprocess, preprocessed


class Contents(NamedTuple):
  """The arrays of a file, as they are.

  Attributes:
    images: `[N, H, W]` or `[N, H, W, C]`.
    labels: `[N]`, or `None`.
    class_names: of the labels, in their order, or `None`.
  """
  images: np.ndarray
  labels: np.ndarray | None
  class_names: list[str] | None


def npz(path: str | os.PathLike, preprocess: Preprocess = Preprocess(), *,
        num_classes: int | None = None, name: str | None = None) -> ArraySource:
  """The arrays `images` and, if there, `labels` and `class_names` of an .npz file.

  Args:
    path: of a file with `images` uint8 `[N, H, W]` or `[N, H, W, C]`, `labels`
      integers `[N]`, `class_names` texts, one a class in the order of the labels.
    preprocess: the size and channels of every image.
    num_classes: number of labels, where they have no names; by default every value that
      occurs is a class, as `ArraySource.of` says.
    name: for messages and records; by default the file's name.

  Returns:
    The source, in memory.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not an .npz, no `images`, pickled objects in it, or arrays that
      `ArraySource.of` refuses.
  """
  images, labels, names = read(path)
  return preprocessed(ArraySource.of(images, labels, num_classes, name or pathlib.Path(path).name,
                                     names), preprocess)


def read(path: str | os.PathLike) -> Contents:
  """The arrays as they are.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not an .npz, no `images`, pickled objects in it, or `class_names` that are no
      texts.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  try:
    with np.load(path, allow_pickle=False) as file:
      arrays = {key: file[key] for key in Contents._fields if key in file.files}
      keys = file.files
  except Exception as error:  # a zip, a .npy or neither, each fails in its own way
    why = error if zipfile.is_zipfile(path) else 'it is no zip archive'
    raise ValueError(f'{path}: not an .npz file of plain arrays ({why}); numpy.savez('
                     'path, images=..., labels=...) writes one') from error
  if 'images' not in arrays:
    raise ValueError(f"{path}: no array 'images', only {sorted(keys)}; expected 'images' "
                     "[N, H, W] or [N, H, W, C], and 'labels' [N] if there are any")
  names = arrays.get('class_names') if 'labels' in arrays else None
  if names is not None and (names.ndim != 1 or names.dtype.kind != 'U'):
    raise ValueError(f"{path}: 'class_names' is {names.dtype}{list(names.shape)}, expected texts "
                     '[K], one a class in the order of the labels')
  return Contents(arrays['images'], arrays.get('labels'), None if names is None else names.tolist())
