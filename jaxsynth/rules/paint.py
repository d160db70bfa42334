"""Colours and textures of what is drawn."""
import math

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.rules.distances import coverage

TEXTURES = ('plain', 'stripes', 'checks', 'dots')


def hsv_to_rgb(hue: Array, saturation: Array, value: Array) -> Array:
  """`[...]` each, degrees and twice [0, 1], to `[..., 3]` in [0, 1].

  >>> hsv_to_rgb(jnp.float32(120), jnp.float32(1), jnp.float32(1)).tolist()
  [0.0, 1.0, 0.0]
  """
  # each channel is 1 within 60 degrees of its own hue, and falls to 0 over 60 more
  apart = jnp.abs((hue[..., None] / 60 - jnp.array([0., 2., 4.]).reshape(
      (1,) * hue.ndim + (3,)) + 3) % 6 - 3)
  pure = jnp.clip(2 - apart, 0, 1)
  return value[..., None] * (1 - saturation[..., None] * (1 - pure))


def over(below: Array, colour: Array, covered: Array) -> Array:
  """An image `[H, W, C]` with a colour `[C]` or an image over it, where `[H, W]` is covered."""
  colour = colour.reshape((1, 1, -1)) if colour.ndim == 1 else colour
  return below + covered[..., None] * (colour - below)


def texture(which: Array, u: Array, v: Array, periods: Array, scale: Array,
            names: tuple[str, ...] = TEXTURES) -> Array:
  """The share in [0, 1] of each pixel that is of a texture's second colour.

  Args:
    which: `[]`, a position in `names`.
    u: coordinates within the shape, whose radius is 1.
    v: the same, across.
    periods: `[]`, of the pattern over one radius.
    scale: `[]`, pixels in one radius.
    names: of the textures to choose from; others are not computed.

  Returns:
    `[H, W]`.
  """
  wave = lambda x: jnp.sin(2 * math.pi * periods * x)
  smooth = lambda x: jnp.clip(.5 + x * scale / (2 * math.pi * periods), 0, 1)  # by its steepest
  cell = lambda x: (x * periods) % 1 - .5
  patterns = {
      'plain': lambda: jnp.zeros(jnp.broadcast_shapes(u.shape, v.shape)),
      'stripes': lambda: smooth(wave(u)) + 0 * v,
      'checks': lambda: smooth(wave(u) * wave(v)),
      'dots': lambda: coverage((jnp.hypot(cell(u), cell(v)) - .3) * scale / periods),
  }
  share = patterns[names[0]]()
  for k, name in enumerate(names[1:], 1):
    share = jnp.where(which == k, patterns[name](), share)
  return share


def noisy(key: Array, image: Array, std: Array) -> Array:
  """An image in [0, 1] with noise of a standard deviation in grey levels, clipped.

  The noise is nearly normal: the sum of four bytes, which cost one random word a pixel. No more
  than 3.5 standard deviations occur.
  """
  word = jax.random.bits(key, image.shape)
  total = sum((word >> shift & 255).astype(jnp.float32) for shift in (0, 8, 16, 24))
  of_byte = math.sqrt((256 ** 2 - 1) / 12)
  return jnp.clip(image + std / 255 * (total - 4 * 127.5) / (2 * of_byte), 0, 1)
