"""Examples decoded when they are asked for, or all of them once."""
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
import dataclasses
import os
from typing import Any

import numpy as np

from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.classes import Names
from jaxsynth.data.batches import Source

CHUNK = 32  # examples a thread reads and decodes at a time


@dataclasses.dataclass(frozen=True)
class DecodedSource:
  """A data set that stays where it is; `take` reads and decodes. Make with `of`.

  Attributes:
    name: for messages and records.
    size: number of examples.
    image_shape: `(H, W, C)`, of every example.
    num_classes: number of labels, or `None`.
    read: positions -> records, one each, in any form.
    decode: record -> (uint8 `[H, W, C]`, label in [0, num_classes) or `None`); pure,
      as threads share it.
    describe: position -> what to call the example in a message.
    workers: threads that decode.
    class_names: of the labels; `None` where they are numbers.
    skipped: suffixes of files that are left out, and how many there are.
  """
  name: str
  size: int
  image_shape: tuple[int, int, int]
  num_classes: int | None
  read: Callable[[Sequence[int]], Sequence[Any]]
  decode: Callable[[Any], tuple[np.ndarray, int | None]]
  describe: Callable[[int], str] = 'example {}'.format
  workers: int = min(8, os.cpu_count() or 1)
  class_names: Names | None = None
  skipped: tuple[tuple[str, int], ...] = ()

  @classmethod
  def of(cls, name: str, size: int, num_classes: int | None,
         read: Callable[[Sequence[int]], Sequence[Any]],
         decode: Callable[[Any], tuple[np.ndarray, int | None]],
         describe: Callable[[int], str] = 'example {}'.format,
         class_names: Names | None = None) -> 'DecodedSource':
    """Binds them; the first example, decoded here, gives the shape of all."""
    source = cls(name, size, (0, 0, 0), num_classes, read, decode, describe,
                 class_names=class_names)
    image, _ = source._decoded(0, read([0])[0])
    return dataclasses.replace(source, image_shape=image.shape)

  def take(self, indices: np.ndarray) -> Mapping[str, np.ndarray]:
    """`{'image': uint8 [B, H, W, C], 'label': int32 [B]}` of these examples.

    Raises:
      IndexError: a position outside [0, size).
      ValueError: an example that cannot be decoded, or differs from the first in
        shape, or has a label out of range; it names the example.
    """
    indices = np.asarray(indices, np.int64)
    if indices.size and not 0 <= indices.min() <= indices.max() < self.size:
      raise IndexError(f'{self.name}: positions in [{indices.min()}, {indices.max()}], '
                       f'expected [0, {self.size})')
    images = np.empty((len(indices), *self.image_shape), np.uint8)
    labels = np.empty(len(indices), np.int32)

    def fill(start: int) -> None:
      chunk = indices[start:start + CHUNK].tolist()
      for row, (i, record) in enumerate(zip(chunk, self.read(chunk)), start):
        images[row], label = self._checked(i, *self._decoded(i, record))
        labels[row] = 0 if label is None else label

    starts = range(0, len(indices), CHUNK)
    if self.workers == 1 or len(starts) < 2:
      for start in starts:
        fill(start)
    else:
      with ThreadPoolExecutor(min(self.workers, len(starts)), 'decode') as pool:
        for _ in pool.map(fill, starts):  # raises what the first bad chunk raised
          pass
    return {'image': images} if self.num_classes is None else {
        'image': images, 'label': labels}

  def _decoded(self, i: int, record: Any) -> tuple[np.ndarray, int | None]:
    try:
      return self.decode(record)
    except Exception as error:  # decoders raise of many kinds
      raise ValueError(f'{self.name}: {self.describe(i)} cannot be decoded ({error}); '
                       'remove or replace it') from error

  def _checked(self, i: int, image: np.ndarray, label: int | None
               ) -> tuple[np.ndarray, int | None]:
    if image.shape != self.image_shape:
      raise ValueError(
          f'{self.name}: {self.describe(i)} is {list(image.shape)}, {self.describe(0)} is '
          f'{list(self.image_shape)} [height, width, channels]; set an image size and '
          'channels, so that all are the same')
    if self.num_classes is not None and (
        label is None or not 0 <= label < self.num_classes):
      raise ValueError(f'{self.name}: {self.describe(i)} has label {label}, expected '
                       f'[0, {self.num_classes})')
    return image, label


def in_memory(source: Source, max_bytes: int = 2**32, workers: int | None = None
              ) -> Source:
  """The same examples in memory, decoded once, if they fit.

  Args:
    source: of examples.
    max_bytes: what `size * H * W * C` may be.
    workers: threads that decode; by default as the source has it.

  Returns:
    An `ArraySource`; or `source`, still random access, if it does not fit.

  Raises:
    ValueError: `workers` below 1, or an example that does not decode as the rest.

  >>> source = ArraySource.of(np.zeros((3, 2, 2), np.uint8))
  >>> in_memory(source) is source
  True
  """
  if workers is not None and workers < 1:
    raise ValueError(f'workers={workers}: expected at least 1')
  if isinstance(source, DecodedSource) and workers is not None:
    source = dataclasses.replace(source, workers=workers)
  fits = source.size * int(np.prod(source.image_shape, dtype=np.int64)) <= max_bytes
  if isinstance(source, ArraySource) or not fits:
    return source
  batch = source.take(np.arange(source.size))
  arrays = ArraySource.of(batch['image'], batch.get('label'), source.num_classes, source.name,
                          getattr(source, 'class_names', None))
  return arrays._replace(skipped=getattr(source, 'skipped', ()))
