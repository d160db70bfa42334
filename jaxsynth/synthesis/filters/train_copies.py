"""Near copies of training images."""
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.pixels import scaled
from jaxsynth.synthesis.filters.base import Candidates, Filter, scores, ToModel

SIDE = 32  # larger images are compared at this size
CHUNK = 2 ** 14  # training images compared at a time
LEAST = 1e-6  # distances below are those of equal images


def small(images: Array, to_model: ToModel = scaled) -> Array:
  """uint8 `[n, H, W, C]` as rows in [-1, 1], of at most 32 pixels a side: `[n, D]`.

  Of another kind, whose `to_model` is given, one axis keeps at most 1,024 places, as many as an
  image has.
  """
  x = to_model(images)
  n, *within, channels = x.shape
  most = SIDE if len(within) == 2 else SIDE ** 2
  shape = (n, *(min(size, most) for size in within), channels)
  x = x if shape == x.shape else jax.image.resize(x, shape, 'linear')  # antialiased
  return x.reshape(n, -1)


def all_small(images: Any, to_model: ToModel = scaled, block: int = 1024) -> np.ndarray:
  """`small` of a data set, on the host: float32 `[N, D]`."""
  return np.concatenate([np.asarray(_small(images[i:i + block], to_model))
                         for i in range(0, len(images), block)])


_small = jax.jit(small, static_argnums=1)


def nearest(x: Array, points: Array, count: Array | None = None) -> Array:
  """Distance of each row to the nearest of the points: `[n, D], [N, D] -> [n]`.

  The nearest is found by the products and then measured itself: copies are at 0.

  Args:
    x: rows.
    points: others.
    count: how many of them there are, the first; all by default. With none, infinity.
  """
  chunks = -(-len(points) // CHUNK)
  padded = jnp.pad(points, ((0, -len(points) % chunks), (0, 0)))
  there = jnp.arange(len(padded)) < (len(points) if count is None else count)

  def nearest_of(args: tuple[Array, Array]) -> Array:
    chunk, there = args
    cross = jnp.matmul(x, chunk.T, precision=lax.Precision.HIGHEST)
    partial = jnp.where(there, jnp.sum(chunk ** 2, 1), jnp.inf)[None] - 2 * cross
    at = jnp.argmin(partial, 1)
    squared = jnp.sum((x - chunk[at]) ** 2, 1)
    return jnp.where(there[at], jnp.sqrt(squared), jnp.inf)
  return lax.map(nearest_of, (padded.reshape(chunks, -1, x.shape[1]),
                              there.reshape(chunks, -1))).min(0)


def copies(train: Any, to_model: ToModel = scaled) -> Filter:
  """The distance to the nearest training image, in pixels.

  Args:
    train: images uint8 `[N, H, W, C]` that the generator learned from, all of them.
    to_model: of their kind.

  Returns:
    The filter, at the threshold where only equal images are dropped.
  """
  def score(points: Any, x: Candidates) -> Array:
    return nearest(small(x.images, to_model), points)
  return Filter('copies', all_small(train, to_model), score, LEAST)


def fit_copies(filter: Filter, held: Candidates) -> Filter:
  """Drops what is nearer to a training image than any held-out real image comes.

  Of M held-out images none is dropped, of fresh real ones about one in M + 1; see
  `metrics.duplicates.near_copies`. Where the held-out set itself holds copies of training
  images, equal images alone are dropped.
  """
  return filter._replace(threshold=max(LEAST, float(scores(filter, held).min())))
