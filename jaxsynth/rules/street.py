"""The street itself: sky, ground with its lanes, and two rows of buildings."""
from typing import NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.rules import views
from jaxsynth.rules.views import Colour, FAR, Seen, View

BLOCKS = 6  # buildings in a row
KINDS = ('sky', 'building', 'road', 'pavement', 'grass', 'tree', 'sign', 'vehicle', 'pedestrian')
SKY, BUILDING, ROAD, PAVEMENT, GRASS, TREE, SIGN, VEHICLE, PEDESTRIAN = range(len(KINDS))


class Light(NamedTuple):
  """How bright a scene is, and from where: `[]` each.

  Attributes:
    sun: on what looks at it; the rest has `shade`.
    shade: see above.
    from_left: whether the sun is on the left.
    sky: three of `[]`, at the horizon.
    zenith: the same, above.
  """
  sun: Array
  shade: Array
  from_left: Array
  sky: Colour
  zenith: Colour


class Street(NamedTuple):
  """The street, x being measured from the middle of the road.

  Attributes:
    half: `[]`, half the road's width, m.
    pavement: `[]`, width, m.
    ends: `[2, BLOCKS + 1]`, where the buildings of the left and right row begin and end, m.
    front: `[2, BLOCKS]`, their distance from the middle, m.
    tall: `[2, BLOCKS]`, height, m; 0 for a gap.
    walls: `[2, BLOCKS, 3]`, colours.
    storey: `[2, BLOCKS]`, height of one, m.
    asphalt: `[]`, grey.
    turf: `[3]`.
    seed: `[]` uint32, of textures.
  """
  half: Array
  pavement: Array
  ends: Array
  front: Array
  tall: Array
  walls: Array
  storey: Array
  asphalt: Array
  turf: Array
  seed: Array


def drawn(key: Array, half: Array, gaps: Array, tall: tuple[float, float], ahead: float) -> Street:
  """A street at random.

  Args:
    key: of it.
    half: `[]`, half the road's width, m.
    gaps: `[]`, the share of buildings that are not there.
    tall: between which heights buildings are, m.
    ahead: where the last building ends at least, m.
  """
  key_seed, key_rest = jax.random.split(key)
  u = jax.random.uniform(key_rest, (2, BLOCKS, 8))
  of_all = jax.random.uniform(key_seed, (5,))
  between = lambda x, low, high: low + (high - low) * x
  pavement = between(of_all[0], 1.5, 4.)
  lengths = between(u[..., 0], .5, 1.6) * (ahead + 20) / BLOCKS
  ends = jnp.concatenate([jnp.full((2, 1), -20.), -20 + jnp.cumsum(lengths, 1)], 1)
  setback = jnp.where(of_all[1:3, None] < .6, 0., 6 * u[..., 1])
  warm = between(u[..., 2:3], -.02, .16) * jnp.array([[[1., 0., -1.]]])  # of brick and stone
  return Street(
      half, pavement, ends, half + pavement + setback,
      jnp.where(u[..., 3] >= gaps, between(u[..., 4], *tall), 0.),
      jnp.clip(between(u[..., 5:6], .25, .85) + warm, .1, .95), between(u[..., 6], 2.7, 4.),
      between(of_all[3], .25, .5), jnp.array([.25, .4, .15]) * between(of_all[4], .7, 1.3),
      jax.random.bits(jax.random.fold_in(key, 1)))


def seen(street: Street, view: View, light: Light, shift: Array, ahead: Array) -> Seen:
  """Sky, ground and buildings, from a camera at `shift` right of the middle and `ahead` on."""
  ground = _ground(street, view, light, shift, ahead, _sky(view, light, street.seed))
  shape = ground.depth.shape
  nothing = jnp.zeros(shape)
  none = Walls(nothing + FAR, nothing, nothing, jnp.zeros(shape, jnp.int32),
               jnp.zeros(shape, bool))
  walls = lax.fori_loop(0, 2 * BLOCKS, lambda k, nearest: _wall(
      street, view, shift, ahead, k, nearest), none)
  return ground.behind(walls.depth, _painted(street, walls, light), BUILDING)


class Walls(NamedTuple):
  """The wall that each sample sees, `[H, W]` each.

  Attributes:
    depth: z, or `FAR`.
    along: where it is met, along the wall, m.
    y: and above the ground, m.
    block: of which building, those of the right row after those of the left.
    across: whether the wall looks along the street.
  """
  depth: Array
  along: Array
  y: Array
  block: Array
  across: Array


def _nearer(a: Walls, b: Walls) -> Walls:
  return Walls(*(jnp.where(b.depth < a.depth, y, x) for x, y in zip(a, b)))


def _sky(view: View, light: Light, seed: Array) -> Seen:
  up = jnp.clip(-view.b * 1.6, 0, 1)
  plain = views.mixed(light.sky, light.zenith, up + 0 * view.a)
  # clouds: three waves in the plane of the sky, thinner towards the horizon
  z = 1 / jnp.maximum(-view.b, .02)
  x = view.a * z
  phase = (seed % 1000).astype(jnp.float32)
  waves = sum(views.wave(x * p + z * q + phase * r) for p, q, r in (
      (.14, .08, .1), (-.06, .2, .2), (.27, -.13, .3)))
  cloud = jnp.clip(waves / 3, 0, 1) * jnp.clip(-view.b * 5, 0, 1)
  white = light.sun * .9 + .1
  shape = cloud.shape
  return Seen(jnp.full(shape, FAR), views.mixed(plain, (white, white, white), .7 * cloud),
              jnp.full(shape, SKY), jnp.zeros(shape, jnp.int32))


def _ground(street: Street, view: View, light: Light, shift: Array, ahead: Array, below: Seen
            ) -> Seen:
  z = jnp.where(view.b > 1e-4, view.height / jnp.maximum(view.b, 1e-4), FAR)
  x = view.a * z + shift
  wide, deep = z * view.pixel, z ** 2 * view.pixel / view.height  # of a sample, on the ground
  away = jnp.abs(x)
  on_road, on_pavement = away < street.half, away < street.half + street.pavement
  # two edge lines, and a dashed line in the middle
  line = lambda distance: jnp.clip(.5 - (distance - .08) / wide, 0, 1) * jnp.minimum(.16 / wide, 1)
  along = z + ahead
  dash = jnp.clip(.5 - (jnp.abs(6 * views.fraction(along / 6) - 1.5) - 1.5) / deep, 0, 1)
  dash = jnp.where(deep > 3, .5, dash)
  white = jnp.maximum(line(jnp.abs(away - street.half + .35)), line(away) * dash)
  fine = 1 / (1 + 4 * wide)  # grain that is smaller than a sample fades
  rough = fine * (views.grain(x * 12, along * 6, street.seed) - .5)
  grey = street.asphalt + .08 * rough
  kerb = jnp.abs(away - street.half - .1) < .1
  slab = fine * (jnp.abs(views.fraction(along / 1.2) - .5) > .475)
  flag = street.asphalt * .5 + .3 + .06 * rough - .1 * slab - .12 * kerb
  turf = views.shaded(views.colour(street.turf), 1 + .5 * rough)
  road = views.mixed((grey, grey, grey * 1.03), (.92, .92, .9), white)
  paint = views.where(on_road, road, views.where(on_pavement, (flag, flag * .98, flag * .95), turf))
  kind = jnp.where(on_road, ROAD, jnp.where(on_pavement, PAVEMENT, GRASS))
  met = z < FAR
  return Seen(jnp.where(met, z, below.depth),
              views.where(met, views.shaded(paint, light.shade * .3 + light.sun * .7),
                          below.colour), jnp.where(met, kind, below.kind), below.instance)


def _wall(street: Street, view: View, shift: Array, ahead: Array, k: Array, nearest: Walls
          ) -> Walls:
  side, block = k // BLOCKS, k % BLOCKS
  front, tall = street.front[side, block], street.tall[side, block]
  z0, z1 = street.ends[side, block] - ahead, street.ends[side, block + 1] - ahead
  left = side == 0
  near, far = jnp.where(left, -front - 12, front), jnp.where(left, -front, front + 12)
  box = near - shift, far - shift, 0., tall, z0, z1

  def met_too() -> Walls:
    met = views.box(view, *box)
    along = jnp.where(met.across, met.x + shift, met.depth + ahead)
    return _nearer(nearest, Walls(jnp.where(met.above, FAR, met.depth), along, met.y,
                                  jnp.broadcast_to(k, along.shape), met.across))
  return lax.cond(views.may_meet(view, *box) & (tall > 0), met_too, lambda: nearest)


def _painted(street: Street, walls: Walls, light: Light) -> Colour:
  """Walls with windows: of each storey and each 2.4 m, larger on the ground."""
  of_wall = lambda table: table.reshape(2 * BLOCKS)[walls.block]
  storey, bay = walls.y / of_wall(street.storey), walls.along / 2.4
  across, up = jnp.abs(views.fraction(bay) - .5), views.fraction(storey)
  window = jnp.where(storey < 1, (across < .4) & (up > .12) & (up < .78),
                     (across < .28) & (jnp.abs(up - .55) < .27))
  window &= walls.y < of_wall(street.tall) - .5
  seed = street.seed + walls.block.astype(jnp.uint32)
  glass = .12 + .3 * views.grain(bay, storey, seed)
  rough = .95 + .1 * views.grain(walls.along * 3, walls.y * 6, seed)
  plain = views.shaded((of_wall(street.walls[..., 0]), of_wall(street.walls[..., 1]),
                        of_wall(street.walls[..., 2])), rough)
  sunny = light.from_left == (walls.block >= BLOCKS)
  lit = jnp.where(walls.across, light.shade * .6 + light.sun * .4,
                  jnp.where(sunny, light.sun, light.shade))
  return views.shaded(views.where(window, (glass, glass * 1.05, glass * 1.15), plain), lit)
