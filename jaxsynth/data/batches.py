"""Batch k as a function of (seed, k) alone."""
from collections.abc import Callable, Mapping
import functools
from typing import Any, Protocol

import numpy as np


class Source(Protocol):
  """Random access to examples: anything with these is a data set.

  `take(indices)` gives `{'image': uint8 [B, H, W, C], 'label': int32 [B]}`, without
  `'label'` where `num_classes` is `None`; `image_shape` is `(H, W, C)`.
  """

  @property
  def name(self) -> str: ...

  @property
  def size(self) -> int: ...

  @property
  def image_shape(self) -> tuple[int, int, int]: ...

  @property
  def num_classes(self) -> int | None: ...

  def take(self, indices: np.ndarray) -> Mapping[str, np.ndarray]: ...


def indices(n: int, batch_size: int, seed: int, k: int) -> np.ndarray:
  """Which of `n` examples are in batch `k`: `[batch_size]`.

  The run is one long sequence of shuffled epochs, cut into batches: every example
  comes once an epoch, and no batch is short.

  >>> sorted(np.concatenate([indices(6, 4, 0, k) for k in range(3)]).tolist())
  [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
  """
  at = np.arange(k * batch_size, (k + 1) * batch_size)
  epochs, places = np.divmod(at, n)
  out = np.empty(batch_size, np.int64)
  for epoch in np.unique(epochs):
    here = epochs == epoch
    out[here] = _permutation(n, seed, int(epoch))[places[here]]
  return out


@functools.lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int) -> np.ndarray:
  return np.random.Generator(np.random.Philox([seed, epoch])).permutation(n)


def batch_at(source: Source, batch_size: int, seed: int, *, phases: int = 1
             ) -> Callable[[int], Mapping[str, Any]]:
  """`k -> batch`, a pure function.

  Args:
    source: the examples.
    batch_size: examples in a phase.
    seed: of the shuffling, at least 0.
    phases: phases of the schedule; with more than one, batches have them first.

  Returns:
    A function from step `k` to `{'image': [B, H, W, C], ...}`, or
    `[phases, B, ...]`, as the source gives them.

  Raises:
    ValueError: `batch_size`, `phases` or `seed` out of range.
  """
  if batch_size < 1 or phases < 1 or seed < 0:
    raise ValueError(f'batch_size={batch_size}, phases={phases}, seed={seed}: expected '
                     'at least 1, 1 and 0')

  def at(k: int) -> Mapping[str, Any]:
    batch = source.take(indices(source.size, batch_size * phases, seed, k))
    if phases == 1:
      return batch
    return {name: x.reshape(phases, batch_size, *x.shape[1:])
            for name, x in batch.items()}
  return at
