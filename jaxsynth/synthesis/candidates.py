"""Candidates by address: the a-th candidate of sample i depends on (model, seed, i, a) alone."""
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.kinds.kind import Kind
from jaxsynth.pixels import quantized
from jaxsynth.synthesis.blocks import all_finite, Blocks
from jaxsynth.synthesis.draw import key_of
from jaxsynth.synthesis.filters.base import Candidates, Filter
from jaxsynth.synthesis.labels import Shares
from jaxsynth.types import PerPlayer

FIRST = 2 ** 31  # samples are below; folded keys of attempts and of uniforms are above
UNIFORM = 2 ** 32 - 1
SPARE = 2 ** 30  # attempts from here on are for calibrating, and in no data set


class Judged(NamedTuple):
  """Some candidates, on the host.

  Attributes:
    indices: addresses `[n]`.
    images: uint8 `[n, H, W, C]`, or another kind's array as on disk.
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
             ahead: int = 2, kind: Kind | None = None) -> Propose:
  """Draws candidates and scores them by all filters, where they were drawn.

  The first candidate of a sample is the sample that `streamer` draws, attempt a has its
  own key. The bits do not depend on the devices, see `Blocks`.

  Args:
    sample, params, variables, seed, shares, block, devices, ahead: as `streamer`'s.
    filters: their parameters are copied to every device.
    kind: what samples are; `None` for images.

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
  blocks = Blocks(block, devices, ahead)
  model = blocks.everywhere((params, variables, key_of(seed)))
  weights = blocks.everywhere([f.params for f in filters])

  def draw_block(model: tuple[PerPlayer, PerPlayer, Array], indices: Array, attempts: Array,
                 labels: Array | None) -> tuple[Candidates, Array]:
    params, variables, key = model
    keys = jax.vmap(lambda i, a: key_at(key, i, a))(indices, attempts)
    uniforms = jax.vmap(lambda i, a: jax.random.uniform(
        key_at(jax.random.fold_in(key, jnp.uint32(UNIFORM)), i, a)))(indices, attempts)
    images = sample(params, variables, keys, labels)
    values = quantized(images) if kind is None else kind.to_disk(images)[kind.name]
    return Candidates(values, labels, uniforms), all_finite(images)

  def judge_block(weights: list, candidates: Candidates) -> Array:
    passed = [f.score(w, candidates) >= jnp.float32(f.threshold)
              for f, w in zip(filters, weights)]
    return jnp.stack(passed, 1) if passed else jnp.ones((len(candidates.images), 0), bool)
  # two programs, so that filters do not move the bits of images
  draw, judge = blocks.program(draw_block, 3), blocks.program(judge_block, 1)

  def judged(*arguments: Array | None) -> tuple[tuple[Candidates, Array], Array]:
    candidates, finite = draw(model, *arguments)
    return (candidates, judge(weights, candidates)), finite

  def propose(indices: np.ndarray, attempts: np.ndarray) -> Iterator[Judged]:
    cuts = [slice(start, start + blocks.size) for start in range(0, len(indices), blocks.size)]
    calls = ((indices[cut], attempts[cut]) for cut in cuts)
    for at, labels, (candidates, passed) in blocks.drawn(judged, calls, shares):
      images, uniforms, passes = (np.asarray(x) for x in (
          candidates.images, candidates.uniforms, passed))
      for start in range(0, len(at), blocks.block):
        cut = slice(start, min(start + blocks.block, len(at)))
        yield Judged(at[cut], images[cut], None if labels is None else labels[cut],
                     uniforms[cut], passes[cut])
  return propose


def key_at(key: Array, index: Array, attempt: Array) -> Array:
  """`fold_in(key, i)` for attempt 0, and with the attempt folded in before for others."""
  other = jax.random.fold_in(key, jnp.uint32(FIRST) + attempt.astype(jnp.uint32))
  return jax.random.fold_in(jax.lax.select(attempt == 0, key, other), index)
