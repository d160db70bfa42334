"""Reads a shape's parameters back from its picture, and so knows whether the picture is valid.

The picture is held against what the rule itself would draw, with the parameters that fit best. So
what is found needs no trained network, and an image that no parameters explain is no sample of
the rule.
"""
from collections.abc import Callable
import functools
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.rules import distances
from jaxsynth.rules.outlines import OUTLINES, corner_table
from jaxsynth.rules.shapes import Shapes

SOFT = (3., 1.5, 1.)  # pixels over which an edge is spread, one after another
STEPS = 3  # of Gauss and Newton at each
TURNS = {'triangle': 3, 'square': 4, 'pentagon': 5, 'star': 5, 'cross': 4, 'line': 2}
BLOCK = 64  # images at a time


class Reading(NamedTuple):
  """What an image shows, `[N]` each.

  Attributes:
    label: int32, the shape that fits best.
    across: float32, 0 at the left and 1 at the right edge, as the spec's.
    down: float32, the same.
    radius: float32, of the shorter side.
    brightness: float32, of the object.
    background: float32.
    error: float32, root of the mean squared difference of pixels from the best fit, in [0, 1].
  """
  label: np.ndarray
  across: np.ndarray
  down: np.ndarray
  radius: np.ndarray
  brightness: np.ndarray
  background: np.ndarray
  error: np.ndarray


def reader(spec: Shapes = Shapes()) -> Callable[[Any], Reading]:
  """A function that reads images of one grey, plain, undisturbed shape.

  Moments of the picture say where, how large and how far turned each shape would be; from there
  it follows Gauss and Newton to the place, size, rotation, brightness and background of least
  squared difference, edges being soft at first.

  Args:
    spec: the rule's.

  Returns:
    `images -> Reading`, of uint8 `[N, H, W, 1]`.

  Raises:
    ValueError: a spec with several objects, colours, textures, noise or other aspects than 1.

  >>> reading = reader()(np.zeros((1, 28, 28, 1), np.uint8))
  >>> bool(reading.error[0] < .01)  # a shape as dark as its background
  True
  """
  for name, value, plain in (('count', spec.count, (1, 1)), ('aspect', spec.aspect, (1, 1)),
                             ('noise', spec.noise, (0, 0)), ('channels', spec.channels, 1),
                             ('texture', spec.texture.names, ('plain',))):
    if (tuple(value) if isinstance(value, tuple) else value) != plain:
      raise ValueError(f'{name}={value}: expected {plain}; other pictures cannot be read')
  read = jax.jit(jax.vmap(lambda image: _read(spec, image)))

  def of_images(images: Any) -> Reading:
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.shape[1:] != (*spec.image_size, 1):
      raise ValueError(f'images {images.dtype}{list(images.shape)}: expected uint8 [N, '
                       f'{spec.image_size[0]}, {spec.image_size[1]}, 1]')
    parts = []
    for start in range(0, len(images), BLOCK):
      block = images[start:start + BLOCK, ..., 0].astype(np.float32) / 255
      padded = np.concatenate([block, np.zeros((BLOCK - len(block), *block.shape[1:]), np.float32)])
      parts.append([np.asarray(x)[:len(block)] for x in read(padded)])
    return Reading(*(np.concatenate(x) for x in zip(*parts)))
  return of_images


def _read(spec: Shapes, image: Array) -> tuple[Array, ...]:
  """A `Reading` of one image, in pixels of [0, 1]."""
  (height, width), short = spec.image_size, min(spec.image_size)
  x, y = distances.pixel_centres(height, width)
  grey = jnp.sort(image.ravel())
  background, bright = grey[len(grey) // 10], grey[-max(len(grey) // 50, 1)]
  weight = jnp.clip((image - background) / jnp.maximum(bright - background, 1e-3), 0, 1)
  mass = jnp.maximum(weight.sum(), 1e-3)
  cx, cy = (weight * x).sum() / mass, (weight * y).sum() / mass
  spread = jnp.sqrt((weight * ((x - cx) ** 2 + (y - cy) ** 2)).sum() / mass)

  def fitted(name: str) -> tuple[Array, Array]:
    spread_1, phase_1 = _moments_of(name)
    turns = TURNS.get(name, 0)
    angle = (_phase(weight, x - cx, y - cy, turns) - phase_1) / turns if turns else 0.
    size = jnp.clip(spread / spread_1, 1., .6 * short)
    p = jnp.stack([cx, cy, jnp.log(size), jnp.float32(angle), bright, background])
    for soft in SOFT:
      p = lax.fori_loop(0, STEPS, lambda _, p, soft=soft: _closer(image, name, x, y, p, soft), p)
    return p, jnp.sqrt(jnp.mean((_drawn(name, x, y, p, 1.)[0] - image) ** 2))

  places, errors = (jnp.stack(parts) for parts in zip(*map(fitted, spec.shape.names)))
  best = jnp.argmin(jnp.where(jnp.isfinite(errors), errors, jnp.inf))
  p = places[best]
  radius = jnp.exp(p[2])
  room = lambda size: jnp.maximum(size - 2 * radius, 1e-3)
  return (best.astype(jnp.int32), (p[0] - radius) / room(width), (p[1] - radius) / room(height),
          radius / short, p[4], p[5], errors[best])


def _drawn(name: str, x: Array, y: Array, p: Array, soft: float) -> tuple[Array, Array]:
  """Pixels of one shape and their derivatives by the six parameters, `[H, W]` and `[H, W, 6]`."""
  outline = OUTLINES[name]
  radius, cos, sin = jnp.exp(p[2]), jnp.cos(p[3]), jnp.sin(p[3])
  dx, dy = x - p[0], y - p[1]
  u, v = (cos * dx + sin * dy) / radius, (cos * dy - sin * dx) / radius
  if outline.curved:
    length = jnp.sqrt(u ** 2 + v ** 2 + 1e-12)
    outer = 2 * length > 1 + outline.hole  # the nearer of the two edges of a ring
    distance = jnp.where(outer, length - 1, outline.hole - length) if outline.hole else length - 1
    side = jnp.where(outer | (outline.hole == 0), 1., -1.)
    nu, nv = side * u / length, side * v / length
  else:
    distance, nu, nv = distances.to_polygon_with_normal(
        u, v, jnp.asarray(corner_table((name,))[0][0]))
  nx, ny = cos * nu - sin * nv, sin * nu + cos * nv
  far = radius * distance
  covered = distances.coverage(far / soft)
  slope = -jnp.where((covered > 0) & (covered < 1), (p[4] - p[5]) / soft, 0.)
  along = nx * dx + ny * dy
  by = jnp.stack([-nx * slope, -ny * slope, (far - along) * slope, (nx * dy - ny * dx) * slope,
                  covered, 1 - covered], -1)
  return p[5] + (p[4] - p[5]) * covered, by


def _closer(image: Array, name: str, x: Array, y: Array, p: Array, soft: float) -> Array:
  """A damped step of Gauss and Newton, taken if it comes nearer."""
  drawn, by = _drawn(name, x, y, p, soft)
  r, jacobian = (drawn - image).ravel(), by.reshape(-1, len(p))
  normal = jacobian.T @ jacobian
  step = jnp.linalg.solve(normal + jnp.diag(1e-3 * jnp.diag(normal) + 1e-6), jacobian.T @ r)
  limit = jnp.array([2., 2., .3, .4, .5, .5])
  better = p - jnp.clip(jnp.nan_to_num(step), -limit, limit)
  after = jnp.sum((_drawn(name, x, y, better, soft)[0] - image) ** 2)
  return jnp.where(after < jnp.sum(r ** 2), better, p)


def _phase(weight: Array, dx: Array, dy: Array, turns: int) -> Array:
  """The angle of the moment of a shape that looks the same after a `turns`-th of a turn."""
  real, imaginary = jnp.ones_like(weight), jnp.zeros_like(weight)
  for _ in range(turns):  # (dx + i dy)^turns
    real, imaginary = real * dx - imaginary * dy, real * dy + imaginary * dx
  return jnp.arctan2((weight * imaginary).sum(), (weight * real).sum())


@functools.cache
def _moments_of(name: str) -> tuple[float, float]:
  """Of a shape of radius 1: the root of the mean squared distance from its middle, its phase."""
  line = (np.arange(200) + .5) / 100 - 1
  with jax.ensure_compile_time_eval():
    x, y = jnp.asarray(line[None], jnp.float32), jnp.asarray(line[:, None], jnp.float32)
    inside = _drawn(name, 100 * x, 100 * y, jnp.array([0., 0., np.log(100.), 0., 1., 0.]), 1.)[0]
    spread = jnp.sqrt((inside * (x ** 2 + y ** 2)).sum() / inside.sum())
    turns = TURNS.get(name, 0)
    return float(spread), float(_phase(inside, x, y, turns)) if turns else 0.
