"""Brightness, contrast, saturation and hue of images in [-1, 1]."""
from jax import Array
import jax
import jax.numpy as jnp

from jaxsynth.data.augment.example import (
    Augmentation, Example, Number, at_least, between, clipped, image_of, interval, is_zero)
from jaxsynth.data.augment.layout import Planes, by_planes, planes, stacked, total

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601-2, Pillow's 'L'


def grayscale(image: Array) -> Array:
  """Luma `[H, W, 1]` of `[H, W, 1 or 3]`."""
  return luma(planes(image))[..., None]


def adjust_brightness(image: Array, factor: Number) -> Array:
  """`factor` times as bright: black, -1, stays. Not clipped."""
  return by_planes(brightened)(image, factor)


def adjust_contrast(image: Array, factor: Number) -> Array:
  """`factor` times as far from the image's mean luma. Not clipped."""
  return by_planes(contrasted)(image, factor)


def adjust_saturation(image: Array, factor: Number) -> Array:
  """`factor` times as far from the pixel's luma. Not clipped."""
  return by_planes(saturated)(image, factor)


def adjust_hue(image: Array, shift: Number) -> Array:
  """Turns the hue of `[H, W, 3]` by `shift` of the circle; value and chroma stay.

  With `M` and `m` the largest and least channel, each channel becomes
  `M - (M - m) * max(0, min(k, 4 - k, 1))`, `k = n + 6 (hue + shift) mod 6`, `n` = 5, 3, 1
  for red, green, blue.

  >>> red = jnp.array([[[1., -1., -1.]]])
  >>> print(adjust_hue(red, 1 / 3).round(5).ravel())
  [-1.  1. -1.]
  """
  return by_planes(turned)(image, shift)


def luma(channels: Planes) -> Array:
  """`[H, W]` of 1 or 3 planes."""
  if len(channels) not in (1, 3):
    raise ValueError(f'image: {len(channels)} channels, expected 1 (grey) or 3 (RGB)')
  if len(channels) == 1:
    return channels[0]
  r, g, b = channels
  return LUMA[0] * r + LUMA[1] * g + LUMA[2] * b


def brightened(channels: Planes, factor: Number) -> Planes:
  """`adjust_brightness`."""
  return [(x + 1) * factor - 1 for x in channels]


def contrasted(channels: Planes, factor: Number) -> Planes:
  """`adjust_contrast`."""
  gray = luma(channels)
  mean = total(gray) / gray.size
  return [mean + factor * (x - mean) for x in channels]


def saturated(channels: Planes, factor: Number) -> Planes:
  """`adjust_saturation`."""
  gray = luma(channels)
  return [gray + factor * (x - gray) for x in channels]


def turned(channels: Planes, shift: Number) -> Planes:
  """`adjust_hue`."""
  if len(channels) != 3:
    raise ValueError(f'image: {len(channels)} channels, expected 3 (RGB)')
  r, g, b = channels
  high, low = jnp.maximum(jnp.maximum(r, g), b), jnp.minimum(jnp.minimum(r, g), b)
  chroma = high - low
  gray = chroma == 0
  per = 1 / jnp.where(gray, 1, chroma)  # a hue must not divide by zero, nor its gradient
  # never `high == r`: fused apart, the two may be rounded differently
  hue = jnp.where((r >= g) & (r >= b), (g - b) * per, jnp.where(
      g >= b, 2 + (b - r) * per, 4 + (r - g) * per))

  def channel(n: int) -> Array:
    k = n + hue + 6 * shift
    k = k - 6 * jnp.floor(k / 6)
    return high - chroma * jnp.clip(jnp.minimum(k, 4 - k), 0, 1)
  return [channel(n) for n in (5, 3, 1)]


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
    x, dtype = planes(image), image.dtype
    u = jax.random.uniform(key, (4,))
    factor = lambda i, v: between(u[i], (jnp.maximum(0, 1 - v), 1 + v))
    kept_in = lambda channels: [clipped(c, clip) for c in channels]
    if not is_zero(brightness):
      x = kept_in(brightened(x, factor(0, brightness)))
    if not is_zero(contrast):
      x = kept_in(contrasted(x, factor(1, contrast)))
    if len(x) != 1 and not is_zero(saturation):
      x = kept_in(saturated(x, factor(2, saturation)))
    if len(x) != 1 and not is_zero(hue):
      x = kept_in(turned(x, between(u[3], interval(hue, 'hue'))))
    return {**example, 'image': stacked(x).astype(dtype)}
  return augment
