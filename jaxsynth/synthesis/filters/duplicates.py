"""Near copies among the samples of a shard."""
import functools
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics.neighbours import nearest_other
from jaxsynth.pixels import scaled
from jaxsynth.synthesis.filters.base import ToModel
from jaxsynth.synthesis.filters.train_copies import all_small, LEAST, nearest, small

ROUND = 4096  # capacities are multiples of it: one compilation for shards of about one size


class Seen(NamedTuple):
  """What a shard holds already.

  Attributes:
    rows: small images `[capacity, D]`.
    filled: how many there are.
  """
  rows: Array
  filled: int


def duplicate_threshold(train: Any, most: int = 10_000, to_model: ToModel = scaled) -> float:
  """The least distance between two different training images: samples are not nearer.

  Args:
    train: images uint8 `[N, H, W, C]`, in any order; the first `most` are looked at.
    most: about as many as a shard holds, as the least distance falls with the number.
    to_model: of their kind.
  """
  distances = nearest_other(all_small(train[:most], to_model))[0]
  distances = distances[distances > LEAST]  # real sets hold copies too
  if not len(distances):
    return LEAST
  return max(LEAST, float(np.nextafter(distances.min(), np.float32(0))))


def nothing_seen(capacity: int, image_shape: tuple[int, ...], to_model: ToModel = scaled,
                 dtype: str = 'uint8') -> Seen:
  """An empty shard of at most so many samples."""
  width = jax.eval_shape(lambda x: small(x, to_model), jax.ShapeDtypeStruct(
      (1, *image_shape), dtype)).shape[1]
  return Seen(jnp.zeros((-(-capacity // ROUND) * ROUND, width), jnp.float32), 0)


def near(seen: Seen, images: Any, threshold: float, to_model: ToModel = scaled
         ) -> tuple[np.ndarray, np.ndarray]:
  """Which are near to what is seen, `[m]`, and to each other, `[m, m]`."""
  to_seen, to_others = _compare(seen.rows, images, seen.filled, to_model)
  return np.asarray(to_seen) < threshold, np.asarray(to_others) < threshold


def add(seen: Seen, images: Any, which: np.ndarray, to_model: ToModel = scaled) -> Seen:
  """The shard with some of these images."""
  at = np.full(len(images), len(seen.rows), np.int32)  # out of range: dropped
  at[which] = seen.filled + np.arange(len(which))
  return Seen(_added(seen.rows, images, at, to_model), seen.filled + len(which))


@functools.partial(jax.jit, static_argnums=3)
def _compare(rows: Array, images: Array, count: Array, to_model: ToModel) -> tuple[Array, Array]:
  x = small(images, to_model)
  to_others = lax.map(lambda row: jnp.sqrt(jnp.sum((x - row[None]) ** 2, 1)), x)
  return nearest(x, rows, count), jnp.where(jnp.eye(len(x), dtype=bool), jnp.inf, to_others)


@functools.partial(jax.jit, static_argnums=3)
def _added(rows: Array, images: Array, at: Array, to_model: ToModel) -> Array:
  return rows.at[at].set(small(images, to_model), mode='drop')


def greedy(ok: np.ndarray, slots: np.ndarray, taken: np.ndarray, near_seen: np.ndarray,
           near_own: np.ndarray) -> np.ndarray:
  """Candidates that pass and are no near copy of one accepted before them.

  Args:
    ok: bool `[m]`, which pass the other filters.
    slots: `[m]`, the sample that each would be.
    taken: bool `[samples]`, which there are already.
    near_seen: bool `[m]`.
    near_own: bool `[m, m]`.

  Returns:
    bool `[m]`.
  """
  ok, taken = ok & ~near_seen, taken.copy()
  accepted: list[int] = []
  for j in np.flatnonzero(ok).tolist():
    if near_own[j, accepted].any():
      ok[j] = False
    elif not taken[slots[j]]:
      taken[slots[j]] = True
      accepted.append(j)
  return ok
