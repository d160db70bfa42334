"""A data set as an .npz file: what experiments write as synthetic.npz."""
import os
import pathlib

import numpy as np

from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.preprocess import Preprocess, preprocessed


def npz(path: str | os.PathLike, preprocess: Preprocess = Preprocess(), *,
        num_classes: int | None = None, name: str | None = None) -> ArraySource:
  """The arrays `images` and, if there, `labels` of an .npz file.

  Args:
    path: of a file with `images` uint8 `[N, H, W]` or `[N, H, W, C]`, `labels`
      integers `[N]`.
    preprocess: the size and channels of every image.
    num_classes: number of labels; one more than the largest by default.
    name: for messages and records; by default the file's name.

  Returns:
    The source, in memory.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not an .npz, no `images`, pickled objects in it, or arrays that
      `ArraySource.of` refuses.
  """
  images, labels = read(path)
  return preprocessed(ArraySource.of(images, labels, num_classes, name or pathlib.Path(path).name),
                      preprocess)


def read(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray | None]:
  """The arrays `images` and `labels` as they are.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not an .npz, no `images`, or pickled objects in it.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  try:
    with np.load(path, allow_pickle=False) as file:
      arrays = {key: file[key] for key in ('images', 'labels') if key in file.files}
      keys = file.files
  except Exception as error:  # a zip, a .npy or neither, each fails in its own way
    raise ValueError(f'{path}: not an .npz file of plain arrays ({error}); numpy.savez('
                     'path, images=..., labels=...) writes one') from error
  if 'images' not in arrays:
    raise ValueError(f"{path}: no array 'images', only {sorted(keys)}; expected 'images' "
                     "[N, H, W] or [N, H, W, C], and 'labels' [N] if there are any")
  return arrays['images'], arrays.get('labels')
