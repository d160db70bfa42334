"""Arrays as they are, so that what is wrong with them can be found."""
from collections.abc import Sequence
import os
import pathlib

import numpy as np

from jaxsynth.data.arrays import Arrays
from jaxsynth.data.classes import integers, named
from jaxsynth.data.npz_file import read


class RawSource(Arrays):
  """As `data.ArraySource`, but of any real dtype and range. Make one with `of`."""
  __slots__ = ()

  @classmethod
  def of(cls, images: np.ndarray, labels: np.ndarray | None = None, name: str = 'arrays',
         class_names: Sequence[str] | None = None) -> 'RawSource':
    """Images `[N, H, W]` or `[N, H, W, C]`, and labels, integers `[N]` of at least 0.

    Classes are those of `data.ArraySource`: the values that occur where no names are given.

    Raises:
      ValueError: another rank, no images, no numbers, or other labels.

    >>> RawSource.of(np.full((2, 4, 4), np.nan)).image_shape
    (4, 4, 1)
    """
    images = np.asarray(images)
    images = images[..., None] if images.ndim == 3 else images
    if images.ndim != 4 or not images.size or images.dtype.kind not in 'uif':
      raise ValueError(f'{name}: images {images.dtype}{list(images.shape)}, expected numbers '
                       '[N, H, W] or [N, H, W, C], N > 0')
    if labels is None:
      return cls(images, None, None, name)
    labels = integers(labels, len(images), name)
    return cls(images, *named(labels, None, class_names, name))


def raw_npz(path: str | os.PathLike) -> RawSource:
  """The arrays `images`, and `labels` and their names if there, unchecked but for shape.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not an .npz, no `images`, or what `RawSource.of` refuses.
  """
  images, labels, names = read(path)
  return RawSource.of(images, labels, pathlib.Path(path).name, names)
