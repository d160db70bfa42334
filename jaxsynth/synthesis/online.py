"""Fresh labelled samples as batches of training, without a file in between."""
from collections.abc import Callable, Iterator
import itertools
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.synthesis.draw import key_of, sample_at
from jaxsynth.synthesis.labels import Shares, cycle, labels_for
from jaxsynth.types import PerPlayer


def batch_at(sample: Callable, params: PerPlayer, variables: PerPlayer, batch_size: int,
             seed: int, shares: Shares | None = None) -> Callable[[Any], dict[str, Array]]:
  """`k -> batch`, a pure function that stays on the device.

  Batch k holds the samples `[k * B, (k + 1) * B)` of the model and seed: those that a
  data set of the seed holds, never one twice. (Equal but for rounding: a data set is
  computed in blocks of another size.) It may be called inside a compiled step or
  `lax.scan`; `batches` compiles it by itself.

  Args:
    sample: `Objective.sample`.
    params: the model's.
    variables: the model's.
    batch_size: samples in a batch, `B`.
    seed: of the samples.
    shares: number of labels or their shares, `None` for no labels.

  Returns:
    A function from step `k`, an integer or a traced one below `2^31 / B`, to
    `{'image': [B, H, W, C], 'label': [B]}`, images in [-1, 1], `'label'` only with
    shares.

  Raises:
    ValueError: `batch_size` below 1.

  >>> at = batch_at(lambda p, v, keys, cond: jax.vmap(jax.random.normal)(keys), {}, {}, 4, 0, 3)
  >>> [at(k)['label'].tolist() for k in range(2)]
  [[0, 1, 2, 0], [1, 2, 0, 1]]
  """
  if batch_size < 1:
    raise ValueError(f'batch_size={batch_size}: expected at least 1')
  key = key_of(seed)
  period = 1 if shares is None else cycle(shares)
  table = None if shares is None else jnp.asarray(labels_for(np.arange(period), shares))

  def at(k: Any) -> dict[str, Array]:
    indices = jnp.asarray(k, jnp.uint32) * batch_size + jnp.arange(batch_size, dtype=jnp.uint32)
    if table is None:
      return {'image': sample_at(sample, params, variables, key, indices, None)}
    labels = table[indices % period]
    return {'image': sample_at(sample, params, variables, key, indices, labels), 'label': labels}
  return at


def batches(sample: Callable, params: PerPlayer, variables: PerPlayer, batch_size: int,
            seed: int, shares: Shares | None = None, *, start: int = 0
            ) -> Iterator[dict[str, Array]]:
  """Batches `start, start + 1, ...` of `batch_at`, without end: what `loop.run` takes.

  Nothing is computed ahead on the host: a batch is dispatched when it is asked for,
  and the device runs it before the step that takes it.

  Args:
    sample: as `batch_at`'s, and so on.
    params: as there.
    variables: as there.
    batch_size: as there.
    seed: as there.
    shares: as there.
    start: the first step, that of a resumed run.

  Returns:
    An iterator.
  """
  @jax.jit
  def at(model: tuple[PerPlayer, PerPlayer], k: Array) -> dict[str, Array]:
    return batch_at(sample, *model, batch_size, seed, shares)(k)
  model = jax.device_put((params, variables))
  return (at(model, jnp.uint32(k)) for k in itertools.count(start))
