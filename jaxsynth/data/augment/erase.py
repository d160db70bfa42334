"""Cutout: a hidden square, so that no single part of an image is relied on."""
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.data.augment.example import Augmentation, Example, Number, at_least, image_of


def cutout(size: Number, fill: Number = 0., mask_fill: int | None = None) -> Augmentation:
  """Fills a square whose centre is any pixel with equal probability.

  Near the border less than the square is in the image, so that most pixels are as
  likely to be hidden as any other (DeVries and Taylor 2017,
  https://arxiv.org/abs/1708.04552). Labels and boxes stay.

  Args:
    size: side in pixels, rounded; may be traced.
    fill: of the square, `[]` or `[C]`.
    mask_fill: of the square in `'mask'`; `None` leaves masks alone.
  """
  at_least(size, 0, 'size')

  def augment(key: Array, example: Example) -> Example:
    image = image_of(example)
    h, w, channels = image.shape
    u = jax.random.uniform(key, (2,))
    side = jnp.round(size)
    y, x = (jnp.floor(u[i] * n) - jnp.floor(side / 2) for i, n in enumerate((h, w)))
    rows, columns = jnp.arange(h) - y, jnp.arange(w) - x
    hidden = ((rows >= 0) & (rows < side))[:, None] & ((columns >= 0) & (columns < side))[None]
    square = jnp.broadcast_to(jnp.asarray(fill, image.dtype), (channels,))[None, None]
    out = {**example, 'image': jnp.where(hidden[..., None], square, image)}
    if mask_fill is not None and 'mask' in example:
      mask = jnp.asarray(example['mask'])
      out['mask'] = jnp.where(hidden.reshape(hidden.shape + (1,) * (mask.ndim - 2)),
                              jnp.asarray(mask_fill, mask.dtype), mask)
    return out
  return augment
