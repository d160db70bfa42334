"""Vehicles: two boxes each, with windows, wheels and lights, in lanes or parked."""
from typing import NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.rules import views
from jaxsynth.rules.street import Light, Street, VEHICLE
from jaxsynth.rules.views import Met, Seen, View

# length, width, height of the body, height of all, where the cabin begins and ends; m
CAR = (4.3, 1.8, .85, 1.5, .5, 3.2)
VAN = (5.2, 2., 1.1, 2.3, .05, 4.2)
BUS = (10.5, 2.5, 1.3, 3.1, .02, 10.48)
TYPES = np.array([CAR, VAN, BUS], np.float32)


class Vehicles(NamedTuple):
  """All of a scene, `[N]` each.

  Attributes:
    there: whether there is one.
    type: a row of `TYPES`.
    x: of its middle, right of that of the road, m.
    z: of its rear, or its front where it comes towards the camera, m, at time 0.
    speed: along z, m/s.
    oncoming: whether its front looks at the camera.
    paint: `[N, 3]`.
  """
  there: Array
  type: Array
  x: Array
  z: Array
  speed: Array
  oncoming: Array
  paint: Array


def drawn(key: Array, street: Street, count: Array, most: int, ahead: float, on_left: Array
          ) -> Vehicles:
  """Vehicles at random: each in a stretch of its own, in either lane or parked at a kerb.

  Args:
    key: of them.
    street: where they are.
    count: `[]`, how many.
    most: that there may be.
    ahead: how far they are at most, m.
    on_left: whether one drives on the left.
  """
  u, slot = jax.random.uniform(key, (most, 12)), jnp.arange(most)
  type_ = jnp.sum(u[:, :1] > jnp.array([[.75, .9]]), 1)
  # each in a stretch of its own, so that those of one lane do not overlap; shorter ones nearby
  stretch, order = (ahead - 6) / max(most, 1), jnp.argsort(u[:, 1])
  z = 5 + stretch * (order + .3 * u[:, 2]) * (.4 + .6 * (order + 1) / max(most, 1))
  lane = jnp.sum(u[:, 3:4] > jnp.array([[.35, .65, .85]]), 1)
  with_us, parked = lane % 2 == 0, lane >= 2
  side = jnp.where(with_us == on_left, -1., 1.)
  away = jnp.where(parked, street.half - jnp.asarray(TYPES)[type_, 1] / 2 - .1,
                   street.half / 2 + .6 * (u[:, 4] - .5))
  speed = jnp.where(parked, 0., 3 + 11 * u[:, 5])
  paint = jnp.where(slot[:, None] % 2 == 0, .08 + .82 * u[:, 6:7], .05 + .75 * u[:, 7:10])
  return Vehicles(slot < count, type_, side * away, z, jnp.where(with_us, speed, -speed),
                  ~with_us, paint)


def seen(vehicles: Vehicles, view: View, light: Light, shift: Array, time: Array, ahead: Array,
         first: int, below: Seen) -> Seen:
  """With the vehicles; their instances are numbers from `first` on.

  Args:
    vehicles: which.
    view: from where.
    light: on them.
    shift: of the camera, right of the middle of the road, m.
    time: `[]`, since the beginning, s.
    ahead: how far the camera has come since, m.
    first: number of the first one's instance.
    below: what is behind.
  """
  def behind(i: Array, below: Seen) -> Seen:
    length, width, _, tall, _, _ = jnp.asarray(TYPES)[vehicles.type[i]]
    x, z0 = vehicles.x[i] - shift, vehicles.z[i] + vehicles.speed[i] * time - ahead
    there = (z0 >= 1) & views.may_meet(view, x - width / 2, x + width / 2, 0., tall, z0,
                                       z0 + length)
    return lax.cond(there, lambda: _vehicle(vehicles, i, view, light, x, z0, first + i, below),
                    lambda: below)
  return lax.fori_loop(0, jnp.sum(vehicles.there), behind, below)


def _vehicle(vehicles: Vehicles, i: Array, view: View, light: Light, x: Array, z0: Array,
             instance: Array, below: Seen) -> Seen:
  length, width, body, tall, start, stop = jnp.asarray(TYPES)[vehicles.type[i]]
  oncoming = vehicles.oncoming[i]
  paint = views.colour(vehicles.paint[i])
  begin = jnp.where(oncoming, length - stop, start)  # the hood is at the front
  end = jnp.where(oncoming, length - start, stop)

  lower = views.box(view, x - width / 2, x + width / 2, .1, body, z0, z0 + length)
  u, v = (lower.x - x) / (width / 2), lower.y  # over the face across, from -1 to 1
  lamps = (jnp.abs(jnp.abs(u) - .78) < .16) & (jnp.abs(v - body + .18) < .1)
  plate = (jnp.abs(u) < .25) & (jnp.abs(v - .45) < .06)
  dark = (v < .3) | ((jnp.abs(jnp.abs(u) - .75) < .15) & (v < .35))
  lamp = views.where(oncoming, (.95, .95, .85), (.75, .05, .05))
  rear = views.where(dark, (.06, .06, .07), views.where(lamps, lamp, views.where(
      plate, (.85, .8, .4), paint)))
  along = lower.depth - z0
  axle = jnp.minimum(jnp.abs(along - .2 * length), jnp.abs(along - .8 * length))
  wheel = axle ** 2 + (v - .32) ** 2
  flank = views.where(wheel < .33 ** 2, views.where(wheel < .16 ** 2, (.5, .5, .5),
                                                    (.05, .05, .05)),
                      views.where(v < .25, (.06, .06, .07), paint))
  below = below.behind(lower.depth, _lit(views.where(lower.across, rear, flank), lower, light),
                       VEHICLE, instance)

  inset = .12
  upper = views.box(view, x - width / 2 + inset, x + width / 2 - inset, body, tall, z0 + begin,
                    z0 + end)
  u, v = (upper.x - x) / (width / 2 - inset), (upper.y - body) / (tall - body)
  along = (upper.depth - z0 - begin) / (end - begin)
  panes = along * jnp.where(vehicles.type[i] == 2, 6., 2.)
  pillar = jnp.where(upper.across, jnp.abs(u) > .9, jnp.abs(views.fraction(panes) - .5) > .42)
  # vans have no windows behind the driver
  blind = (vehicles.type[i] == 1) & jnp.where(upper.across, ~oncoming, jnp.where(
      oncoming, along > .3, along < .7))
  window = (v > .08) & (v < .85) & ~pillar & ~blind & ~upper.above
  glass = views.where(upper.across, (.16, .2, .24), (.1, .12, .14))
  return below.behind(upper.depth, _lit(views.where(window, glass, paint), upper, light), VEHICLE,
                      instance)


def _lit(colour: views.Colour, met: Met, light: Light) -> views.Colour:
  front = light.shade * .5 + light.sun * .5
  flank = jnp.where(light.from_left == (met.x > 0), light.sun, light.shade)
  return views.shaded(colour, jnp.where(met.above, light.sun, jnp.where(met.across, front, flank)))
