"""Images as planes, and pixels that are computed once."""
from collections.abc import Callable
from typing import TypeAlias

import jax
from jax import Array, lax
import jax.numpy as jnp

Planes: TypeAlias = list[Array]  # a channel each, [H, W]


def planes(image: Array) -> Planes:
  """`[H, W, C]` as C times `[H, W]`, whose loops are long."""
  return [image[..., i] for i in range(image.shape[2])]


def stacked(channels: Planes) -> Array:
  """The image of its planes."""
  return jnp.stack(channels, -1)


def by_planes(f: Callable[..., Planes]) -> Callable[..., Array]:
  """`f` of planes and numbers as a function of images and numbers."""
  return lambda image, *numbers: stacked(f(planes(image), *numbers))


@jax.custom_jvp
def kept(image: Array) -> Array:
  """`image` `[H, W, C]` or `[H, W]`, on CPU computed once however often it is used.

  XLA:CPU (jaxlib 0.10.2) takes away optimization barriers and then fuses the gather of
  a warp into everything that uses a pixel, once for each use. It fuses nothing into
  a convolution: this one, by (1, 0), changes no bit. Elsewhere it is nothing at all.
  """
  return lax.platform_dependent(image, cpu=_convolved, default=lambda x: x)


kept.defjvp(lambda primals, tangents: (kept(*primals), *tangents))


def _convolved(image: Array) -> Array:
  if image.dtype != jnp.float32:
    return image
  kernel = jnp.array([1., 0.]).reshape(2, 1, 1, 1)
  channels = image[None] if image.ndim == 2 else jnp.moveaxis(image, -1, 0)
  out = lax.conv_general_dilated(channels[..., None], kernel, (1, 1), ((0, 1), (0, 0)),
                                 dimension_numbers=('NHWC', 'HWIO', 'NHWC'))[..., 0]
  return out[0] if image.ndim == 2 else jnp.moveaxis(out, 0, -1)


def total(plane: Array) -> Array:
  """The sum of `[H, W]`, as a product.

  XLA:CPU would compute all that leads to the plane twice, fused once into a plain sum
  and once into what uses the plane; a product takes it from memory.
  """
  flat = plane.ravel()
  return jnp.dot(flat, jnp.ones(flat.shape, flat.dtype), precision=lax.Precision.HIGHEST)
