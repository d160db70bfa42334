"""Examples planted into what is learned from, a random half of them, so that an audit can ask."""
from collections.abc import Mapping
import hashlib
import json
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np

from jaxsynth import files
from jaxsynth.data.batches import checked_positions, ENDLESS, Source
from jaxsynth.data.classes import Names, names_of
from jaxsynth.data.kinded import kind_of
from jaxsynth.keys import words
from jaxsynth.kinds.kind import Kind

NAME = 'canaries.json'
STREAM = 0x43414e41  # parts these draws from others of the same seed
POOL = 256  # examples whose numbers are taken


class Canaries(NamedTuple):
  """Examples that are like no other, each in or out by a fair coin.

  Attributes:
    values: `[M, ...]`, as on disk: every number is that of a real example at the same place, each
      of another one, so that the range is right and nothing else is.
    labels: int32 `[M]`, even over the classes, or `None`.
    included: bool `[M]`: which are learned from.
    seed: that they are of.
  """
  values: np.ndarray
  labels: np.ndarray | None
  included: np.ndarray
  seed: int

  @property
  def digest(self) -> str:
    """SHA-256 of the examples, whether they are in or not."""
    labels = b'' if self.labels is None else self.labels.tobytes()
    return hashlib.sha256(np.ascontiguousarray(self.values).tobytes() + labels).hexdigest()


class Planted(NamedTuple):
  """What is learned from, with canaries behind it. Make one with `planted`.

  Attributes:
    base: the examples without them.
    canaries: all of them.
    values: `[K, ...]` of those that are in.
    labels: int32 `[K]`, or `None`.
  """
  base: Source
  canaries: Canaries
  values: np.ndarray
  labels: np.ndarray | None

  @property
  def name(self) -> str:
    """That of the base."""
    return self.base.name

  @property
  def size(self) -> int:
    """The base's, and the canaries that are in."""
    return self.base.size + len(self.values)

  @property
  def image_shape(self) -> tuple[int, ...]:
    """Of every example."""
    return self.base.image_shape

  @property
  def num_classes(self) -> int | None:
    """Of the labels, or `None`."""
    return self.base.num_classes

  @property
  def class_names(self) -> Names | None:
    """Of the labels."""
    return names_of(self.base) or None

  @property
  def kind(self) -> Kind:
    """What the examples are."""
    return kind_of(self.base)

  def take(self, indices: np.ndarray) -> Mapping[str, np.ndarray]:
    """The base's examples and, from its size on, the canaries.

    Raises:
      IndexError: a position outside [0, size).
    """
    positions = checked_positions(indices, self.size, self.name)
    n = self.base.size
    batch = {name: np.array(x) for name, x in self.base.take(np.minimum(positions, n - 1)).items()}
    behind = positions >= n
    batch[self.kind.name][behind] = self.values[positions[behind] - n]
    if self.labels is not None:
      batch['label'][behind] = self.labels[positions[behind] - n]
    return batch


def drawn(source: Source, num: int, seed: int) -> Canaries:
  """Canaries of a source, the same ones at every call.

  Args:
    source: that they are to stand among.
    num: how many, in and out together.
    seed: in [0, 2^63).

  Raises:
    ValueError: fewer than 2, or data without end, which nothing can be planted into.
  """
  if num < 2 or source.size >= ENDLESS:
    raise ValueError(f'--canaries={num} in {source.name}: expected 2 at least, for some are in and '
                     'some are out, and data that are read again and again, not drawn without end')
  kind = kind_of(source)
  # whole words of the generator itself, whose bits numpy does not change between versions
  raw = np.random.Philox(np.random.SeedSequence([*words(seed), STREAM])).random_raw
  coins = (raw(num) >> np.uint64(63)).astype(bool)
  below = lambda shape, n: (raw(int(np.prod(shape))) % np.uint64(n)).astype(np.int64).reshape(shape)
  pool = source.take(below((min(POOL, source.size),), source.size))[kind.name]
  flat = pool.reshape(len(pool), -1)
  width = flat.shape[1]
  values = flat[below((num, width), len(flat)), np.arange(width)[None]].reshape(num, *kind.shape)
  labels = None if source.num_classes is None else below((num,), source.num_classes).astype(
      np.int32)
  return Canaries(values, labels, coins, seed)


def planted(source: Source, num: int, seed: int) -> Source:
  """The source with those of `num` canaries behind it that a coin puts there; of 0 the source.

  Raises:
    ValueError: as `drawn`.

  >>> from jaxsynth.data import ArraySource
  >>> source = ArraySource.of(np.arange(64, dtype=np.uint8).reshape(4, 4, 4), [0, 1, 1, 0])
  >>> with_canaries = planted(source, 6, 0)
  >>> with_canaries.size == 4 + int(with_canaries.canaries.included.sum())
  True
  """
  if not num:
    return source
  canaries = drawn(source, num, seed)
  labels = None if canaries.labels is None else canaries.labels[canaries.included]
  return Planted(source, canaries, canaries.values[canaries.included], labels)


def write(folder: str | os.PathLike, source: Source) -> None:
  """Writes canaries.json where canaries are planted, so that an auditor knows which are in."""
  if not isinstance(source, Planted):
    return
  canaries = source.canaries
  with files.write_aside(pathlib.Path(folder) / NAME) as f:
    f.write(json.dumps({
        'seed': canaries.seed, 'num': len(canaries.included), 'sha256': canaries.digest,
        'included': canaries.included.astype(int).tolist()}).encode() + b'\n')


def read(folder: str | os.PathLike, source: Source) -> Canaries | None:
  """The canaries of a run, drawn again from its data; `None` where it has none.

  Args:
    folder: of the run.
    source: what it learned from, without them.

  Raises:
    ValueError: they are not those that were planted: the data are other ones, or the file is.
  """
  path = pathlib.Path(folder) / NAME
  if not path.is_file():
    return None
  try:
    said: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    canaries = drawn(source, said['num'], said['seed'])
    same = (said['sha256'], said['included']) == (
        canaries.digest, canaries.included.astype(int).tolist())
  except (KeyError, TypeError) as error:
    raise ValueError(f'{path}: not the canaries of a run ({error})') from error
  if not same:
    raise ValueError(f'{path}: its canaries cannot be drawn again from {source.name}: expected '
                     'what the run learned from, and the file as the run wrote it')
  return canaries
