"""Candidates by address: the a-th candidate of sample i depends on (model, seed, i, a) alone."""
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.synthesis.draw import block_for, key_of, quantized
from jaxsynth.synthesis.filters.base import Candidates, Filter
from jaxsynth.synthesis.labels import labels_for, Shares
from jaxsynth.types import PerPlayer

FIRST = 2 ** 31  # samples are below; folded keys of attempts and of uniforms are above
UNIFORM = 2 ** 32 - 1
SPARE = 2 ** 30  # attempts from here on are for calibrating, and in no data set


class Judged(NamedTuple):
  """Some candidates, on the host.

  Attributes:
    indices: addresses `[n]`.
    images: uint8 `[n, H, W, C]`.
    labels: int32 `[n]`, or `None`.
    uniforms: float32 `[n]`.
    passed: bool `[n, F]`, for each filter.
  """
  indices: np.ndarray
  images: np.ndarray
  labels: np.ndarray | None
  uniforms: np.ndarray
  passed: np.ndarray


Propose = Callable[[np.ndarray, np.ndarray], Iterator[Judged]]


def proposer(sample: Callable, params: PerPlayer, variables: PerPlayer, seed: int,
             shares: Shares | None = None, filters: Sequence[Filter] = (), *,
             block: int | None = None, devices: Sequence[jax.Device] | None = None,
             ahead: int = 2) -> Propose:
  """Draws candidates and scores them by all filters, where they were drawn.

  The first candidate of a sample is the sample that `streamer` draws, attempt a has its
  own key. A device computes a whole block, so the bits do not depend on how many there
  are.

  Args:
    sample, params, variables, seed, shares, block, devices, ahead: as `streamer`'s.
    filters: their parameters are copied to every device.

  Returns:
    `(indices [n], attempts [n]) -> candidates`, `block` at a time, in that order.

  Raises:
    FloatingPointError: pixels that are not finite, when they are drawn.

  >>> propose = proposer(lambda p, v, keys, cond: jax.vmap(
  ...     lambda key: jax.random.uniform(key, (2, 2, 1)))(keys), {}, {}, 0, 3, block=4,
  ...     devices=jax.devices()[:1])
  >>> some = next(propose(np.array([5, 5]), np.array([0, 1])))
  >>> some.labels.tolist(), bool((some.images[0] == some.images[1]).any())
  ([2, 2], False)
  """
  devices = jax.local_devices() if devices is None else list(devices)
  block = block_for(devices[0].platform) if block is None else block
  mesh = jax.sharding.Mesh(devices, ('block',))
  whole, each = jax.sharding.PartitionSpec(), jax.sharding.PartitionSpec('block')
  everywhere = jax.sharding.NamedSharding(mesh, whole)
  model = jax.device_put((params, variables, key_of(seed)), everywhere)
  weights = jax.device_put([f.params for f in filters], everywhere)
  share = jax.sharding.NamedSharding(mesh, each)
  together = block * mesh.size

  def draw(model: tuple[PerPlayer, PerPlayer, Array], indices: Array, attempts: Array,
           labels: Array | None) -> tuple[Candidates, Array]:
    params, variables, key = model
    keys = jax.vmap(lambda i, a: key_at(key, i, a))(indices, attempts)
    uniforms = jax.vmap(lambda i, a: jax.random.uniform(
        key_at(jax.random.fold_in(key, jnp.uint32(UNIFORM)), i, a)))(indices, attempts)
    images = sample(params, variables, keys, labels)
    return (Candidates(quantized(images), labels, uniforms),
            jnp.isfinite(images).all(keepdims=True).ravel())

  def judge(weights: list, candidates: Candidates) -> Array:
    passed = [f.score(w, candidates) >= jnp.float32(f.threshold)
              for f, w in zip(filters, weights)]
    return jnp.stack(passed, 1) if passed else jnp.ones((len(candidates.images), 0), bool)

  def shard(function: Callable, specs: tuple) -> Callable:
    return jax.jit(jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=each,
                                 check_vma=False))
  # two programs, so that filters do not move the bits of images
  drawn, judged = shard(draw, (whole, each, each, each)), shard(judge, (whole, each))

  def begun(indices: np.ndarray, attempts: np.ndarray) -> tuple:
    at = np.minimum(np.arange(together), len(indices) - 1)  # the last call is padded
    labels = None if shares is None else labels_for(indices, shares)
    candidates, finite = drawn(model, *jax.device_put((
        indices[at].astype(np.uint32), attempts[at].astype(np.uint32),
        None if labels is None else labels[at]), share))
    passed = judged(weights, candidates)
    candidates.images.copy_to_host_async()
    return indices, labels, candidates, passed, finite

  def finished(indices: np.ndarray, labels: np.ndarray | None, candidates: Candidates,
               passed: Array, finite: Array) -> Iterator[Judged]:
    if not np.asarray(finite).all():
      raise FloatingPointError(f'some of the samples {indices.min()} to {indices.max()} are not '
                               'finite: the model has diverged; take another checkpoint')
    images, uniforms, found = (np.asarray(x) for x in (
        candidates.images, candidates.uniforms, passed))
    for start in range(0, len(indices), block):
      cut = slice(start, min(start + block, len(indices)))
      yield Judged(indices[cut], images[cut], None if labels is None else labels[cut],
                   uniforms[cut], found[cut])

  def propose(indices: np.ndarray, attempts: np.ndarray) -> Iterator[Judged]:
    flying: deque = deque()
    for start in range(0, len(indices), together):
      cut = slice(start, start + together)
      flying.append(begun(indices[cut], attempts[cut]))
      if len(flying) > ahead:
        yield from finished(*flying.popleft())
    while flying:
      yield from finished(*flying.popleft())
  return propose


def key_at(key: Array, index: Array, attempt: Array) -> Array:
  """`fold_in(key, i)` for attempt 0, and with the attempt folded in before for others."""
  other = jax.random.fold_in(key, jnp.uint32(FIRST) + attempt.astype(jnp.uint32))
  return jax.random.fold_in(jax.lax.select(attempt == 0, key, other), index)
