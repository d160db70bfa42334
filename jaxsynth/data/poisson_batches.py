"""Batches that every example is in by itself, by chance, padded to one size."""
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from jaxsynth.data.batches import Source
from jaxsynth.keys import words

PADDING = 'padding'
STREAM = 0x504F4953  # parts its numbers from those of shuffled epochs with the same seed


class Selection(Protocol):
  """Which examples are in a batch, as jax_privacy's `BatchSelectionStrategy`."""

  def batch_iterator(self, num_examples: int, rng: np.random.Generator
                     ) -> Iterator[np.ndarray]: ...


def batch_at(source: Source, selection: Selection, rows: int, seed: int, *, phases: int = 1,
             process_index: int = 0, process_count: int = 1
             ) -> Callable[[int], Mapping[str, Any]]:
  """`k -> batch`, a pure function of the seed and `k`, as `batches.batch_at`.

  Args:
    source: the examples.
    selection: gives the positions of `phases` batches, one after another, each of `rows` at
      most: `privacy.Budget.selection`, which is Poisson sampling.
    rows: of every batch; what is no example is zeros.
    seed: of the selection, in [0, 2^63).
    phases: phases of the schedule; with more than one, batches have them first.
    process_index: this host, as `jax.process_index()`.
    process_count: hosts; it divides `rows`.

  Returns:
    A function from step `k` to `{'image': [rows, H, W, C], ..., 'padding': bool [rows]}`, or
    `[phases, rows, ...]`, as the source gives them; of several hosts each has its share.

  Raises:
    ValueError: numbers out of range, or, when called, a selection of too many.

  >>> source = type('Positions', (), {'size': 8, 'take': lambda self, i: {'image': i + 1}})()
  >>> third = type('Third', (), {'batch_iterator': lambda self, n, rng: iter([np.arange(0, n, 3)])})
  >>> batch = batch_at(source, third(), 4, 0)(0)
  >>> batch['image'].tolist(), batch['padding'].tolist()
  ([1, 4, 7, 0], [False, False, False, True])
  """
  low, high = words(seed)
  if rows < 1 or phases < 1:
    raise ValueError(f'rows={rows}, phases={phases}: expected at least 1')
  if process_count < 1 or not 0 <= process_index < process_count or rows % process_count:
    raise ValueError(f'process_index={process_index} of process_count={process_count}: expected '
                     f'an index in [0, process_count), and a count that divides rows={rows}')
  share = rows // process_count
  here = slice(process_index * share, (process_index + 1) * share)

  def batch_of_step(k: int) -> Mapping[str, Any]:
    rng = np.random.Generator(np.random.Philox([low, high, STREAM, k]))
    chosen = [np.asarray(x, np.int64) for x in selection.batch_iterator(source.size, rng)]
    if len(chosen) != phases or max(map(len, chosen)) > rows:
      raise ValueError(f'selections of {[len(x) for x in chosen]} examples: expected {phases}, of '
                       f'{rows} examples at most')
    each = [_padded(source, x[here], share) for x in chosen]
    if phases == 1:
      return each[0]
    return {name: np.stack([batch[name] for batch in each]) for name in each[0]}
  return batch_of_step


def _padded(source: Source, positions: np.ndarray, rows: int) -> dict[str, np.ndarray]:
  """The examples at some positions, then zeros."""
  n = len(positions)
  taken = source.take(positions if n else np.zeros(1, np.int64))
  out = {}
  for name, x in taken.items():
    x = np.asarray(x)
    out[name] = np.concatenate([x[:n], np.zeros((rows - n, *x.shape[1:]), x.dtype)])
  out[PADDING] = np.arange(rows) >= n
  return out
