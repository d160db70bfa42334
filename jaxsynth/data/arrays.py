"""A data set as arrays in memory."""
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxsynth.data import classes
from jaxsynth.metrics import predict


class Arrays(NamedTuple):
  """Examples in memory, of any dtype: what all sources of arrays are."""
  images: np.ndarray
  labels: np.ndarray | None
  num_classes: int | None
  name: str
  class_names: classes.Names | None = None
  skipped: tuple[tuple[str, int], ...] = ()

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


class ArraySource(Arrays):
  """Images, and labels if there are any. Make one with `ArraySource.of`.

  Attributes:
    images: uint8 `[N, H, W, C]`.
    labels: int32 `[N]` in [0, num_classes), or `None`.
    num_classes: number of labels, or `None`.
    name: for messages and records.
    class_names: of the labels; `None` where they are numbers.
    skipped: suffixes of files of a folder that are no images, and how many there are.
  """
  __slots__ = ()

  @classmethod
  def of(cls, images: np.ndarray, labels: np.ndarray | None = None,
         num_classes: int | None = None, name: str = 'arrays',
         class_names: Sequence[str] | None = None) -> 'ArraySource':
    """Checks and binds arrays.

    Args:
      images: uint8 `[N, H, W]` or `[N, H, W, C]`.
      labels: integers `[N]`, or `None`.
      num_classes: number of labels. By default every value that occurs is a class, whose name
        it is: labels 1, 2, 3 become 0, 1, 2 with the names 1, 2, 3.
      name: for messages and records.
      class_names: of the labels, in their order; they say the number of classes.

    Returns:
      The source; `images` is not copied.

    Raises:
      ValueError: another dtype or rank, no images, bytes of 0 and 1 alone (see
        `metrics.predict.checked`), labels of another length or out of range, or a name
        that comes twice.

    >>> ArraySource.of(np.zeros((3, 28, 28), np.uint8), [0, 1, 1]).num_classes
    2
    """
    images = np.asarray(images)
    dtype = images.dtype
    images = predict.checked(images[..., None] if images.ndim == 3 else images, who=name)
    if images.dtype != np.uint8:
      raise ValueError(f'{name}: images of dtype {dtype}, expected uint8 in '
                       '[0, 255]; jaxsynth.data.to_uint8 converts [-1, 1]')
    if labels is None:
      if num_classes is not None or class_names is not None:
        raise ValueError(f'{name}: num_classes={num_classes} without labels')
      return cls(images, None, None, name)
    labels = classes.integers(labels, len(images), name)
    return cls(images, *classes.named(labels, num_classes, class_names, name))
