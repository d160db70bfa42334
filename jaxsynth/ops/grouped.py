"""Convolutions of which each output sees a group of the channels."""
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.ops.convolution import conv, forms_of_cpu
from jaxsynth.ops.geometry import Padding


def grouped_conv(x: Array, kernel: Array, groups: int, padding: Padding = 'SAME',
                 dtype: object = None) -> Array:
  """Convolution of images in groups of channels; equals XLA's with `feature_group_count`.

  On CPU it is a convolution a group, since XLA has no fast grouped one there, and so best of
  few groups. Reverse-mode derivatives of any order; forward mode is not defined.

  Args:
    x: images `[B, H, W, C]`.
    kernel: `[kh, kw, C / groups, D]`.
    groups: divides `C` and `D`.
    padding: as `conv`'s.
    dtype: as `conv`'s.

  Returns:
    `[B, H, W, D]` for `'SAME'`.

  Raises:
    ValueError: groups that do not divide the channels, or shapes that do not fit.

  >>> grouped_conv(jnp.ones((2, 7, 7, 8)), jnp.ones((3, 3, 2, 12)), 4).shape
  (2, 7, 7, 12)
  """
  if groups < 1 or x.shape[-1] % groups or kernel.shape[-1] % groups:
    raise ValueError(f'groups={groups}: expected a divisor of the {x.shape[-1]} channels in and '
                     f'of the {kernel.shape[-1]} out')
  if groups == 1:
    return conv(x, kernel, 1, padding, dtype)
  convolve = lambda x, kernel: conv(x, kernel, 1, padding, dtype)

  def each(x: Array, kernel: Array) -> Array:
    return jnp.concatenate([convolve(*pair) for pair in zip(
        jnp.split(x, groups, -1), jnp.split(kernel, groups, -1))], -1)

  def together(x: Array, kernel: Array) -> Array:
    y = jax.vmap(convolve, -2, -2)(*(a.reshape(*a.shape[:-1], groups, -1) for a in (x, kernel)))
    return y.reshape(*y.shape[:-2], -1)
  if forms_of_cpu():
    return each(x, kernel)
  return jax.lax.platform_dependent(x, kernel, cpu=each, default=together)
