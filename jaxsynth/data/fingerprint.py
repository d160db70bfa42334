"""What tells a data set from another: a digest of a few examples, or of every one."""
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
import hashlib
import os
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data.arrays import ArraySource
from jaxsynth.data.batches import ENDLESS, Source
from jaxsynth.data.kinded import kind_of
from jaxsynth.data.memory import DecodedSource
from jaxsynth.data.value_moments import Levels, Numbers
from jaxsynth.metrics import predict

BLOCK = 512  # examples decoded together
SPREAD = 64  # examples of `digest`


class Example(NamedTuple):
  """An image uint8 `[H, W, C]` of any size or another kind's array, and its label or `None`."""
  image: np.ndarray
  label: int | None


def digest(source: Source) -> str:
  """SHA-256 of 64 examples spread over the data."""
  batch = source.take(np.linspace(0, source.size - 1, SPREAD).astype(np.int64))
  return hashlib.sha256(b''.join(batch[name].tobytes() for name in sorted(batch))).hexdigest()


def identity(source: Source) -> dict[str, Any]:
  """What a run's record keeps of its data, to know them again wherever they lie.

  Returns:
    `digest`, of 64 examples; and of data in memory `sha256`, of all of them.
  """
  if not isinstance(source, ArraySource):
    return {'digest': digest(source)}
  whole = hashlib.sha256(np.ascontiguousarray(source.images).data)
  if source.labels is not None:
    whole.update(np.ascontiguousarray(source.labels).data)
  return {'digest': digest(source), 'sha256': whole.hexdigest()}


def is_known(source: Source, about: Mapping[str, Any]) -> bool:
  """Whether data are those that `identity` described; an older record says less of them."""
  return all(about.get(name, x) == x for name, x in identity(source).items())


def fingerprint(source: Source) -> dict[str, Any]:
  """Size, shapes, classes, moments of the values, and a SHA-256 of every example in order.

  An example is digested as `HxWxC:label`, a line end and its bytes. What is missing (NaN) is in
  no moment.

  Args:
    source: any, also one whose images have their own sizes.

  Returns:
    Of JSON's types: `size`, `shapes` (shape to how many), `classes` (counts or `None`),
    `least`, `greatest`, `mean`, `deviation`, `zero` (the share of values that are 0), and
    `sha256`.

  Raises:
    ValueError: an example that cannot be read; it is named. Or images of 0 and 1 alone, or data
      without end.
  """
  if source.size >= ENDLESS:
    raise ValueError(f'{source.name}: it has no end, so it cannot be counted; name a part, as '
                     '--split=endless[:10000]')
  sha, shapes = hashlib.sha256(), dict[str, int]()
  counts = np.zeros(source.num_classes or 0, np.int64)
  kind = kind_of(source)
  values: Levels | Numbers = Levels() if kind.fields[kind.name].dtype == 'uint8' else Numbers()
  for image, label in examples_of(source):
    shape = 'x'.join(map(str, image.shape))
    shapes[shape] = shapes.get(shape, 0) + 1
    sha.update(f'{shape}:{"" if label is None else label}\n'.encode())
    sha.update(np.ascontiguousarray(image).tobytes())
    values.add(image)
    if label is not None:
      counts[label] += 1
  moments = values.moments()
  if isinstance(values, Levels):
    predict.check_largest(int(moments['greatest']), source.name)
  return {'size': source.size, 'shapes': dict(sorted(shapes.items(), key=lambda x: -x[1])),
          'classes': counts.tolist() if source.num_classes else None, **moments,
          'sha256': sha.hexdigest()}


def examples_of(source: Source) -> Iterator[Example]:
  """All examples, in order; of a folder, whatever size each image has."""
  with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
    for start in range(0, source.size, BLOCK):
      positions = np.arange(start, min(start + BLOCK, source.size))
      if isinstance(source, DecodedSource):
        yield from pool.map(_decoder(source), positions, source.read(positions.tolist()))
      else:
        batch = source.take(positions)
        labels = batch.get('label', [None] * len(positions))
        yield from (Example(image, None if label is None else int(label))
                    for image, label in zip(batch[kind_of(source).name], labels))


def _decoder(source: DecodedSource) -> Any:
  def decode(position: int, record: Any) -> Example:
    try:
      return Example(*source.decode(record))
    except Exception as error:  # decoders raise of many kinds
      raise ValueError(f'{source.name}: {source.describe(int(position))} cannot be read '
                       f'({error}); remove or replace it') from error
  return decode
