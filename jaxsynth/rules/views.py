"""A camera over a plane: what a ray of each sample of an image meets, and how near.

Places are in metres: x to the right, y up from the ground, z ahead of the camera, which looks
along z and is upright. So a column of samples has one slope `a = x / z`, and a row one `b`, with
`y = height - b z`.
"""
from typing import NamedTuple

from jax import Array
import jax.numpy as jnp

FAR = 1e4
NEAR = .5  # nothing nearer is seen
Part = Array | float
Colour = tuple[Part, Part, Part]  # red, green, blue in [0, 1]


class View(NamedTuple):
  """The rays of a grid of samples.

  Attributes:
    a: `[1, W]`.
    b: `[H, 1]`; below 0 above the horizon.
    height: `[]`, of the camera.
    pixel: `[]`, the change of `a` and `b` between two samples.
  """
  a: Array
  b: Array
  height: Array
  pixel: Array


class Seen(NamedTuple):
  """What each sample sees.

  Attributes:
    depth: `[H, W]`, z.
    colour: three of `[H, W]`.
    kind: `[H, W]` int32.
    instance: `[H, W]` int32, 0 where there is none.
  """
  depth: Array
  colour: Colour
  kind: Array
  instance: Array

  def behind(self, depth: Array, colour: Colour, kind: int, instance: Array | int = 0) -> 'Seen':
    """With something more, seen where it is nearer; `depth` is `FAR` where it is not met."""
    nearer = depth < self.depth
    put = lambda new, old: jnp.where(nearer, new, old)
    return Seen(put(depth, self.depth), (put(colour[0], self.colour[0]),
                                         put(colour[1], self.colour[1]),
                                         put(colour[2], self.colour[2])),
                put(kind, self.kind), put(instance, self.instance))


class Met(NamedTuple):
  """Where rays meet a box: `[H, W]` each.

  Attributes:
    depth: z, or `FAR`.
    x: there.
    y: there.
    across: whether it is a face that looks along z, at the camera or away.
    above: whether it is the top.
  """
  depth: Array
  x: Array
  y: Array
  across: Array
  above: Array


def box(view: View, x0: Array, x1: Array, y0: Array | float, y1: Array | float, z0: Array,
        z1: Array) -> Met:
  """The first face of a box along the axes that each ray meets, from outside.

  Args:
    view: the rays.
    x0: `[]`, left; `x1` is right of it, and so on.
    x1: `[]`.
    y0: `[]`, the bottom.
    y1: `[]`, the top.
    z0: `[]`, the near end; what lies before `NEAR` is cut off.
    z1: `[]`.

  Returns:
    What is met.
  """
  a = jnp.where(jnp.abs(view.a) < 1e-6, 1e-6, view.a)
  sides = x0 / a, x1 / a
  begin = jnp.maximum(jnp.minimum(*sides), jnp.maximum(z0, NEAR))  # [1, W], as is the end
  end = jnp.minimum(jnp.maximum(*sides), z1)
  passes = begin < end
  y = view.height - view.b * begin
  top = (view.height - y1) / jnp.maximum(view.b, 1e-6)
  above = (y > y1) & (view.b > 0) & (top < end)
  face = (y >= y0) & (y <= y1)
  depth = jnp.where(passes & face, begin, jnp.where(passes & above, top, FAR))
  return Met(depth, view.a * depth, view.height - view.b * depth,
             jnp.broadcast_to(jnp.minimum(*sides) <= jnp.maximum(z0, NEAR), depth.shape), above)


def may_meet(view: View, x0: Array, x1: Array, y0: Array | float, y1: Array | float, z0: Array,
             z1: Array) -> Array:
  """Whether some of the rays may meet a box, `[]`: not, where it lies beside all of them."""
  near, far = jnp.maximum(z0, NEAR), jnp.maximum(z1, NEAR)
  left, right = jnp.minimum(x0 / near, x0 / far), jnp.maximum(x1 / near, x1 / far)
  top = jnp.minimum((view.height - y1) / near, (view.height - y1) / far)
  bottom = jnp.maximum((view.height - y0) / near, (view.height - y0) / far)
  return ((z1 > NEAR) & (left <= view.a.max()) & (right >= view.a.min()) &
          (top <= view.b.max()) & (bottom >= view.b.min()))


def upright(view: View, x: Array, z: Array) -> tuple[Array, Array]:
  """Where rays meet an upright plane: `[1, W]` right of `x`, and `[H, 1]` above the ground."""
  return view.a * z - x, view.height - view.b * z


def mixed(below: Colour, above: Colour, share: Array) -> Colour:
  """One colour over another, where `share` of it covers."""
  r, g, b = (lower + share * (upper - lower) for lower, upper in zip(below, above))
  return r, g, b


def shaded(colour: Colour, light: Array | float) -> Colour:
  """A colour times the light on it."""
  r, g, b = (x * light for x in colour)
  return r, g, b


def where(condition: Array, yes: Colour, no: Colour) -> Colour:
  """A colour or another."""
  r, g, b = (jnp.where(condition, *two) for two in zip(yes, no))
  return r, g, b


def colour(values: Array) -> Colour:
  """Of the last axis."""
  return values[..., 0], values[..., 1], values[..., 2]


def fraction(x: Array) -> Array:
  """What is above the next smaller whole number; CPUs are slow at remainders of floats.

  >>> fraction(jnp.array([1.25, -.25])).tolist()
  [0.25, 0.75]
  """
  return x - jnp.floor(x)


def wave(x: Array) -> Array:
  """Like a sine, of period 1: between -1 and 1, of pieces of parabolas, which CPUs are fast at.

  >>> wave(jnp.array([.25, .75])).tolist()
  [1.0, -1.0]
  """
  y = 2 * fraction(x) - 1
  return -4 * y * (1 - jnp.abs(y))


def grain(u: Array, v: Array, seed: Array | int = 0) -> Array:
  """A number in [0, 1) for every whole place, which looks random; by whole numbers, so exact.

  >>> u = jnp.array([.2, .7, 1.2])
  >>> (grain(u, u, 3) == grain(u, u, 3)[0]).tolist()
  [True, True, False]
  """
  whole = lambda x: jnp.floor(jnp.clip(x, -1e9, 1e9)).astype(jnp.int32).astype(jnp.uint32)
  h = whole(u) * jnp.uint32(0x9e3779b1) ^ whole(v) * jnp.uint32(0x85ebca6b)
  h = (h ^ jnp.uint32(seed) * jnp.uint32(0xc2b2ae35)) * jnp.uint32(0x2c1b3c6d)
  h = (h ^ h >> 15) * jnp.uint32(0x297a2d39)
  return ((h ^ h >> 15) >> 8).astype(jnp.float32) / (1 << 24)
