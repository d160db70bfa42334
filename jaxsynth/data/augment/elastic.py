"""Elastic deformation: pixels move by a smooth random field, as handwriting varies."""
from jax import Array
import jax

from jaxsynth.data.augment import moves
from jaxsynth.data.augment.blur import filtered
from jaxsynth.data.augment.example import Number, at_least
from jaxsynth.data.augment.geometric import Geometric, Size, check_mode
from jaxsynth.data.augment.moves import Move
from jaxsynth.data.augment.resample import Mode


def elastic_transform(alpha: Number = 34., sigma: Number = 4., fill: Number = -1.,
                      mode: Mode = 'constant') -> Geometric:
  """Every pixel from beside it, by a smooth random field.

  `d = alpha * G_sigma * U`, with `U` uniform in (-1, 1) for each pixel and axis, and
  zero around the image: `out[p] = image[p + d[p]]`. It is composed with other moves
  like any, so image and deformation are each interpolated once.

  Args:
    alpha: strength; the standard deviation of `d` is about
      `alpha * 0.163 / sigma` pixels.
    sigma: standard deviation of the filter in pixels: how smooth.
    fill: around the image, `[]` or `[C]`.
    mode: around the image: `'constant'`, `'edge'` or `'reflect'`.

  Simard et al. 2003, Best practices for convolutional neural networks applied to
  visual document analysis; alpha 34 and sigma 4 are theirs, for MNIST.
  """
  check_mode(mode)
  at_least(alpha, 0, 'alpha'), at_least(sigma, 0, 'sigma')

  def move(key: Array, image_size: Size) -> Move:
    field = jax.random.uniform(key, (*image_size, 2), minval=-1., maxval=1.)
    return Move(moves.identity(), alpha * filtered(field, sigma, reflect=False))
  return Geometric(move, fill=fill, mode=mode)
