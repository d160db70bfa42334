"""Brightness, contrast, saturation and hue of images in [-1, 1]."""
from jax import Array
import jax
import jax.numpy as jnp

from jaxsynth.data.augment.example import (
    Augmentation, Example, Number, at_least, between, clipped, image_of, interval, is_zero)

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601-2, Pillow's 'L'


def grayscale(image: Array) -> Array:
  """Luma `[H, W, 1]` of `[H, W, 1 or 3]`."""
  if image.shape[2] == 1:
    return image
  _of_color(image)
  return sum(w * image[..., i:i + 1] for i, w in enumerate(LUMA))  # type: ignore[return-value]


def adjust_brightness(image: Array, factor: Number) -> Array:
  """`factor` times as bright: black, -1, stays. Not clipped."""
  return (image + 1) * factor - 1


def adjust_contrast(image: Array, factor: Number) -> Array:
  """`factor` times as far from the image's mean luma. Not clipped."""
  mean = jnp.mean(grayscale(image))
  return mean + factor * (image - mean)


def adjust_saturation(image: Array, factor: Number) -> Array:
  """`factor` times as far from the pixel's luma. Not clipped."""
  gray = grayscale(image)
  return gray + factor * (image - gray)


def adjust_hue(image: Array, shift: Number) -> Array:
  """Turns the hue of `[H, W, 3]` by `shift` of the circle; value and chroma stay.

  With `M` and `m` the largest and least channel, each channel becomes
  `M - (M - m) * max(0, min(k, 4 - k, 1))`, `k = n + 6 (hue + shift) mod 6`, `n` = 5, 3, 1
  for red, green, blue.

  >>> red = jnp.array([[[1., -1., -1.]]])
  >>> print(adjust_hue(red, 1 / 3).round(5).ravel())
  [-1.  1. -1.]
  """
  _of_color(image)
  r, g, b = image[..., 0], image[..., 1], image[..., 2]
  high, low = jnp.maximum(jnp.maximum(r, g), b), jnp.minimum(jnp.minimum(r, g), b)
  chroma = high - low
  gray = chroma == 0
  per = 1 / jnp.where(gray, 1, chroma)  # a hue must not divide by zero, nor its gradient
  hue = jnp.where(high == r, (g - b) * per, jnp.where(
      high == g, 2 + (b - r) * per, 4 + (r - g) * per))

  def channel(n: int) -> Array:
    k = jnp.mod(n + hue + 6 * shift, 6)
    return high - chroma * jnp.clip(jnp.minimum(k, 4 - k), 0, 1)
  return jnp.where(gray[..., None], image, jnp.stack([channel(n) for n in (5, 3, 1)], -1))


def color_jitter(brightness: Number = 0., contrast: Number = 0., saturation: Number = 0.,
                 hue: Number = 0., clip: bool = True) -> Augmentation:
  """Random brightness, contrast, saturation and hue, in this order.

  The first three take factors uniform in (max(0, 1 - v), 1 + v), hue a shift uniform
  in (-hue, hue): torchvision's `ColorJitter`, which also shuffles their order. Of a
  grey image, saturation and hue are what they were.

  Args:
    brightness: at least 0, as are contrast and saturation; may be traced.
    contrast: about the image's mean luma.
    saturation: about each pixel's luma.
    hue: part of the circle, in [0, 0.5].
    clip: to [-1, 1] after each; without, gradients pass everywhere.

  Returns:
    An augmentation. When called on an image of other than 1 or 3 channels, it raises
    `ValueError` where luma is needed.
  """
  for value, name in ((brightness, 'brightness'), (contrast, 'contrast'),
                      (saturation, 'saturation')):
    at_least(value, 0, name)
  at_least(hue, 0, 'hue', .5)

  def augment(key: Array, example: Example) -> Example:
    image = image_of(example)
    dtype = image.dtype
    u = jax.random.uniform(key, (4,))
    factor = lambda i, v: between(u[i], (jnp.maximum(0, 1 - v), 1 + v))
    if not is_zero(brightness):
      image = clipped(adjust_brightness(image, factor(0, brightness)), clip)
    if not is_zero(contrast):
      image = clipped(adjust_contrast(image, factor(1, contrast)), clip)
    if image.shape[2] != 1 and not is_zero(saturation):
      image = clipped(adjust_saturation(image, factor(2, saturation)), clip)
    if image.shape[2] != 1 and not is_zero(hue):
      image = clipped(adjust_hue(image, between(u[3], interval(hue, 'hue'))), clip)
    return {**example, 'image': image.astype(dtype)}
  return augment


def _of_color(image: Array) -> None:
  if image.shape[2] != 3:
    raise ValueError(f'image: {image.shape[2]} channels, expected 3 (RGB) or, but for hue, '
                     '1 (grey)')
