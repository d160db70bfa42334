"""Noise on pixels, as cameras add it."""
import jax
from jax import Array

from jaxsynth.data.augment.example import (
    Augmentation, Example, Number, at_least, clipped, image_of)


def gaussian_noise(sigma: Number = 0.1, clip: bool = True) -> Augmentation:
  """Adds independent normal noise to every channel of every pixel.

  Args:
    sigma: standard deviation, of pixels in [-1, 1]; may be traced.
    clip: to [-1, 1]; without, the gradient is the identity.
  """
  at_least(sigma, 0, 'sigma')

  def augment(key: Array, example: Example) -> Example:
    image = image_of(example)
    noise = jax.random.normal(key, (image.size,), image.dtype).reshape(image.shape)
    return {**example, 'image': clipped(image + sigma * noise, clip).astype(image.dtype)}
  return augment
