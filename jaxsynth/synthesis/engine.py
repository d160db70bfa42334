"""From a stream of samples to files: encoded beside the device's work, whole or not there."""
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
import os
from typing import NamedTuple

import numpy as np

from jaxsynth.synthesis.draw import Piece, Stream
from jaxsynth.synthesis.plan import Shard


class Encoded(NamedTuple):
  """A piece as bytes.

  Attributes:
    start: address of the first sample.
    records: one a sample.
    labels: int32 `[n]`, or `None`.
  """
  start: int
  records: list[bytes]
  labels: np.ndarray | None


class Format(NamedTuple):
  """How a data set lies on disk; every function may be repeated.

  Attributes:
    encode: `{name: array} -> record`, of one example as on disk; threads share it.
    write: `(shard, pieces)` to disk; the shard is whole and synced, or not there.
    done: whether a shard is there.
    finish: what is written once, when all shards are there.
  """
  encode: Callable[[Mapping[str, np.ndarray]], bytes]
  write: Callable[[Shard, Iterable[Encoded]], None]
  done: Callable[[Shard], bool]
  finish: Callable[[Sequence[Shard]], None]


Report = Callable[[int, int], None]


def write(stream: Stream, shards: Sequence[Shard], form: Format, *,
          report: Report = lambda images, size: None, threads: int | None = None) -> None:
  """Writes those of the shards that are not there yet.

  While a device computes a block, threads encode the ones before it and this one
  writes; a few pieces are in memory, whatever the number of samples.

  Args:
    stream: the samples.
    shards: this worker's.
    form: how they are written.
    report: called with the number of images and bytes of each piece written.
    threads: that encode; by default as many as there are cores, at most 8.

  Raises:
    OSError: a shard cannot be written; the ones before it are whole.
  """
  threads = min(8, os.cpu_count() or 1) if threads is None else threads
  with ThreadPoolExecutor(threads, 'encode') as pool:
    for shard in shards:
      if not form.done(shard):
        pieces = encoded(stream(shard.start, shard.stop), form.encode, pool, 2 * threads)
        form.write(shard, _reported(pieces, report))


def encoded(pieces: Iterable[Piece], encode: Callable, pool: Executor, ahead: int
            ) -> Iterator[Encoded]:
  """Pieces as records, in order, `ahead` of them in the pool."""
  def records_of(piece: Piece) -> Encoded:
    names = tuple(piece.arrays)
    records = [encode(dict(zip(names, example))) for example in zip(*piece.arrays.values())]
    return Encoded(piece.start, records, piece.labels)

  flying: deque = deque()
  for piece in pieces:
    flying.append(pool.submit(records_of, piece))
    if len(flying) > ahead:
      yield flying.popleft().result()
  while flying:
    yield flying.popleft().result()


def _reported(pieces: Iterable[Encoded], report: Report) -> Iterator[Encoded]:
  for piece in pieces:
    yield piece
    report(len(piece.records), sum(map(len, piece.records)))


def finish(shards: Sequence[Shard], form: Format) -> bool:
  """Finishes the data set if all its shards are there, whoever wrote them.

  Args:
    shards: all, of every worker.
    form: how they were written.

  Returns:
    Whether they were all there.
  """
  whole = all(form.done(shard) for shard in shards)
  if whole:
    form.finish(shards)
  return whole
