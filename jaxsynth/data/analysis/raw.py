"""Arrays as they are, so that what is wrong with them can be found."""
from collections.abc import Mapping
import os
import pathlib
from typing import NamedTuple

import numpy as np


class RawSource(NamedTuple):
  """As `data.ArraySource`, but of any real dtype and range. Make one with `of`."""
  images: np.ndarray
  labels: np.ndarray | None
  num_classes: int | None
  name: str

  @classmethod
  def of(cls, images: np.ndarray, labels: np.ndarray | None = None, name: str = 'arrays'
         ) -> 'RawSource':
    """Images `[N, H, W]` or `[N, H, W, C]`, and labels, integers `[N]` of at least 0.

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
    labels = np.asarray(labels)
    if labels.shape != images.shape[:1] or labels.dtype.kind not in 'ui' or labels.min() < 0:
      raise ValueError(f'{name}: labels {labels.dtype}{list(labels.shape)}, expected integers '
                       f'[{len(images)}] of at least 0, one an image')
    return cls(images, labels.astype(np.int32), int(labels.max()) + 1, name)

  @property
  def size(self) -> int:
    """How many examples there are."""
    return len(self.images)

  @property
  def image_shape(self) -> tuple[int, int, int]:
    """`(H, W, C)`."""
    return self.images.shape[1:]

  def take(self, indices: np.ndarray) -> Mapping[str, np.ndarray]:
    """`{'image': [B, H, W, C], 'label': int32 [B]}` of these examples."""
    batch = {'image': self.images[indices]}
    return batch if self.labels is None else {**batch, 'label': self.labels[indices]}


def raw_npz(path: str | os.PathLike) -> RawSource:
  """The arrays `images` and, if there, `labels` of an .npz file, unchecked but for shape.

  Raises:
    FileNotFoundError: no such file.
    ValueError: not an .npz, no `images`, or what `RawSource.of` refuses.
  """
  path = pathlib.Path(path).expanduser()
  if not path.is_file():
    raise FileNotFoundError(f'{path}: no such file')
  try:
    with np.load(path, allow_pickle=False) as file:
      images, labels = file['images'], file['labels'] if 'labels' in file.files else None
  except Exception as error:  # a zip, a .npy or neither, each fails in its own way
    raise ValueError(f"{path}: expected an .npz file with 'images' [N, H, W] or [N, H, W, C], "
                     f"and 'labels' [N] if there are any ({error})") from error
  return RawSource.of(images, labels, path.name)
