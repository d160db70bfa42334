"""Batch k as a function of (seed, k) alone."""
from collections.abc import Callable, Mapping
import functools
from typing import Any, Protocol

import numpy as np

from jaxsynth.keys import words

ENDLESS = 2 ** 31  # the size of data that are drawn as they are asked for, each example once


class Source(Protocol):
  """Random access to examples: anything with these is a data set.

  `take(indices)` gives `{'image': uint8 [B, H, W, C], 'label': int32 [B]}`, without
  `'label'` where `num_classes` is `None`; `image_shape` is `(H, W, C)`. Examples that are no
  images have a `kind` besides, a `kinds.kind.Kind`, whose array they give and whose shape
  `image_shape` is.
  """

  @property
  def name(self) -> str: ...

  @property
  def size(self) -> int: ...

  @property
  def image_shape(self) -> tuple[int, ...]: ...

  @property
  def num_classes(self) -> int | None: ...

  def take(self, indices: np.ndarray) -> Mapping[str, np.ndarray]: ...


def checked_positions(positions: np.ndarray, size: int, name: str) -> np.ndarray:
  """Positions int64, all of which are in a source.

  Args:
    positions: `[B]`.
    size: of the source.
    name: of the source, for the message.

  Raises:
    IndexError: a position outside [0, size).
  """
  positions = np.asarray(positions, np.int64)
  if positions.size and not 0 <= positions.min() <= positions.max() < size:
    raise IndexError(f'{name}: positions in [{positions.min()}, {positions.max()}], expected '
                     f'[0, {size})')
  return positions


def indices(n: int, batch_size: int, seed: int, k: int) -> np.ndarray:
  """Which of `n` examples are in batch `k`: `[batch_size]`.

  The run is one long sequence of shuffled epochs, cut into batches: every example
  comes once an epoch, and no batch is short. Endless data come in order.

  >>> sorted(np.concatenate([indices(6, 4, 0, k) for k in range(3)]).tolist())
  [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
  """
  positions = np.arange(k * batch_size, (k + 1) * batch_size)  # in the whole run
  if n >= ENDLESS:
    return positions % n
  epochs, places = np.divmod(positions, n)
  out = np.empty(batch_size, np.int64)
  for epoch in np.unique(epochs):
    in_epoch = epochs == epoch
    out[in_epoch] = _permutation(n, seed, int(epoch))[places[in_epoch]]
  return out


@functools.lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int) -> np.ndarray:
  low, high = words(seed)  # to numpy [low, high] and [low, high, 0] are one
  return np.random.Generator(np.random.Philox([low, epoch, *[high] * (high > 0)])).permutation(n)


def batch_at(source: Source, batch_size: int, seed: int, *, phases: int = 1,
             process_index: int = 0, process_count: int = 1
             ) -> Callable[[int], Mapping[str, Any]]:
  """`k -> batch`, a pure function.

  Of `process_count` hosts, each gets its contiguous share of every batch (of every
  phase): in order of `process_index` they make up the batch of one host alone.

  Args:
    source: the examples.
    batch_size: examples in a phase, over all hosts.
    seed: of the shuffling, in [0, 2^63).
    phases: phases of the schedule; with more than one, batches have them first.
    process_index: this host, as `jax.process_index()`.
    process_count: hosts, as `jax.process_count()`; it divides `batch_size`.

  Returns:
    A function from step `k` to `{'image': [B, H, W, C], ...}`, or
    `[phases, B, ...]`, as the source gives them, with
    `B = batch_size / process_count`.

  Raises:
    ValueError: `batch_size`, `phases`, `seed` or a process out of range, or a
      `batch_size` that the hosts cannot share.

  >>> source = type('Positions', (), {'size': 8, 'take': lambda self, i: {'image': i}})()
  >>> hosts = [batch_at(source, 4, 0, process_index=i, process_count=2) for i in (0, 1)]
  >>> whole = batch_at(source, 4, 0)(0)['image']
  >>> bool((np.concatenate([host(0)['image'] for host in hosts]) == whole).all())
  True
  """
  words(seed)
  if batch_size < 1 or phases < 1:
    raise ValueError(f'batch_size={batch_size}, phases={phases}: expected at least 1')
  if process_count < 1 or not 0 <= process_index < process_count:
    raise ValueError(f'process_index={process_index} of process_count={process_count}: '
                     'expected an index in [0, process_count)')
  share, rest = divmod(batch_size, process_count)
  if rest:
    raise ValueError(f'batch_size={batch_size}: expected a multiple of '
                     f'process_count={process_count}, as every host takes as many')
  host_share = slice(process_index * share, (process_index + 1) * share)

  def batch_of_step(k: int) -> Mapping[str, Any]:
    whole_batch = indices(source.size, batch_size * phases, seed, k)
    batch = source.take(whole_batch.reshape(phases, batch_size)[:, host_share].ravel())
    if phases == 1:
      return batch
    return {name: x.reshape(phases, share, *x.shape[1:])
            for name, x in batch.items()}
  return batch_of_step
