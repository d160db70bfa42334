"""Labels by a classifier, in the place of those asked for."""
from collections import deque
from collections.abc import Callable, Iterator, Sequence
import itertools
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.kinds.kind import Kind
from jaxsynth.pixels import scaled
from jaxsynth.synthesis.draw import Piece, Stream


class Labelled(NamedTuple):
  """What became of the labels.

  Attributes:
    images: how many images each class got.
    changed: how many of them were asked for as another class; `None` if none was asked for.
  """
  images: list[int]
  changed: int | None

  def __add__(self, other: Any) -> 'Labelled':
    return Labelled(np.add(self.images, other.images).tolist(),
                    None if self.changed is None else self.changed + other.changed)


def pseudo_labelled(stream: Stream, logits: Callable[[Any, Array], Array], params: Any,
                    num_classes: int, *, block: int,
                    devices: Sequence[jax.Device] | None = None, ahead: int = 2,
                    kind: Kind | None = None,
                    report: Callable[[int, int, Labelled], None] = lambda *counts: None
                    ) -> Stream:
  """The same images, each with the class that a classifier finds the most probable.

  A conditional generator is told a class and misses it at times, most of all near where two
  classes meet; and an unconditional one gives no labels. A classifier of real images gives
  both the labels to learn from: pseudo-labels (Lee 2013), of generated images as in Gowal
  et al. 2021 (arXiv:2110.09468). Shares of classes are then what the classifier says. Each
  label depends on its image alone.

  Args:
    stream: any.
    logits: `(params, images [n, H, W, C] in [-1, 1]) -> [n, K]`, row by row.
    params: its first argument; copied to every device.
    num_classes: K.
    block: images classified together.
    devices: that take turns; all of this process by default.
    ahead: pieces in flight.
    kind: what samples are; `None` for images.
    report: called with `(start, stop, labelled)` once a run is complete, before its last piece.

  Returns:
    `(start, stop) -> pieces`, as `streamer`'s.

  Raises:
    ValueError: a block below 1, or nothing ahead.

  >>> def stream(start, stop):
  ...   yield Piece(start, {'image': np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)})
  >>> by_sign = lambda _, images: jnp.concatenate([-images[:, 0, 0], images[:, 0, 0]], 1)
  >>> next(pseudo_labelled(stream, by_sign, (), 2, block=2)(0, 2)).labels.tolist()
  [0, 1]
  """
  if block < 1 or ahead < 1:
    raise ValueError(f'block={block}, ahead={ahead}: expected at least 1')
  devices = jax.local_devices() if devices is None else list(devices)
  name, to_model = ('image', scaled) if kind is None else (kind.name, kind.to_model)
  turns = itertools.cycle([(device, jax.device_put(params, device)) for device in devices])

  @jax.jit
  def classify(params: Any, images: Array) -> Array:
    return jnp.argmax(logits(params, to_model(images)), -1).astype(jnp.int32)

  def begun(piece: Piece) -> list[Array]:
    out, values = [], piece.arrays[name]
    for first in range(0, len(values), block):
      at = np.minimum(np.arange(first, first + block), len(values) - 1)
      device, weights = next(turns)
      out.append(classify(weights, jax.device_put(values[at], device)))
    return out

  def labelled(start: int, stop: int) -> Iterator[Piece]:
    total: Labelled | None = None
    flying: deque[tuple[Piece, list[Array]]] = deque()

    def finished() -> Piece:
      nonlocal total
      piece, blocks = flying.popleft()
      labels = np.concatenate([np.asarray(x) for x in blocks])[:len(piece.arrays[name])]
      changed = None if piece.labels is None else int((labels != piece.labels).sum())
      here = Labelled(np.bincount(labels, minlength=num_classes).tolist(), changed)
      total = here if total is None else total + here
      if piece.start + len(labels) == stop:
        report(start, stop, total)
      return Piece(piece.start, {**piece.arrays, 'label': labels})

    for piece in stream(start, stop):
      flying.append((piece, begun(piece)))
      if len(flying) > ahead:
        yield finished()
    while flying:
      yield finished()
  return labelled
