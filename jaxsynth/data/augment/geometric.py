"""Augmentations that move pixels: any number of them, one resampling."""
from collections.abc import Callable, Sequence
import dataclasses
from typing import TypeAlias

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.data.augment import boxes as boxes_, moves
from jaxsynth.data.augment.example import Example, Number, image_of
from jaxsynth.data.augment.moves import Move
from jaxsynth.data.augment.resample import MODES, Mode, warp

Size: TypeAlias = tuple[int, int]


@dataclasses.dataclass(frozen=True, eq=False)
class Geometric:
  """An augmentation `(key, example) -> example` that is known to move pixels only.

  `compose` makes one of neighbours: their moves are composed, and every image is
  resampled once. The image is resampled bilinearly (exactly, where whole pixels
  move), `'mask'` `[H, W]` or `[H, W, K]` by its nearest pixel, `'boxes'` `[n, 4]`
  become the boxes around the moved ones (see `boxes`), and all else is passed on.

  Attributes:
    move: `(key, (H, W)) -> Move`, from the image to the moved one.
    size: `(H, W) -> (h, w)` of the moved image.
    fill: around the image, `[]` or `[C]`.
    mode: `'constant'` (`fill`), `'edge'` or `'reflect'`.
    exact: whether pixel centres always fall on pixel centres (or beside the image).
    aligned: whether rows stay rows and columns columns.
    mask_fill: around a mask, in mode `'constant'`.

  >>> import jax, jax.numpy as jnp
  >>> half_turn = Geometric(lambda key, size: Move(moves.scaling(-1., -1.)), exact=True)
  >>> example = {'image': jnp.arange(6.).reshape(2, 3, 1)}
  >>> print(half_turn(jax.random.key(0), example)['image'][..., 0])
  [[5. 4. 3.]
   [2. 1. 0.]]
  """
  move: Callable[[Array, Size], Move]
  size: Callable[[Size], Size] = lambda size: size
  fill: Number = -1.
  mode: Mode = 'constant'
  exact: bool = False
  aligned: bool = False
  mask_fill: int = 0

  def __call__(self, key: Array, example: Example) -> Example:
    image = image_of(example)
    before = (image.shape[0], image.shape[1])
    size, move = self.size(before), self.move(key, before)
    y, x = moves.positions(move, size, before, self.aligned)
    order = 0 if self.exact else 1
    moved = {'image': warp(image, y, x, fill=self.fill, mode=self.mode, order=order)}
    if 'mask' in example:
      moved['mask'] = _moved_mask(jnp.asarray(example['mask']), y, x, self)
    if 'boxes' in example:
      moved['boxes'] = boxes_.move(_boxes(example), move, size, before)
    return {**example, **moved}


def check_mode(mode: str) -> None:
  """Raises ValueError for a mode that is none."""
  if mode not in MODES:
    raise ValueError(f'mode={mode!r}: expected one of {", ".join(MODES)}')


def _moved_mask(mask: Array, y: Array, x: Array, g: Geometric) -> Array:
  channels = mask[..., None] if mask.ndim == 2 else mask
  if channels.ndim != 3:
    raise ValueError(f'mask: shape {list(mask.shape)}, expected [H, W] or [H, W, K]')
  moved = warp(channels, y, x, fill=g.mask_fill, mode=g.mode, order=0)
  return moved.reshape(*moved.shape[:2], *mask.shape[2:])


def _boxes(example: Example) -> Array:
  boxes = jnp.asarray(example['boxes'])
  if boxes.ndim != 2 or boxes.shape[1] != 4 or not jnp.issubdtype(boxes.dtype, jnp.floating):
    raise ValueError(f'boxes: {boxes.dtype}{list(boxes.shape)}, expected floating [n, 4] '
                     'of (y0, x0, y1, x1) in pixels')
  return boxes


def fusible(a: Geometric, b: Geometric) -> bool:
  """Whether one resampling can stand for both: they agree on what is around."""
  same = a.fill is b.fill or (
      not isinstance(a.fill, Array) and not isinstance(b.fill, Array) and a.fill == b.fill)
  return same and a.mode == b.mode and a.mask_fill == b.mask_fill


def fused(group: Sequence[Geometric]) -> Geometric:
  """One for several that are `fusible`; its `move` takes keys `[len(group)]`."""
  def size(image_size: Size) -> Size:
    for g in group:
      image_size = g.size(image_size)
    return image_size

  def move(keys: Array, image_size: Size) -> Move:
    out, between = group[0].move(keys[0], image_size), group[0].size(image_size)
    for i, g in enumerate(group[1:], 1):
      after = g.size(between)
      out = moves.then(out, g.move(keys[i], between), after, between)
      between = after
    return out
  return dataclasses.replace(
      group[0], move=move, size=size, exact=all(g.exact for g in group),
      aligned=all(g.aligned for g in group))


def sometimes(p: Number, g: Geometric) -> Geometric:
  """`g` with probability `p`, and no move otherwise; see `maybe`."""
  def move(key: Array, image_size: Size) -> Move:
    if g.size(image_size) != image_size:
      raise ValueError(f'maybe: an augmentation from {image_size} to {g.size(image_size)} '
                       'pixels cannot be left out, as all examples have one size')
    chance, rest = jax.random.split(key)
    hit = jax.random.uniform(chance) < p
    matrix, displacement = g.move(rest, image_size)
    return Move(jnp.where(hit, matrix, moves.identity()),
                None if displacement is None else jnp.where(hit, displacement, 0))
  return dataclasses.replace(g, move=move)
