"""Pictures of a game's tiles, drawn from distances, and of maps of them."""
from collections.abc import Callable
import functools

from jax import Array
import jax.numpy as jnp

from jaxsynth.rules.distances import coverage, pixel_centres, to_ellipse, to_polygon, to_segment
from jaxsynth.rules.paint import over

NAMES = ('wall', 'floor', 'start', 'goal', 'key', 'door', 'coin', 'spikes')
WALL, FLOOR, START, GOAL, KEY, DOOR, COIN, SPIKES = range(len(NAMES))

Covered = Callable[[Array], Array]
Paint = Callable[[Array, Array, Array, Covered], Array]


def pictured(tiles: Array, size: int) -> Array:
  """A map of tiles, `[H, W]` positions in `NAMES`, as a picture `[H size, W size, 3]` in [0, 1].

  >>> pictured(jnp.zeros((3, 4), int), 8).shape
  (24, 32, 3)
  """
  height, width = tiles.shape
  each = _table(size)[tiles]  # [H, W, size, size, 3]
  return each.transpose(0, 2, 1, 3, 4).reshape(height * size, width * size, 3)


def _table(size: int) -> Array:
  """`[8, size, size, 3]`, in units of a tile from its middle."""
  x, y = pixel_centres(size, size)
  x, y = x / size - .5, y / size - .5
  floor = jnp.broadcast_to(jnp.array([.82, .78, .7]), (size, size, 3))
  paints: list[Paint] = [_wall, lambda *_: floor, _player, _flag, _key, _door, _coin, _spikes]
  covered = functools.partial(_covered, size)
  return jnp.stack([paint(x, y, floor, covered) for paint in paints])


def _covered(size: int, distance: Array) -> Array:
  return coverage(distance * size)


def _wall(x: Array, y: Array, floor: Array, covered: Covered) -> Array:
  """Bricks: two courses, the joints of one in the middle of the other's bricks."""
  mortar, brick = jnp.array([.35, .33, .35]), jnp.array([.55, .3, .25])
  upper = y < 0
  across = jnp.abs((x + jnp.where(upper, 0., .5)) % 1 - .5)
  joint = jnp.maximum(covered(jnp.abs(jnp.abs(y) - .25) * -1 + .21), covered(across - .04 + 0 * y))
  return over(jnp.broadcast_to(brick, floor.shape), mortar, joint)


def _player(x: Array, y: Array, floor: Array, covered: Covered) -> Array:
  blue, skin = jnp.array([.15, .3, .75]), jnp.array([.93, .75, .6])
  body = to_segment(x, y, jnp.array([0., .08]), jnp.array([0., .25])) - .17
  return over(over(floor, blue, covered(body)), skin, covered(to_ellipse(x, y + .2, .16, .16)))


def _flag(x: Array, y: Array, floor: Array, covered: Covered) -> Array:
  pole = to_segment(x, y, jnp.array([-.22, -.4]), jnp.array([-.22, .4])) - .04
  cloth = to_polygon(x, y, jnp.array([[-.2, -.4], [.38, -.18], [-.2, .05]]))
  return over(over(floor, jnp.array([.25, .2, .2]), covered(pole)), jnp.array([.1, .65, .2]),
              covered(cloth))


def _key(x: Array, y: Array, floor: Array, covered: Covered) -> Array:
  ring = jnp.abs(to_ellipse(x + .2, y, .14, .14)) - .05
  shaft = to_segment(x, y, jnp.array([-.05, 0.]), jnp.array([.38, 0.])) - .045
  teeth = jnp.minimum(*(to_segment(x, y, jnp.array([a, 0.]), jnp.array([a, .17])) - .04
                        for a in (.2, .34)))
  whole = jnp.minimum(jnp.minimum(ring, shaft), teeth)
  return over(floor, jnp.array([.85, .6, .05]), covered(whole))


def _door(x: Array, y: Array, floor: Array, covered: Covered) -> Array:
  wood, dark, knob = jnp.array([.5, .3, .12]), jnp.array([.3, .17, .06]), jnp.array([.9, .75, .2])
  boards = covered(jnp.abs((x * 3) % 1 - .5) / 3 - .015 + 0 * y)
  frame = covered(.43 - jnp.maximum(jnp.abs(x), jnp.abs(y)))
  door = over(over(jnp.broadcast_to(wood, floor.shape), dark, boards), dark, frame)
  return over(door, knob, covered(to_ellipse(x - .26, y, .09, .09)))


def _coin(x: Array, y: Array, floor: Array, covered: Covered) -> Array:
  rim = over(floor, jnp.array([.7, .5, .05]), covered(to_ellipse(x, y, .27, .27)))
  return over(rim, jnp.array([1., .85, .2]), covered(to_ellipse(x, y, .19, .19)))


def _spikes(x: Array, y: Array, floor: Array, covered: Covered) -> Array:
  for a in (-.3, 0., .3):
    spike = to_polygon(x, y, jnp.array([[a - .15, .4], [a, -.35], [a + .15, .4]]))
    floor = over(floor, jnp.array([.4, .42, .48]), covered(spike))
  return floor
