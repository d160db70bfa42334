"""Where pixels come from: 3x3 matrices, and their composition."""
from collections.abc import Sequence
import functools
from typing import NamedTuple

from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.data.augment.example import Number
from jaxsynth.data.augment.resample import warp


class Move(NamedTuple):
  """A position of the moved image, and the position of the image it shows.

  Positions are `(y, x)` in pixels from the image's centre, rows down. The moved
  image shows at `p` what the image has at `matrix @ (p, 1) + displacement[p]`.

  Attributes:
    matrix: `[3, 3]`, last row `(0, 0, 1)`.
    displacement: `[h, w, 2]` in pixels of the image, or `None`.
  """
  matrix: Array
  displacement: Array | None = None


def matrix(rows: Sequence[Sequence[Number]]) -> Array:
  """`[3, 3]` of its first two rows.

  >>> matrix(((1, 0, 5), (0, 1, 6))).shape
  (3, 3)
  """
  entries = [jnp.asarray(x, jnp.float32) for row in (*rows, (0, 0, 1)) for x in row]
  return jnp.stack(entries).reshape(3, 3)


def identity() -> Array:
  """Nothing moves."""
  return jnp.eye(3)


def rotation(angle: Number) -> Array:
  """Turns the picture clockwise by `angle` in radians."""
  c, s = jnp.cos(angle), jnp.sin(angle)
  return matrix(((c, -s, 0), (s, c, 0)))


def scaling(y: Number, x: Number) -> Array:
  """Makes the picture `y` times as high and `x` times as wide; -1 flips it."""
  return matrix(((1 / y, 0, 0), (0, 1 / x, 0)))


def translation(y: Number, x: Number) -> Array:
  """Moves the picture down by `y` and right by `x` pixels."""
  return matrix(((1, 0, -y), (0, 1, -x)))


def shearing(y: Number, x: Number) -> Array:
  """Slants the picture, first its rows by `x`, then its columns by `y`: tangents."""
  return product(matrix(((1, 0, 0), (x, 1, 0))), matrix(((1, y, 0), (0, 1, 0))))


def product(*matrices: Array) -> Array:
  """The matrix of moving by the first, then by the next: their product, in order.

  >>> there_and_back = product(translation(2., 3.), translation(-2., -3.))
  >>> bool((there_and_back == identity()).all())
  True
  """
  return functools.reduce(_times, matrices)


def _times(a: Array, b: Array) -> Array:
  # written out, as matrix units would round it
  rows = [tuple(a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + (a[i, 2] if j == 2 else 0)
                for j in range(3)) for i in range(2)]
  return matrix((rows[0], rows[1]))


def inverse(m: Array) -> Array:
  """The matrix that moves back."""
  (a, b, ty), (c, d, tx) = m[0], m[1]
  det = a * d - b * c
  return matrix(((d / det, -b / det, (b * tx - d * ty) / det),
                 (-c / det, a / det, (c * ty - a * tx) / det)))


def positions(move: Move, size: tuple[int, int], image_size: tuple[int, int],
              aligned: bool = False) -> tuple[Array, Array]:
  """Rows and columns of an image of `image_size` at each pixel of a moved one of `size`.

  Args:
    move: from the one to the other.
    size: `(h, w)` of the moved image.
    image_size: `(H, W)` of the image.
    aligned: whether rows stay rows and columns columns.

  Returns:
    `[h, w]` and `[h, w]`, or `[h, 1]` and `[1, w]` if aligned.
  """
  y = _centred(size[0])[:, None]
  x = _centred(size[1])[None]
  m = move.matrix
  if aligned:
    rows, columns = m[0, 0] * y + m[0, 2], m[1, 1] * x + m[1, 2]
  else:
    rows, columns = (m[i, 0] * y + m[i, 1] * x + m[i, 2] for i in (0, 1))
  if move.displacement is not None:
    rows, columns = rows + move.displacement[..., 0], columns + move.displacement[..., 1]
  return rows + (image_size[0] - 1) / 2, columns + (image_size[1] - 1) / 2


def then(first: Move, second: Move, size: tuple[int, int], between: tuple[int, int]) -> Move:
  """One move for two, so that the image is resampled once.

  `first(second(p)) = A1 (A2 p + d2(p)) + d1(second(p))`: matrices multiply, and only
  the smooth `d1` is interpolated.

  Args:
    first: from the image to the one between.
    second: from that to the moved image.
    size: `(h, w)` of the moved image.
    between: `(h, w)` of the one between.
  """
  moved = None
  if second.displacement is not None:
    moved = jnp.sum(second.displacement[..., None, :] * first.matrix[None, None, :2, :2], -1)
  if first.displacement is not None:
    shown = warp(first.displacement, *positions(second, size, between), fill=0., mode='edge')
    moved = shown if moved is None else shown + moved
  return Move(product(first.matrix, second.matrix), moved)


def _centred(n: int) -> Array:
  return jnp.asarray(np.arange(n, dtype=np.float32) - (n - 1) / 2)
