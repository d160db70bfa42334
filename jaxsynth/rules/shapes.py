"""Shapes: polygons, ellipses and lines, with labels, masks, boxes, corners and counts.

All that is drawn is known, so what is said of an image is exact by construction.
"""
import dataclasses
import functools
import math
from typing import NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.rules import distances, paint
from jaxsynth.rules import spec as spec_
from jaxsynth.rules.distributions import Choice, Integers, Uniform
from jaxsynth.rules.outlines import OUTLINES, corner_table
from jaxsynth.rules.rule import Rule

NAMES = tuple(OUTLINES)
MOST = 32  # objects


@dataclasses.dataclass(frozen=True)
class Shapes:
  """What is drawn, and from which distributions.

  Raises:
    ValueError: a field out of its bounds, objects that cannot all be drawn apart, or that
      cannot be told from their background.

  >>> Shapes(count=Integers(2, 3), apart=True, radius=Uniform(.1, .2)).count
  Integers(low=2, high=3)
  """
  image_size: tuple[int, int] = spec_.field((28, 28), 'height and width', 'pixels', 8, 1024)
  channels: int = spec_.field(1, '1 for grey, 3 for colour', '', 1, 3)
  shape: Choice = spec_.field(Choice(NAMES), 'what they are; also the classes, in this order',
                              names=NAMES)
  count: Integers = spec_.field(Integers(1, 1), 'how many there are', 'objects', 1, MOST)
  radius: Uniform = spec_.field(Uniform(.2, .4), 'of the circle around an object',
                                'of the shorter side', .01, .5)
  aspect: Uniform = spec_.field(Uniform(1., 1.), 'width across, of that along', '', .2, 1)
  rotation: Uniform = spec_.field(Uniform(0., 360.), 'clockwise', 'degrees', -360, 360)
  across: Uniform = spec_.field(Uniform(0., 1.), 'where it is, 0 at the left and 1 at the right '
                                'edge, whole in the image', 'of the room', 0, 1)
  down: Uniform = spec_.field(Uniform(0., 1.), 'the same from above', 'of the room', 0, 1)
  apart: bool = spec_.field(False, 'whether no object hides another')
  brightness: Uniform = spec_.field(Uniform(.5, 1.), 'of the objects', '', 0, 1)
  background: Uniform = spec_.field(Uniform(0., .2), 'brightness of what is behind', '', 0, 1)
  hue: Uniform = spec_.field(Uniform(0., 360.), 'of objects and background', 'degrees', 0, 360)
  saturation: Uniform = spec_.field(Uniform(0., 0.), 'of both, with 3 channels', '', 0, 1)
  texture: Choice = spec_.field(Choice(('plain',)), 'of the objects', names=paint.TEXTURES)
  periods: Uniform = spec_.field(Uniform(1., 2.), 'of a texture', 'in a radius', .1, 10)
  contrast: float = spec_.field(.5, 'how much darker a texture is where it is darker', '', 0, 1)
  noise: Uniform = spec_.field(Uniform(0., 0.), 'standard deviation', 'grey levels', 0, 128)

  def __post_init__(self) -> None:
    spec_.check(self)
    if self.channels == 2:
      raise ValueError('channels=2: expected 1 or 3')
    if self.channels == 1 and self.saturation.high > 0:
      raise ValueError(f'saturation={list(self.saturation)}: grey images have none; give '
                       'channels=3')
    if self.background.high >= self.brightness.low:
      raise ValueError(f'background={list(self.background)}: expected numbers below brightness='
                       f'{list(self.brightness)}, or objects cannot be seen')
    if self.apart and 2 * self.radius.high * self.cells > 1:
      raise ValueError(f'count={list(self.count)}: as many objects of radius={list(self.radius)} '
                       f'do not fit apart; expected a radius of at most {.5 / self.cells:.3g}')

  @property
  def cells(self) -> int:
    """Rows, and columns, of the cells that objects which are apart lie in, one in each."""
    return math.ceil(math.sqrt(self.count.high))


def shapes(spec: Shapes = Shapes()) -> Rule:
  """The rule that draws them, foremost first; the label is the foremost object's shape.

  An example, with `H, W, C` the image's and `N` the most objects that there may be:

      image            [H, W, C] in [-1, 1]
      label            [] int32, the class of the foremost object
      count            [] int32
      mask             [H, W] int32: 0, or 1 + the class that is seen there
      instances        [H, W] int32: 0, or 1 + the object that is seen there
      objects/label    [N] int32, -1 where there is none
      objects/box      [N, 4] in [0, 1]: top, left, bottom, right, hidden parts too
      objects/corners  [N, V, 2] in [0, 1]: across and down, -1 where there is none
      objects/visible  [N] in [0, 1]: the share of its pixels that is seen

  Args:
    spec: what is drawn.

  Returns:
    A pure function of a key and a label.

  >>> example = shapes().draw(jax.random.key(0), jnp.int32(2))
  >>> example['image'].shape, int(example['label']), int(example['mask'].max())
  ((28, 28, 1), 2, 3)
  """
  plan = functools.partial(_plan, spec)
  return Rule(spec, lambda key, label: _paint(spec, plan(key, label)), spec.shape.names,
              spec.shape.shares,
              {'image': 'image', 'mask': 'image', 'instances': 'image'},
              parts=(plan, functools.partial(_paint, spec, alone=True)))


class _Plan(NamedTuple):
  """All that is drawn at random but the noise: `[N]` of the objects, and of the image `[]`."""
  label: Array
  number: Array
  kind: Array
  place: '_Place'
  colour: Array
  texture: Array
  periods: Array
  background: Array
  noise: Array
  key: Array


def _plan(spec: Shapes, key: Array, label: Array) -> _Plan:
  (height, width), n = spec.image_size, spec.count.high
  keys = iter(jax.random.split(key, 16))
  count = spec.count.draw(next(keys))
  kind = spec.shape.draw(next(keys), (n,)).at[0].set(label)
  radius = spec.radius.draw(next(keys), (n,)) * min(height, width)
  centre = _centres(spec, next(keys), radius)
  place = _Place(centre, radius, spec.aspect.draw(next(keys), (n,)),
                 jnp.radians(spec.rotation.draw(next(keys), (n,))))
  colour = _colours(spec, next(keys), spec.brightness, n)
  texture, periods = spec.texture.draw(next(keys), (n,)), spec.periods.draw(next(keys), (n,))
  background, key_noise = _colours(spec, next(keys), spec.background, 1)[0], next(keys)
  return _Plan(jnp.int32(label), count, kind, place, colour, texture, periods, background,
               spec.noise.draw(next(keys)), key_noise)


def _paint(spec: Shapes, plan: _Plan, alone: bool = False) -> dict[str, Array]:
  """An example; `alone`, without a batch beside it, only the pixels around each object."""
  (height, width), n = spec.image_size, spec.count.high
  most = math.ceil(2 * spec.radius.high * min(height, width)) + 3  # pixels across an object
  size = (min(height, most), min(width, most)) if alone else (height, width)
  x, y = distances.pixel_centres(*size)
  labels = jnp.where(jnp.arange(n) < plan.number, plan.kind, -1)

  def painted(k: Array, below: tuple[Array, ...]) -> tuple[Array, ...]:
    """Object `n - 1 - k` over those behind it."""
    i, (image, mask, instances, whole) = n - 1 - k, below
    at = [jnp.clip(jnp.floor(c).astype(jnp.int32) - most // 2, 0, side - part) if part < side
          else jnp.int32(0) for c, side, part in zip(
              plan.place.centre[i, ::-1], spec.image_size, size)]
    u, v = plan.place.inwards(x + at[1], y + at[0], i)
    covered = distances.coverage(plan.place.radius[i] * _distance(
        spec.shape.names, plan.kind[i], plan.place.aspect[i], u, v, alone))
    covered = jnp.where(labels[i] >= 0, covered, 0)
    darker = paint.texture(plan.texture[i], u, v, plan.periods[i], plan.place.radius[i],
                           spec.texture.names)
    colour = plan.colour[i][None, None] * (1 - spec.contrast * darker[..., None])
    here = covered >= .5
    part = lambda of: lax.dynamic_slice(of, (*at, 0)[:of.ndim], (*size, *of.shape[2:]))
    put = lambda of, new: lax.dynamic_update_slice(of, new, (*at, 0)[:of.ndim])
    return (put(image, paint.over(part(image), colour, covered)),
            put(mask, jnp.where(here, plan.kind[i] + 1, part(mask))),
            put(instances, jnp.where(here, i + 1, part(instances))),
            whole.at[i].set(jnp.sum(here)))

  none = jnp.zeros((height, width), jnp.int32)
  image, mask, instances, whole = lax.fori_loop(0, n, painted, (
      jnp.broadcast_to(plan.background[None, None], (height, width, spec.channels)), none, none,
      jnp.zeros(n, jnp.int32)))
  if spec.noise.high:
    image = paint.noisy(plan.key, image, plan.noise)
  seen = jnp.sum(instances[None] == jnp.arange(1, n + 1)[:, None, None], (1, 2))
  return {'image': 2 * image - 1, 'label': plan.label, 'count': plan.number, 'mask': mask,
          'instances': instances, **_known(spec, plan.place, labels),
          'objects/label': labels, 'objects/visible': seen / jnp.maximum(whole, 1)}


class _Place(NamedTuple):
  """Where objects lie: `[N, 2]` and `[N]`, in pixels and radians."""
  centre: Array
  radius: Array
  aspect: Array
  angle: Array

  def inwards(self, x: Array, y: Array, i: Array) -> tuple[Array, Array]:
    """Pixels in the coordinates of object i, along and across, its radius being 1."""
    dx, dy = (x - self.centre[i, 0]) / self.radius[i], (y - self.centre[i, 1]) / self.radius[i]
    cos, sin = jnp.cos(self.angle[i]), jnp.sin(self.angle[i])
    return cos * dx + sin * dy, cos * dy - sin * dx

  def outwards(self, points: Array) -> Array:
    """Points `[N, V, 2]` of the objects, whose radius is 1, in pixels."""
    u, v = points[..., 0], points[..., 1] * self.aspect[:, None]
    cos, sin = jnp.cos(self.angle)[:, None], jnp.sin(self.angle)[:, None]
    turned = jnp.stack([cos * u - sin * v, sin * u + cos * v], -1)
    return self.centre[:, None] + self.radius[:, None, None] * turned


def _centres(spec: Shapes, key: Array, radius: Array) -> Array:
  """`[N, 2]`, across and down, so that each object is whole in the image, or in its own cell."""
  height, width = spec.image_size
  key_cell, key_across, key_down = jax.random.split(key, 3)
  at = jnp.stack([spec.across.draw(key_across, radius.shape),
                  spec.down.draw(key_down, radius.shape)], -1)
  cells = spec.cells if spec.apart else 1
  size = jnp.array([width / cells, height / cells])
  room = jnp.maximum(size[None] - 2 * radius[:, None], 0)
  start = radius[:, None] + at * room
  if cells == 1:
    return start
  cell = jax.random.permutation(key_cell, cells ** 2)[:len(radius)]
  return start + jnp.stack([cell % cells, cell // cells], -1) * size[None]


def _colours(spec: Shapes, key: Array, brightness: Uniform, n: int) -> Array:
  """`[n, C]` in [0, 1]."""
  key_value, key_hue, key_saturation = jax.random.split(key, 3)
  value = brightness.draw(key_value, (n,))
  if spec.channels == 1:
    return value[:, None]
  return paint.hsv_to_rgb(spec.hue.draw(key_hue, (n,)),
                          spec.saturation.draw(key_saturation, (n,)), value)


def _distance(names: tuple[str, ...], kind: Array, aspect: Array, u: Array, v: Array,
              alone: bool) -> Array:
  """From the outline of a shape whose radius is 1; `kind` is a position in `names`.

  `alone`, only that of the kind is computed, corner by corner, and not that of every kind.
  """
  kinds = [OUTLINES[name] for name in names]
  curved = jnp.array([outline.curved for outline in kinds])[kind]
  table, counts = corner_table(names)
  corners = jnp.asarray(table)[kind] * jnp.stack([jnp.ones(()), aspect])[None]
  hole = jnp.array([outline.hole for outline in kinds])[kind]

  def polygon() -> Array:
    if alone:
      return distances.to_polygon_of(u, v, corners, jnp.asarray(counts)[kind])
    return distances.to_polygon(u, v, corners)

  def ellipse() -> Array:
    distance = distances.to_ellipse(u, v, jnp.ones(()), aspect)
    if not any(outline.hole for outline in kinds):
      return distance
    inner = jnp.maximum(hole, 1e-3)
    return jnp.where(hole > 0, jnp.maximum(
        distance, -distances.to_ellipse(u, v, inner, inner * aspect)), distance)
  if all(outline.curved for outline in kinds):
    return ellipse()
  if not any(outline.curved for outline in kinds):
    return polygon()
  return lax.cond(curved, ellipse, polygon) if alone else jnp.where(curved, ellipse(), polygon())


def _known(spec: Shapes, place: _Place, labels: Array) -> dict[str, Array]:
  """Boxes and corners, as shares of the image's height and width."""
  height, width = spec.image_size
  there = labels >= 0
  table, counts = corner_table(spec.shape.names)
  corners = place.outwards(jnp.asarray(table)[labels])
  low, high = corners.min(1), corners.max(1)
  curved = jnp.array([OUTLINES[name].curved for name in spec.shape.names])[labels]
  cos, sin = jnp.cos(place.angle), jnp.sin(place.angle)
  half = place.radius[:, None] * jnp.stack([jnp.hypot(cos, place.aspect * sin),
                                            jnp.hypot(sin, place.aspect * cos)], -1)
  low = jnp.where(curved[:, None], place.centre - half, low)
  high = jnp.where(curved[:, None], place.centre + half, high)
  box = jnp.concatenate([low[:, ::-1], high[:, ::-1]], -1) / jnp.array(
      [[height, width, height, width]], jnp.float32)
  known = there[:, None] & (jnp.arange(table.shape[1])[None] < jnp.asarray(counts)[labels][:, None])
  return {'objects/box': jnp.where(there[:, None], jnp.clip(box, 0, 1), 0),
          'objects/corners': jnp.where(known[..., None], corners / jnp.array(
              [[[width, height]]], jnp.float32), -1)}
