"""Boxes `(y0, x0, y1, x1)`, moved with their image.

Coordinates are in pixels from the upper left corner of the image, and lie between
pixels: pixel `(i, j)` is the box `(i, j, i + 1, j + 1)`, the image `(0, 0, H, W)`.
The number of boxes of an example is fixed: one that is not there is `(0, 0, 0, 0)`.
"""
from jax import Array
import jax.numpy as jnp

from jaxsynth.data.augment import moves
from jaxsynth.data.augment.moves import Move


def valid(boxes: Array) -> Array:
  """Which boxes are there: at least a pixel high and wide, `[n, 4] -> [n]`.

  >>> import jax.numpy as jnp
  >>> print(valid(jnp.array([[2., 2., 5., 4.], [0., 0., 0., 0.], [3., 3., 3.5, 9.]])))
  [ True False False]
  """
  height, width = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
  return (height >= 1) & (width >= 1)


def clip(boxes: Array, size: tuple[int, int]) -> Array:
  """The part of each box inside the image; zeros for what is no longer valid."""
  high = jnp.asarray((*size, *size), boxes.dtype)[None]
  inside = jnp.clip(boxes, 0, high)
  return jnp.where(valid(inside)[:, None], inside, 0)


def move(boxes: Array, by: Move, size: tuple[int, int], image_size: tuple[int, int]) -> Array:
  """The boxes around the moved boxes, clipped to the moved image.

  Without displacements, the smallest box around the four moved corners; with them,
  around the pixels that show something of the box.

  Args:
    boxes: `[n, 4]`, floating; those that are not valid stay away.
    by: from the image to the moved one.
    size: `(h, w)` of the moved image.
    image_size: `(H, W)` of the image.

  Returns:
    `[n, 4]`; zeros for boxes that were not valid, or of whose enclosing box less
    than a pixel of height or width is left.
  """
  around = _corners if by.displacement is None else _pixels
  moved = around(boxes, by, size, image_size)
  return clip(jnp.where(valid(boxes)[:, None], moved, 0).astype(boxes.dtype), size)


def _corners(boxes: Array, by: Move, size: tuple[int, int], image_size: tuple[int, int]
             ) -> Array:
  m = moves.inverse(by.matrix)
  y = boxes[:, jnp.array([0, 0, 2, 2])] - image_size[0] / 2
  x = boxes[:, jnp.array([1, 3, 1, 3])] - image_size[1] / 2
  rows, columns = (m[i, 0] * y + m[i, 1] * x + m[i, 2] + size[i] / 2 for i in (0, 1))
  return jnp.stack([rows.min(1), columns.min(1), rows.max(1), columns.max(1)], 1)


def _pixels(boxes: Array, by: Move, size: tuple[int, int], image_size: tuple[int, int]
            ) -> Array:
  rows, columns = (c[None] + .5 for c in moves.positions(by, size, image_size))
  y0, x0, y1, x1 = (boxes[:, i][:, None, None] for i in range(4))
  shown = (rows >= y0) & (rows < y1) & (columns >= x0) & (columns < x1)
  return jnp.stack([*_extent(shown.any(2)), *_extent(shown.any(1))], 1)[
      :, jnp.array([0, 2, 1, 3])]


def _extent(hit: Array) -> tuple[Array, Array]:
  """First and one past the last of `[n, h]`; (0, 0) where there is none."""
  first, last = jnp.argmax(hit, 1), hit.shape[1] - jnp.argmax(hit[:, ::-1], 1)
  return first, jnp.where(hit.any(1), last, first)
