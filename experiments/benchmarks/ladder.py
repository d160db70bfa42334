"""Sets of a rule's images that are worse by a known amount, of several kinds each."""
from collections.abc import Callable, Iterator
import functools
from typing import NamedTuple

import numpy as np

from jaxsynth.rules import truth
from jaxsynth.rules.recognise import Reading
from jaxsynth.rules.shapes import Shapes


class Rung(NamedTuple):
  """A set of images, and how it came to be worse.

  Attributes:
    kind: what was done.
    amount: how much, larger for worse.
    images: uint8 `[N, H, W, 1]`.
    labels: int32 `[N]`, that were asked for, or `None`.
  """
  kind: str
  amount: float
  images: np.ndarray
  labels: np.ndarray | None


Worse = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def rungs(images: np.ndarray, labels: np.ndarray, reading: Reading, spec: Shapes, num: int,
          seed: int = 0) -> Iterator[Rung]:
  """All sets, `num` images each, from more of them than that.

  Args:
    images: of the rule, uint8 `[N, H, W, 1]`, N several times `num`.
    labels: `[N]`.
    reading: of them, for modes that are left out.
    spec: the rule's.
    num: of images in a set.
    seed: of what is random.
  """
  rng = np.random.default_rng(seed)
  yield Rung('none', 0., images[:num], labels[:num])
  for kind, (worse, amounts) in OF_PIXELS.items():
    for amount in amounts:
      yield Rung(kind, amount, worse(images[:num], amount, rng), labels[:num])
  modes = truth.modes_of(reading, spec)
  order = rng.permutation(modes.max() + 1)
  for lost in (.1, .25, .5, .75, .9):
    kept = np.isin(modes, order[int(lost * len(order)):])
    some = np.flatnonzero(kept)[:num]
    some = np.resize(some, num)
    yield Rung('modes left out', lost, images[some], labels[some])
  for copies in (2, 5, 20, 100):
    some = np.resize(np.arange(num // copies), num)
    yield Rung('copies', float(copies), images[some], labels[some])


def _noisy(images: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
  """Normal noise of a standard deviation in grey levels."""
  return _bytes(images + rng.normal(0, amount, images.shape))


def _blurred(images: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
  """A binomial filter of 3 x 3, so many times."""
  x = images.astype(np.float64)
  for _ in range(int(amount)):
    for axis in (1, 2):
      wide = np.pad(x, [(0, 0)] + [(1, 1) if k == axis else (0, 0) for k in (1, 2, 3)], 'edge')
      cut = lambda a, wide=wide, axis=axis: np.take(wide, range(a, a + x.shape[axis]), axis)
      x = (cut(0) + 2 * cut(1) + cut(2)) / 4
  return _bytes(x)


def _mixed(images: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
  """This share of images are two at once."""
  both = np.maximum(images, np.roll(images, 1, 0))
  return np.where((rng.random(len(images)) < amount)[:, None, None, None], both, images)


def _bent(images: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
  """Rows are shifted along a wave of an amplitude in pixels."""
  rows, width = np.arange(images.shape[1]), images.shape[2]
  phase = rng.random((len(images), 1)) * 2 * np.pi
  shift = amount * np.sin(2 * np.pi * rows[None] / 14 + phase)
  at = np.clip(np.arange(width)[None, None] + shift[..., None], 0, width - 1)
  low, share = np.floor(at).astype(int), at % 1
  take = functools.partial(np.take_along_axis, images[..., 0].astype(np.float64), axis=2)
  x = (1 - share) * take(indices=low) + share * take(indices=np.minimum(low + 1, width - 1))
  return _bytes(x[..., None])


def _bytes(x: np.ndarray) -> np.ndarray:
  return np.clip(np.rint(x), 0, 255).astype(np.uint8)


OF_PIXELS: dict[str, tuple[Worse, tuple[float, ...]]] = {
    'noise': (_noisy, (4, 8, 12, 20, 40)), 'blur': (_blurred, (1, 2, 4, 8)),
    'two at once': (_mixed, (.1, .25, .5, .75, 1.)), 'bent': (_bent, (.5, 1, 1.5, 2, 3))}
