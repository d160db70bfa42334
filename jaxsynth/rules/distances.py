"""Signed distances from points to shapes: below 0 inside, in the units of the coordinates."""
import jax
from jax import Array
import jax.numpy as jnp


def to_polygon(x: Array, y: Array, corners: Array) -> Array:
  """The distance to a simple polygon, convex or not.

  The sign is that of the parity of edges that a ray from the point crosses; the size is the
  distance to the nearest edge.

  Args:
    x: `[...]`.
    y: `[...]`.
    corners: `[V, 2]`, of `(x, y)`, in order around it; a corner may be repeated.

  Returns:
    `[...]`.

  >>> square = jnp.array([[-1., -1.], [1., -1.], [1., 1.], [-1., 1.]])
  >>> to_polygon(jnp.array([0., 3.]), jnp.zeros(2), square).tolist()
  [-1.0, 2.0]
  """
  return to_polygon_with_normal(x, y, corners)[0]


def to_polygon_with_normal(x: Array, y: Array, corners: Array) -> tuple[Array, Array, Array]:
  """As `to_polygon`, and the two parts of its gradient: the way straight from the outline.

  >>> square = jnp.array([[-1., -1.], [1., -1.], [1., 1.], [-1., 1.]])
  >>> distance, normal_x, _ = to_polygon_with_normal(jnp.array([.5, 3.]), jnp.zeros(2), square)
  >>> distance.tolist(), normal_x.tolist()
  ([-0.5, 2.0], [1.0, 1.0])
  """
  nearest, inside = jnp.float32(jnp.inf), jnp.bool_(False)
  away_x = away_y = jnp.float32(0)
  for (ax, ay), (bx, by) in zip(corners, jnp.roll(corners, -1, axis=0)):  # few: unrolled
    ex, ey = bx - ax, by - ay
    px, py = x - ax, y - ay
    along = jnp.clip((px * ex + py * ey) / jnp.maximum(ex ** 2 + ey ** 2, 1e-20), 0, 1)
    gap_x, gap_y = px - along * ex, py - along * ey
    squared = gap_x ** 2 + gap_y ** 2
    nearer = squared < nearest
    nearest = jnp.where(nearer, squared, nearest)
    away_x, away_y = jnp.where(nearer, gap_x, away_x), jnp.where(nearer, gap_y, away_y)
    # the ray goes towards larger x; an edge belongs to its lower end alone
    crossed = ((ay <= y) != (by <= y)) & ((px * ey - py * ex < 0) == (ey > 0))
    inside ^= crossed
  side, size = jnp.where(inside, -1., 1.), jnp.sqrt(nearest)
  unit = side / jnp.maximum(size, 1e-9)
  return side * size, unit * away_x, unit * away_y


def to_polygon_of(x: Array, y: Array, corners: Array, count: Array) -> Array:
  """As `to_polygon`, of the first `count` of the corners alone, an edge after another.

  >>> square = jnp.array([[-1., -1.], [1., -1.], [1., 1.], [-1., 1.], [9., 9.]])
  >>> to_polygon_of(jnp.array([0., 3.]), jnp.zeros(2), square, 4).tolist()
  [-1.0, 2.0]
  """
  following = jnp.roll(corners, -1, 0).at[count - 1].set(corners[0])
  shape = jnp.broadcast_shapes(x.shape, y.shape)

  def nearer(k: Array, before: tuple[Array, Array]) -> tuple[Array, Array]:
    nearest, side = before
    (ax, ay), (bx, by) = corners[k], following[k]
    ex, ey = bx - ax, by - ay
    px, py = x - ax, y - ay
    along = jnp.clip((px * ex + py * ey) / jnp.maximum(ex ** 2 + ey ** 2, 1e-20), 0, 1)
    squared = (px - along * ex) ** 2 + (py - along * ey) ** 2
    crossed = ((ay <= y) != (by <= y)) & ((px * ey - py * ex < 0) == (ey > 0))
    return jnp.minimum(nearest, squared), jnp.where(crossed, -side, side)
  nearest, side = jax.lax.fori_loop(0, count, nearer, (
      jnp.full(shape, jnp.inf), jnp.ones(shape)))
  return side * jnp.sqrt(nearest)


def to_ellipse(x: Array, y: Array, a: Array | float, b: Array | float) -> Array:
  """The distance to `(x / a)^2 + (y / b)^2 = 1`, to first order near it.

  It is `f |grad f|^-1` of `f = |(x / a, y / b)| - 1`, so exact for circles.

  >>> to_ellipse(jnp.array([0., 5.]), jnp.zeros(2), 2., 2.).tolist()
  [-2.0, 3.0]
  """
  u, v = x / a, y / b
  length = jnp.sqrt(u ** 2 + v ** 2)
  slope = jnp.sqrt((u / a) ** 2 + (v / b) ** 2)
  inner = -jnp.minimum(a, b)  # at the centre, where f has no gradient
  return jnp.where(slope > 1e-9, (length - 1) * length / jnp.maximum(slope, 1e-9), inner)


def to_segment(x: Array, y: Array, start: Array, end: Array) -> Array:
  """The distance, never below 0, to the line between two points `[2]`.

  >>> x, y = jnp.array([1., 5.]), jnp.array([2., 4.])
  >>> to_segment(x, y, jnp.zeros(2), jnp.array([2., 0.])).tolist()
  [2.0, 5.0]
  """
  ex, ey = end[0] - start[0], end[1] - start[1]
  px, py = x - start[0], y - start[1]
  along = jnp.clip((px * ex + py * ey) / jnp.maximum(ex ** 2 + ey ** 2, 1e-20), 0, 1)
  return jnp.sqrt((px - along * ex) ** 2 + (py - along * ey) ** 2)


def coverage(distance: Array) -> Array:
  """The share of a pixel that a shape covers, by the distance of its centre in pixels.

  It is exact for an edge that runs along rows or columns.

  >>> coverage(jnp.array([-2., -.25, 0., .5])).tolist()
  [1.0, 0.75, 0.5, 0.0]
  """
  return jnp.clip(.5 - distance, 0, 1)


def pixel_centres(height: int, width: int) -> tuple[Array, Array]:
  """`x` `[1, W]` and `y` `[H, 1]` of the pixels' centres, in pixels; the top left corner is 0."""
  return (jax.lax.iota(jnp.float32, width) + .5)[None], (
      jax.lax.iota(jnp.float32, height) + .5)[:, None]
