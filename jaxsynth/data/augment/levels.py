"""Operations on the 256 levels of an image, as Pillow defines them, in [-1, 1]."""
import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.data.augment.example import Number
from jaxsynth.data.augment.layout import by_planes


def posterize(image: Array, bits: Number) -> Array:
  """Keeps the highest `bits` of eight; its derivative is zero."""
  step = jnp.exp2(8 - bits)
  return _pixels(jnp.floor(_levels(image) / step) * step)


def solarize(image: Array, threshold: Number) -> Array:
  """Inverts what is at least `threshold`."""
  return jnp.where(image >= threshold, -image, image)


def autocontrast(image: Array) -> Array:
  """Each channel's least value becomes -1, its largest 1; a flat one stays."""
  def stretched(x: Array) -> Array:
    scale, offset = autocontrast_terms(x)
    return jnp.clip(scale * x + offset, -1, 1)
  return by_planes(lambda channels: [stretched(x) for x in channels])(image)


def autocontrast_terms(plane: Array) -> tuple[Array, Array]:
  """`(scale, offset)` of `autocontrast`."""
  low, high = plane.min(), plane.max()
  flat = high <= low
  scale = jnp.where(flat, 1, 2 / jnp.where(flat, 1, high - low))
  return scale, jnp.where(flat, 0, -1 - low * scale)


def equalize(image: Array) -> Array:
  """Levels of each channel about equally frequent; its derivative is zero.

  Level `v` becomes `(step // 2 + #(pixels < v)) // step`, with
  `step = (N - #(pixels of the highest level)) // 255`; with `step = 0` nothing changes:
  `PIL.ImageOps.equalize`.
  """
  return by_planes(lambda channels: [equalize_plane(x) for x in channels])(image)


def equalize_plane(plane: Array) -> Array:
  """`equalize` of one channel `[H, W]`."""
  levels = _levels(plane).astype(jnp.int32)
  count = histogram(levels.ravel()).astype(jnp.float32)
  step = jnp.floor((levels.size - count[jnp.max(levels)]) / 255)
  # a product and no cumulative sum, which XLA:CPU would fuse into every pixel
  below = jnp.dot(count, jnp.asarray(np.triu(np.ones((256, 256), np.float32), 1)),
                  precision=lax.Precision.HIGHEST).at[levels].get(mode='promise_in_bounds')
  equal = jnp.floor((below + jnp.floor(step / 2)) / jnp.maximum(step, 1))
  return _pixels(jnp.where(step > 0, jnp.clip(equal, 0, 255), levels.astype(jnp.float32)))


def histogram(levels: Array) -> Array:
  """How many of `[N]` integers are each of 0 to 255: `[256]`.

  On TPU, where scattering is slow, a matrix product: of their two digits to base 16,
  each as one of sixteen.
  """
  def scattered(levels: Array) -> Array:
    return jnp.zeros(256, jnp.int32).at[levels].add(1, mode='promise_in_bounds')
  return lax.platform_dependent(levels, tpu=_digits, default=scattered)


def _digits(levels: Array) -> Array:
  high, low = (jax.nn.one_hot(x, 16) for x in (levels // 16, levels % 16))
  return (high.T @ low).reshape(256).astype(jnp.int32)  # exact: sums of ones


def smooth_plane(plane: Array) -> Array:
  """The mean of each pixel's 3x3 neighbours with weight 5 for itself; borders stay.

  What `PIL.ImageEnhance.Sharpness` sharpens away from.
  """
  h, w = plane.shape
  if min(h, w) < 3:
    return plane
  rows = plane[:-2] + plane[1:-1] + plane[2:]
  inner = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] + 4 * plane[1:-1, 1:-1]) / 13
  return plane.at[1:-1, 1:-1].set(inner)


def _levels(image: Array) -> Array:
  return jnp.round((jnp.clip(image, -1, 1) + 1) * 127.5)


def _pixels(levels: Array) -> Array:
  return jnp.minimum(levels / 127.5 - 1, 1)
