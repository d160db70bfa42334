"""Flips, crops and affine maps, as `Geometric` augmentations; torchvision's names."""
from jax import Array
import jax
import jax.numpy as jnp

from jaxsynth.data.augment import moves
from jaxsynth.data.augment.example import Number, Range, at_least, between, interval
from jaxsynth.data.augment.geometric import Geometric, Size, check_mode
from jaxsynth.data.augment.moves import Move
from jaxsynth.data.augment.resample import Mode


def random_horizontal_flip(p: Number = 0.5) -> Geometric:
  """Left becomes right with probability `p`: an exact permutation of pixels.

  >>> image = jnp.arange(3.).reshape(1, 3, 1)
  >>> print(random_horizontal_flip(1.)(jax.random.key(0), {'image': image})['image'].ravel())
  [2. 1. 0.]
  """
  at_least(p, 0, 'p', 1)
  return Geometric(lambda key, size: Move(moves.scaling(1., _sign(key, p))), exact=True,
                   aligned=True)


def random_vertical_flip(p: Number = 0.5) -> Geometric:
  """Top becomes bottom with probability `p`: an exact permutation of pixels."""
  at_least(p, 0, 'p', 1)
  return Geometric(lambda key, size: Move(moves.scaling(_sign(key, p), 1.)), exact=True,
                   aligned=True)


def random_crop(size: Size | None = None, padding: int = 0, fill: Number = -1.,
                mode: Mode = 'constant') -> Geometric:
  """A window of whole pixels, anywhere in the padded image with equal probability.

  Args:
    size: `(h, w)` of the window; by default that of the image.
    padding: pixels around the image.
    fill: of the padding, `[]` or `[C]`.
    mode: of the padding: `'constant'`, `'edge'` or `'reflect'`.

  Returns:
    A `Geometric`. When called, it raises `ValueError` for a window larger than the
    padded image.
  """
  check_mode(mode)
  at_least(padding, 0, 'padding')

  def move(key: Array, image_size: Size) -> Move:
    window = size or image_size
    rooms = [n + 2 * padding - w for n, w in zip(image_size, window)]
    if min(rooms) < 0:
      raise ValueError(f'size={window}: expected at most the image and its padding, '
                       f'{image_size} + 2 * {padding}')
    u = jax.random.uniform(key, (2,))
    centre = [jnp.minimum(jnp.floor(u[i] * (room + 1)), room) - room / 2
              for i, room in enumerate(rooms)]
    return Move(moves.translation(-centre[0], -centre[1]))
  return Geometric(move, lambda image_size: size or image_size, fill, mode, exact=True,
                   aligned=True)


def random_resized_crop(size: Size, scale: tuple[Number, Number] = (0.08, 1.),
                        ratio: tuple[Number, Number] = (3 / 4, 4 / 3)) -> Geometric:
  """A window of random area and aspect, resized (Szegedy et al. 2015).

  Area is uniform in `scale` times the image's, the logarithm of width over height is
  uniform; a side longer than the image's is cut to it. The window is sampled
  bilinearly without a low-pass filter: where it is much larger than `size`, resize
  the data first.

  Args:
    size: `(h, w)` of the result.
    scale: least and most area, of the image's.
    ratio: least and most width / height.
  """
  scale, ratio = interval(scale, 'scale'), interval(ratio, 'ratio')

  def move(key: Array, image_size: Size) -> Move:
    u = jax.random.uniform(key, (4,))
    h, w = image_size
    area = between(u[0], scale) * h * w
    aspect = jnp.exp(between(u[1], (jnp.log(ratio[0]), jnp.log(ratio[1]))))
    sides = [jnp.minimum(jnp.sqrt(area / aspect), h), jnp.minimum(jnp.sqrt(area * aspect), w)]
    y, x = ((u[2 + i] - .5) * (n - side) for i, (n, side) in enumerate(zip(image_size, sides)))
    return Move(moves.product(moves.translation(-y, -x), moves.scaling(
        size[0] / sides[0], size[1] / sides[1])))
  return Geometric(move, lambda image_size: size, mode='edge', aligned=True)


def random_affine(degrees: Range = 0., translate: tuple[Number, Number] = (0., 0.),
                  scale: tuple[Number, Number] = (1., 1.), shear: tuple[Range, Range] = (0., 0.),
                  fill: Number = -1., mode: Mode = 'constant') -> Geometric:
  """Rotation, translation, scaling and shear about the centre, all uniform.

  The picture is sheared along x, then y, scaled, turned clockwise and translated:
  the matrix of torchvision's `RandomAffine`, whose arguments these are. Unlike
  there, translations are not rounded to pixels.

  Args:
    degrees: of rotation, in (-degrees, degrees) or (low, high).
    translate: at most that part of the width, and of the height.
    scale: least and most.
    shear: degrees along x, and along y.
    fill: around the image, `[]` or `[C]`.
    mode: around the image: `'constant'`, `'edge'` or `'reflect'`.

  >>> import jax
  >>> turn = random_affine(degrees=(90., 90.))
  >>> image = jnp.arange(4.).reshape(2, 2, 1)
  >>> print(turn(jax.random.key(0), {'image': image})['image'][..., 0].round(5))
  [[2. 0.]
   [3. 1.]]
  """
  check_mode(mode)
  degrees = interval(degrees, 'degrees')
  width, height = (interval(t, 'translate') for t in translate)
  factor = interval(scale, 'scale')
  along_x, along_y = (interval(s, 'shear') for s in shear)

  def move(key: Array, image_size: Size) -> Move:
    u = jax.random.uniform(key, (6,))
    h, w = image_size
    radians = lambda i, bounds: jnp.deg2rad(between(u[i], bounds))
    s = between(u[1], factor)
    return Move(moves.product(
        moves.shearing(jnp.tan(radians(5, along_y)), jnp.tan(radians(4, along_x))),
        moves.scaling(s, s), moves.rotation(radians(0, degrees)),
        moves.translation(between(u[3], height) * h, between(u[2], width) * w)))
  return Geometric(move, fill=fill, mode=mode)


def random_rotation(degrees: Range, fill: Number = -1., mode: Mode = 'constant') -> Geometric:
  """Rotation about the centre by an angle in (-degrees, degrees) or (low, high)."""
  check_mode(mode)
  degrees = interval(degrees, 'degrees')
  return Geometric(lambda key, size: Move(moves.rotation(jnp.deg2rad(between(
      jax.random.uniform(key), degrees)))), fill=fill, mode=mode)


def _sign(key: Array, p: Number) -> Array:
  return jnp.where(jax.random.uniform(key) < p, -1., 1.)
