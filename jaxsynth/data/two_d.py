"""Distributions in the plane whose modes are known: for quick tests and pictures of learning.

Every one lies within [-1, 1] (but for tails of the Gaussians that nobody will see), as images
do, so `as_images` of them trains any family of models.
"""
from collections.abc import Callable
import math
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp

Draw = Callable[[Array, int], Array]


class Plane(NamedTuple):
  """A distribution in the plane.

  Attributes:
    draw: `(key, n) -> [n, 2]`; the points of the modes in turn, so with shares that are equal.
    modes: `[M, 2]`, centres of what is to be reached, or points along it.
    std: three of it around the modes hold (nearly) all points.
  """
  draw: Draw
  modes: Array
  std: float


def mixture(modes: Array, std: float) -> Plane:
  """Normals of one standard deviation around every mode `[M, 2]`.

  >>> plane = mixture(jnp.array([[-.5, 0.], [.5, 0.]]), .01)
  >>> jnp.sign(plane.draw(jax.random.key(0), 4)[:, 0]).tolist()
  [-1.0, 1.0, -1.0, 1.0]
  """
  def draw(key: Array, n: int) -> Array:
    return modes[jnp.arange(n) % len(modes)] + std * jax.random.normal(key, (n, 2))
  return Plane(draw, modes, std)


def eight_gaussians() -> Plane:
  """Eight normals on a circle of radius 0.75."""
  return mixture(_circle(8, .75), .05)


def twenty_five_gaussians() -> Plane:
  """A grid of five by five normals."""
  line = jnp.linspace(-.8, .8, 5)
  return mixture(jnp.stack(jnp.meshgrid(line, line), -1).reshape(-1, 2), .03)


def rings() -> Plane:
  """Three circles around each other, of equal shares; the modes are points along them."""
  radii, std = jnp.array([.3, .55, .8]), .02

  def draw(key: Array, n: int) -> Array:
    key_angle, key_noise = jax.random.split(key)
    angle = jax.random.uniform(key_angle, (n,), maxval=2 * math.pi)
    around = jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1)
    return (radii[jnp.arange(n) % 3][:, None] * around
            + std * jax.random.normal(key_noise, (n, 2)))
  along = [_circle(n, r) for n, r in ((24, .3), (44, .55), (64, .8))]
  return Plane(draw, jnp.concatenate(along), std)


def moons() -> Plane:
  """Two half circles, each reaching into the other; the modes are points along them."""
  std = .03

  def on(angle: Array, second: Array) -> Array:
    sign = 1 - 2 * second
    return .5 * jnp.stack([sign * jnp.cos(angle) + second - .5,
                           sign * jnp.sin(angle) + .5 * second - .25], -1)

  def draw(key: Array, n: int) -> Array:
    key_angle, key_noise = jax.random.split(key)
    angle = jax.random.uniform(key_angle, (n,), maxval=math.pi)
    return on(angle, jnp.arange(n) % 2) + std * jax.random.normal(key_noise, (n, 2))
  angles = jnp.tile(jnp.linspace(0, math.pi, 14), 2)
  return Plane(draw, on(angles, jnp.repeat(jnp.arange(2), 14)), std)


def checkerboard() -> Plane:
  """The eight dark squares of a board of four by four, evenly filled."""
  row, column = jnp.divmod(jnp.arange(16), 4)
  dark = jnp.flatnonzero((row + column) % 2 == 0, size=8)
  modes = .4 * jnp.stack([column[dark] - 1.5, row[dark] - 1.5], -1)
  side = .4

  def draw(key: Array, n: int) -> Array:
    return modes[jnp.arange(n) % 8] + side * jax.random.uniform(key, (n, 2), minval=-.5, maxval=.5)
  return Plane(draw, modes, side / math.sqrt(2) / 3)  # three reach the corners


def as_images(points: Array) -> Array:
  """Points `[n, 2]` as images of one pixel with two channels, `[n, 1, 1, 2]`.

  >>> as_images(jnp.zeros((3, 2))).shape
  (3, 1, 1, 2)
  """
  return points[:, None, None]


def _circle(n: int, radius: float) -> Array:
  angle = 2 * math.pi * jnp.arange(n) / n
  return radius * jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1)
