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

  The noise is nearly normal: the sum of the four bytes of one word a value. No more than 3.5
  standard deviations occur. Words are hashed numbers of the values, since JAX's own cost eight
  times as much on a CPU, more than most pictures.
  """
  first, second = jax.random.bits(key, (2,))
  number = jax.lax.iota(jnp.uint32, image.size).reshape(image.shape)
  word = hashed(hashed(number ^ first) + second)
  a, b, c, d = (word >> shift & 255 for shift in (0, 8, 16, 24))
  total = (a + b + c + d).astype(jnp.int32).astype(jnp.float32)
  of_byte = math.sqrt((256 ** 2 - 1) / 12)
  return jnp.clip(image + std / 255 * (total - 4 * 127.5) / (2 * of_byte), 0, 1)


def hashed(words: Array) -> Array:
  """Other words, uint32, of which every bit depends on every bit of the given ones.

  The function lowbias32 of C. Wellons 2018, https://nullprogram.com/blog/2018/07/31/.

  >>> [hex(int(x)) for x in hashed(jnp.arange(3, dtype=jnp.uint32))]
  ['0x0', '0x688990c0', '0xd1132181']
  """
  words = (words ^ words >> 16) * jnp.uint32(0x7feb352d)
  words = (words ^ words >> 15) * jnp.uint32(0x846ca68b)
  return words ^ words >> 16
