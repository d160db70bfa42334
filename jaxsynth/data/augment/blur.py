"""Gaussian filters as matrices, and blurring."""
from jax import Array, lax
import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth.data.augment.example import (
    Augmentation, Example, Number, Range, at_least, between, image_of, interval)


def gaussian_matrix(n: int, sigma: Number, *, reflect: bool, truncate: float = 4.) -> Array:
  """The filter of `n` points as a matrix `[n, n]`; `sigma` may be traced.

  Row `i` holds `exp(-(i - j)^2 / 2 sigma^2)` for `|i - j| <= round(truncate * sigma)`,
  with sum 1 before what falls outside is cut off, or reflected without the edge
  repeated: `scipy.ndimage.gaussian_filter`'s `'constant'` and `'mirror'`, where
  reflections are not longer than the image.

  >>> print((100 * gaussian_matrix(3, 0.5, reflect=True)).round())
  [[79. 21.  0.]
   [11. 79. 11.]
   [ 0. 21. 79.]]
  """
  i, j = np.arange(n)[:, None], np.arange(-n + 1, 2 * n - 1)[None]
  far = np.arange(-4 * n, 4 * n + 1)  # beyond n only their sum counts
  radius = jnp.floor(truncate * sigma + .5)

  def weight(distance: np.ndarray) -> Array:
    d = jnp.asarray(distance, jnp.float32)
    return jnp.where(jnp.abs(d) <= radius, jnp.exp(-.5 * jnp.square(d / jnp.maximum(
        sigma, 1e-3))), 0)
  kernel = weight(i - j) / jnp.sum(weight(far))
  inside = kernel[:, n - 1:2 * n - 1]
  if not reflect or n == 1:
    return inside
  before, after = kernel[:, :n - 1][:, ::-1], kernel[:, 2 * n - 1:][:, ::-1]
  return inside + jnp.pad(before, ((0, 0), (1, 0))) + jnp.pad(after, ((0, 0), (0, 1)))


def filtered(image: Array, sigma: Number, *, reflect: bool) -> Array:
  """`[H, W, C]` filtered along both axes, as two matrix products."""
  rows, columns = (gaussian_matrix(n, sigma, reflect=reflect) for n in image.shape[:2])
  out = jnp.einsum('hp,pqc->hqc', rows, image, precision=lax.Precision.HIGHEST)
  return jnp.einsum('wq,hqc->hwc', columns, out, precision=lax.Precision.HIGHEST)


def gaussian_blur(sigma: Range = (0.1, 2.)) -> Augmentation:
  """Blurs the image; its surroundings are its reflection.

  Args:
    sigma: standard deviation in pixels, uniform in (low, high), or a number.

  Returns:
    An augmentation; linear in the image, whose range it keeps.
  """
  pair = sigma if isinstance(sigma, tuple) else (sigma, sigma)
  low, high = interval(pair, 'sigma')
  at_least(low, 0, 'sigma')

  def augment(key: Array, example: Example) -> Example:
    image = image_of(example)
    drawn = between(jax.random.uniform(key), (low, high))
    # rows sum to one, to the rounding
    return {**example, 'image': jnp.clip(filtered(image, drawn, reflect=True), image.min(),
                                         image.max()).astype(image.dtype)}
  return augment
