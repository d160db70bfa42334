"""What a discriminator may be shown instead of an image: moves that leave its kind alone."""
from collections.abc import Callable

from jax import Array

from jaxsynth.data.augment.color import color_jitter
from jaxsynth.data.augment.composition import batched, compose, maybe
from jaxsynth.data.augment.erase import cutout as erased
from jaxsynth.data.augment.example import Number, at_least
from jaxsynth.data.augment.spatial import random_crop


def diff_augment(size: tuple[int, int], *, color: float = .5, translation: float = .125,
                 cutout: float = .5) -> Callable[[Array, Array, Number], Array]:
  """Colour, translation and cutout, with a gradient by the image.

  After Zhao et al. 2020, https://arxiv.org/abs/2006.10738: brightness, contrast and saturation
  (in colour) by factors, a shift by whole pixels and a grey square, each with probability `p`.
  There brightness is an offset, and saturation has factors up to 2.

  Args:
    size: `(H, W)` of the images.
    color: factors are uniform in `(1 - color, 1 + color)`; 0 for none.
    translation: largest shift as part of a side; 0 for none.
    cutout: side of the square as part of the image's; 0 for none.

  Returns:
    `(keys [B], images [B, H, W, C], p) -> [B, H, W, C]`, for
    `objectives.ada.DiscriminatorAugmentation`.

  Raises:
    ValueError: a part out of range, or nothing to do.

  >>> import jax, jax.numpy as jnp
  >>> f = diff_augment((8, 8), color=0., cutout=0.)
  >>> image = jnp.ones((2, 8, 8, 1))
  >>> bool((f(jax.random.split(jax.random.key(0)), image, 0.) == image).all())
  True
  """
  at_least(color, 0, 'color', 1)
  at_least(translation, 0, 'translation', 1)
  at_least(cutout, 0, 'cutout', 1)
  room, side = round(translation * min(size)), round(cutout * min(size))
  parts = [
      # unclipped: a gradient passes through every pixel
      *([color_jitter(color, color, color, clip=False)] if color else []),
      *([random_crop(padding=room, fill=0.)] if room else []),
      *([erased(side)] if side else [])]
  if not parts:
    raise ValueError(f'color={color}, translation={translation}, cutout={cutout} of images of '
                     f'{size} pixels: nothing to do, expected one of them larger')

  def augment(keys: Array, images: Array, p: Number) -> Array:
    sometimes = batched(compose(*(maybe(p, part) for part in parts)))
    return sometimes(keys, {'image': images})['image']
  return augment
