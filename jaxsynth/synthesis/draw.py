"""Samples by address: sample i depends on (model, seed, i) alone."""
from collections.abc import Callable

import jax
from jax import Array
import numpy as np

from jaxsynth.types import PerPlayer

Draw = Callable[[PerPlayer, PerPlayer, Array, int, int], np.ndarray]


def labels_for(indices: np.ndarray, num_classes: int) -> np.ndarray:
  """Sample i's label, `i mod num_classes`: balanced in every aligned run.

  >>> labels_for(np.arange(4), 3).tolist()
  [0, 1, 2, 0]
  """
  return (np.asarray(indices) % num_classes).astype(np.int32)


def drawer(sample: Callable, num_classes: int | None = None, *, block: int = 100) -> Draw:
  """Compiles `Objective.sample` for aligned blocks of one size.

  Sample i belongs to block `i // block`, and drawing it computes that block: its
  bits do not depend on which samples are asked for with it.

  Args:
    sample: `Objective.sample`.
    num_classes: number of labels, or `None`; labels are `labels_for`'s.
    block: samples computed together.

  Returns:
    `(params, variables, key, start, stop) -> [stop - start, ...]`, on the host.

  >>> import jax.numpy as jnp
  >>> draw = drawer(lambda p, v, keys, cond: jax.vmap(jax.random.normal)(keys), block=4)
  >>> key = jax.random.key(0)
  >>> bool((draw({}, {}, key, 0, 9)[3:6] == draw({}, {}, key, 3, 6)).all())
  True
  """
  @jax.jit
  def draw_block(params: PerPlayer, variables: PerPlayer, key: Array, indices: Array,
                 labels: Array | None) -> Array:
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, indices)
    return sample(params, variables, keys, labels)

  def draw(params: PerPlayer, variables: PerPlayer, key: Array, start: int, stop: int
           ) -> np.ndarray:
    if not 0 <= start < stop:
      raise ValueError(f'samples [{start}, {stop}): expected 0 <= start < stop')
    out = []
    for first in range(start - start % block, stop, block):
      indices = np.arange(first, first + block, dtype=np.int32)
      labels = None if num_classes is None else labels_for(indices, num_classes)
      images = np.asarray(draw_block(params, variables, key, indices, labels))
      out.append(images[max(start - first, 0):stop - first])
    return np.concatenate(out)
  return draw
