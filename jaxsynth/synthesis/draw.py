"""Samples by address: sample i depends on (model, seed, i) alone."""
from collections.abc import Callable, Iterator, Mapping, Sequence
import functools
from typing import Any, NamedTuple

import jax
from jax import Array
import numpy as np

from jaxsynth import keys
from jaxsynth.pixels import quantized
from jaxsynth.synthesis.blocks import all_finite, Blocks
from jaxsynth.synthesis.labels import labels_for, Shares
from jaxsynth.types import PerPlayer

Draw = Callable[[PerPlayer, PerPlayer, Array, int, int], np.ndarray]
STREAM = 0x53594e54  # parts the samples' keys from those of a run of the same seed


def sample_at(sample: Callable, params: PerPlayer, variables: PerPlayer, key: Array,
              indices: Array, labels: Array | None) -> Array:
  """The samples of these addresses; pure: `fold_in(key, i)` is sample i's key.

  Args:
    sample: `Objective.sample`.
    params: the model's.
    variables: the model's.
    key: of all samples.
    indices: `[n]`.
    labels: `[n]`, or `None`.

  Returns:
    `[n, ...]`.
  """
  each = jax.vmap(jax.random.fold_in, (None, 0))(key, indices)
  return sample(params, variables, each, labels)


def key_of(seed: int | Array) -> Array:
  """The key of the samples of a seed: of data sets, exported samplers, online batches.

  Args:
    seed: in [0, 2^63); or its `keys.words`, uint32 `[2]`, within a compiled function.

  Raises:
    ValueError: a seed out of range.
  """
  key = keys.of_words(seed) if isinstance(seed, Array) else keys.of_seed(seed)
  return jax.random.fold_in(key, STREAM)


def drawer(sample: Callable, shares: Shares | None = None, *, block: int = 100) -> Draw:
  """Compiles `Objective.sample` for aligned blocks of one size.

  Sample i belongs to block `i // block`, and drawing it computes that block: its
  bits do not depend on which samples are asked for with it.

  Args:
    sample: `Objective.sample`.
    shares: number of labels or their shares, `None` for no labels; labels are
      `labels_for`'s.
    block: samples computed together.

  Returns:
    `(params, variables, key, start, stop) -> [stop - start, ...]`, on the host.

  >>> draw = drawer(lambda p, v, keys, cond: jax.vmap(jax.random.normal)(keys), block=4)
  >>> key = jax.random.key(0)
  >>> bool((draw({}, {}, key, 0, 9)[3:6] == draw({}, {}, key, 3, 6)).all())
  True
  """
  @jax.jit
  def draw_block(params: PerPlayer, variables: PerPlayer, key: Array, indices: Array,
                 labels: Array | None) -> Array:
    return sample_at(sample, params, variables, key, indices, labels)

  def draw(params: PerPlayer, variables: PerPlayer, key: Array, start: int, stop: int
           ) -> np.ndarray:
    if not 0 <= start < stop:
      raise ValueError(f'samples [{start}, {stop}): expected 0 <= start < stop')
    out = []
    for first in range(start - start % block, stop, block):
      indices = np.arange(first, first + block, dtype=np.int32)
      labels = None if shares is None else labels_for(indices, shares)
      images = np.asarray(draw_block(params, variables, key, indices, labels))
      out.append(images[max(start - first, 0):stop - first])
    return np.concatenate(out)
  return draw


def as_pixels(images: Array) -> dict[str, Array]:
  """Images in [-1, 1] as bytes."""
  return {'image': quantized(images)}


class Piece(NamedTuple):
  """Consecutive samples, on the host.

  Attributes:
    start: address of the first.
    arrays: by name, `[n, ...]` each, as on disk: uint8 `'image'` `[n, H, W, C]`, and int32
      `'label'` where there are any.
  """
  start: int
  arrays: Mapping[str, np.ndarray]

  @property
  def images(self) -> np.ndarray:
    """uint8 `[n, H, W, C]`."""
    return self.arrays['image']

  @property
  def labels(self) -> np.ndarray | None:
    """int32 `[n]`, or `None`."""
    return self.arrays.get('label')


Stream = Callable[[int, int], Iterator[Piece]]


def streamer(sample: Callable, params: PerPlayer, variables: PerPlayer, seed: int,
             shares: Shares | None = None, *, block: int | None = None,
             devices: Sequence[jax.Device] | None = None, ahead: int = 2,
             to_disk: Callable[[Any], Mapping[str, Array]] = as_pixels) -> Stream:
  """Draws long runs of samples as they lie on disk.

  The bits do not depend on the devices nor on what is asked for, see `Blocks`.

  Args:
    sample: `Objective.sample`, of images `[n, H, W, C]` in [-1, 1], or of what `to_disk` takes.
    params: the model's; copied to every device.
    variables: the model's; copied to every device.
    seed: of the samples.
    shares: as `drawer`'s.
    block: samples a device computes together, see `Blocks`; another block, other bits.
    devices: see `Blocks`.
    ahead: see `Blocks`.
    to_disk: what is made of samples on the device, see `kinds.kind.Kind`; by default uint8
      pixels.

  Returns:
    `(start, stop) -> pieces` that make up samples [start, stop) in order.

  Raises:
    ValueError: a block below 1, or samples out of [0, 2^31).
    FloatingPointError: pixels that are not finite, when they are drawn.

  >>> stream = streamer(lambda p, v, keys, cond: jax.vmap(
  ...     lambda key: jax.random.uniform(key, (2, 2, 1)))(keys), {}, {}, 0, 3, block=4,
  ...     devices=jax.devices()[:1])
  >>> [(piece.start, piece.labels.tolist()) for piece in stream(2, 10)]
  [(2, [2, 0]), (4, [1, 2, 0, 1]), (8, [2, 0])]
  """
  blocks = Blocks(block, devices, ahead)
  model = blocks.everywhere((params, variables, key_of(seed)))

  def draw_block(model: tuple[PerPlayer, PerPlayer, Array], indices: Array,
                 labels: Array | None) -> tuple[Mapping[str, Array], Array]:
    drawn = sample_at(sample, *model, indices, labels)
    return to_disk(drawn), all_finite(drawn)
  draw = blocks.program(draw_block, 2)

  def stream(start: int, stop: int) -> Iterator[Piece]:
    if not 0 <= start < stop <= 2 ** 31:
      raise ValueError(f'samples [{start}, {stop}): expected 0 <= start < stop <= 2^31')
    firsts = range(start - start % blocks.block, stop, blocks.size)
    calls = ((np.arange(first, first + blocks.size),) for first in firsts)
    drawn = blocks.drawn(functools.partial(draw, model), calls, shares)
    for first, (_, labels, outputs) in zip(firsts, drawn):
      cut = slice(max(start - first, 0), stop - first)
      arrays = outputs if labels is None else {**outputs, 'label': labels}
      yield Piece(max(start, first), {name: np.asarray(x)[cut] for name, x in arrays.items()})
  return stream
