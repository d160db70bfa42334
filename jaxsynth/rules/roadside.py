"""What stands beside a road as upright pictures: pedestrians, trees and signs."""
from collections.abc import Callable
from typing import NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.rules import views
from jaxsynth.rules.distances import to_polygon, to_segment
from jaxsynth.rules.street import Light, PEDESTRIAN, SIGN, Street, TREE
from jaxsynth.rules.views import FAR, Seen, View

STEP = 1.5  # of a walk, m


class Things(NamedTuple):
  """Pedestrians, trees or signs, `[N]` each.

  Attributes:
    there: whether there is one.
    x: right of the middle of the road, m.
    z: ahead at time 0, m.
    tall: m.
    speed: along z, m/s; of trees and signs 0.
    look: `[N, 3]` in [0, 1], what makes each its own.
    colours: `[N, 2, 3]`.
  """
  there: Array
  x: Array
  z: Array
  tall: Array
  speed: Array
  look: Array
  colours: Array


def drawn(key: Array, street: Street, count: Array, most: int, ahead: float,
          tall: tuple[float, float], outside: tuple[float, float], speed: float = 0.) -> Things:
  """Things at random on both sides.

  Args:
    key: of them.
    street: beside which they are.
    count: `[]`, how many.
    most: that there may be.
    ahead: how far they are at most, m.
    tall: between which heights, m.
    outside: where across, in widths of the pavement from the kerb.
    speed: the largest along z, m/s.
  """
  u = jax.random.uniform(key, (most, 15))
  between = lambda k, low, high: low + (high - low) * u[:, k]
  side = jnp.where(u[:, 0] < .5, -1., 1.)
  x = side * (street.half + street.pavement * between(1, *outside))
  near = (jnp.argsort(u[:, 2]) + u[:, 3]) / max(most, 1)  # each in a stretch of its own
  return Things(jnp.arange(most) < count, x, 6 + (ahead - 6) * near ** 1.5, between(4, *tall),
                speed * between(5, -1., 1.), u[:, 6:9], .05 + .75 * u[:, 9:15].reshape(
                    most, 2, 3))


def pedestrians_seen(things: Things, view: View, light: Light, shift: Array, time: Array,
                     ahead: Array, first: int, below: Seen) -> Seen:
  """With the pedestrians; arguments as `traffic.seen`'s."""
  def behind(i: Array, below: Seen) -> Seen:
    walked = things.speed[i] * time
    depth, u, v = _placed(things, i, view, shift, walked - ahead)
    u, v = u / things.tall[i], v / things.tall[i]  # of a person 1 tall
    stride = .16 * jnp.sin(2 * jnp.pi * (walked / STEP + things.look[i, 0])) + .02
    limb = lambda x0, y0, x1, y1: to_segment(u, v, jnp.array([x0, y0]), jnp.stack([x1, y1]))
    legs = jnp.minimum(limb(-.03, .48, -stride, jnp.float32(.03)),
                       limb(.03, .48, stride, jnp.float32(.03))) - .045
    arms = jnp.minimum(limb(-.1, .78, -.12 - stride * .6, jnp.float32(.46)),
                       limb(.1, .78, .12 + stride * .6, jnp.float32(.46))) - .028
    trunk = limb(0., .76, jnp.float32(0.), jnp.float32(.53)) - .1
    head = _length(u, v - .92) - .07
    hair = (v > .93) | (jnp.abs(u) > .055)
    coat, trousers = (views.colour(things.colours[i, k]) for k in range(2))
    tone = .35 + .5 * things.look[i, 1]
    skin = (tone, tone * .78, tone * .64)
    dark = (.1 + .3 * things.look[i, 2],) * 3
    body = jnp.minimum(jnp.minimum(legs, arms), jnp.minimum(trunk, head))
    paint = views.where(head < 0, views.where(hair, dark, skin), views.where(
        jnp.minimum(trunk, arms) < 0, coat, trousers))
    return below.behind(jnp.where(body < 0, depth, FAR), views.shaded(paint, _light(light)),
                         PEDESTRIAN, first + i)
  return _all(things, view, shift, time, ahead, .5, behind, below)


def trees_seen(things: Things, view: View, light: Light, shift: Array, time: Array, ahead: Array,
               first: int, below: Seen) -> Seen:
  """With the trees; arguments as `traffic.seen`'s."""
  def behind(i: Array, below: Seen) -> Seen:
    depth, u, v = _placed(things, i, view, shift, -ahead)
    seed, leaf, bough = (1e6 * things.look[i, 0]).astype(jnp.uint32), .18, .7  # m
    leaves = views.grain(u / leaf, v / leaf, seed)
    boughs = views.grain(u / bough + .4 * leaves, v / bough, seed)
    u, v = u / things.tall[i], v / things.tall[i]
    crown = _length(u / (.26 + .1 * things.look[i, 2]), (v - .64) / .36) - .8 - .3 * boughs
    bare = things.look[i, 0] > .7  # most of its leaves are gone
    full = (crown < 0) & (leaves > jnp.where(bare, .55, .06 + .4 * jnp.maximum(crown + .25, 0)))
    trunk = (jnp.abs(u) < .028 * (1.3 - v)) & (v >= 0) & (v < .7)
    tint = .6 + .5 * leaves + .25 * jnp.where(light.from_left, -u, u)
    green = (.16 + .2 * things.look[i, 1], .3 + .12 * things.look[i, 2], .1)
    brown = (.3, .23, .16)
    colour = views.where(full & ~bare, views.shaded(green, tint), views.shaded(brown, tint))
    return below.behind(jnp.where(full | trunk, depth, FAR), views.shaded(colour, _light(light)),
                         TREE, first + i)
  return _all(things, view, shift, time, ahead, .5, behind, below)


def signs_seen(things: Things, view: View, light: Light, shift: Array, time: Array, ahead: Array,
               first: int, below: Seen) -> Seen:
  """With the signs: round, triangular or oblong; arguments as `traffic.seen`'s."""
  triangle = jnp.array([[-.5, -.42], [.5, -.42], [0., .45]])

  def behind(i: Array, below: Seen) -> Seen:
    depth, u, v = _placed(things, i, view, shift, -ahead)
    w = v - things.tall[i] + .45  # from the middle of the plate, which is .8 m wide
    which = jnp.floor(3 * things.look[i, 0])
    round_ = _length(u, w) - .4
    pointed = to_polygon(u, w, triangle)
    oblong = jnp.maximum(jnp.abs(u) - .32, jnp.abs(w) - .45)
    plate = jnp.where(which == 0, round_, jnp.where(which == 1, pointed, oblong))
    pole = (jnp.abs(u) < .05) & (v >= 0) & (w < 0)
    red, white, blue = (.75, .08, .1), (.92, .92, .92), (.1, .2, .6)
    mark = (jnp.abs(u) < .06) & (jnp.abs(w) < .15)
    face = views.where(which == 2, views.where(mark | (jnp.abs(w - .1) < .05), white, blue),
                       views.where(plate > -.1, red, views.where(mark, (.1, .1, .1), white)))
    paint = views.where(plate < 0, face, (.45, .46, .48))
    return below.behind(jnp.where((plate < 0) | pole, depth, FAR),
                         views.shaded(paint, _light(light)), SIGN, first + i)
  return _all(things, view, shift, time, ahead, .25, behind, below)


def _all(things: Things, view: View, shift: Array, time: Array, ahead: Array, wide: float,
         behind: Callable[[Array, Seen], Seen], below: Seen) -> Seen:
  """All things, where they may be seen; none is wider to a side than `wide` of its height."""
  def maybe(i: Array, below: Seen) -> Seen:
    x, z, tall = things.x[i] - shift, things.z[i] + things.speed[i] * time - ahead, things.tall[i]
    seen = views.may_meet(view, x - wide * tall, x + wide * tall, 0., 1.1 * tall, z, z)
    return lax.cond(seen, lambda: behind(i, below), lambda: below)
  return lax.fori_loop(0, jnp.sum(things.there), maybe, below)


def _placed(things: Things, i: Array, view: View, shift: Array, moved: Array
            ) -> tuple[Array, Array, Array]:
  """The depth of one, `FAR` where it is not there or behind, and places on its plane, m."""
  z = things.z[i] + moved
  depth = jnp.where(things.there[i] & (z > 1.5), z, FAR)
  return depth, *views.upright(view, things.x[i] - shift, jnp.maximum(z, 1.5))


def _length(x: Array, y: Array) -> Array:
  return jnp.sqrt(x ** 2 + y ** 2)


def _light(light: Light) -> Array:
  return .5 * (light.sun + light.shade)
