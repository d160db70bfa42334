"""Convolutions whose every derivative is fast on every platform.

`gather`, `scatter` and `correlate` are the three gradients of one trilinear form
(`native.py`), so each one's derivatives are the other two: the custom gradients
below close over one another, and derivatives of any order exist.

Kernels and their gradients are float32 at least, and images may be less: products are of
two images' dtypes, and what is summed over a batch is never rounded to it.
"""
from collections.abc import Iterator, Sequence
import contextlib
import contextvars
import functools
from typing import Any

import chex
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.ops import cpu
from jaxsynth.ops import geometry
from jaxsynth.ops import native
from jaxsynth.ops import precision
from jaxsynth.ops.geometry import Geometry, Padding


def conv(x: Array, kernel: Array, strides: int | Sequence[int] = 1,
         padding: Padding = 'SAME', dtype: Any = None) -> Array:
  """Strided convolution (cross-correlation) of images; equals `nn.Conv`'s.

  Reverse-mode derivatives of any order; forward mode is not defined.

  Args:
    x: images `[B, H, W, C]`.
    kernel: `[kh, kw, C, D]`.
    strides: one integer or two.
    padding: `'SAME'`, `'VALID'`, an integer, or two `(low, high)` pairs.
    dtype: of what is multiplied, and of the result; by default that of `x` and `kernel`
      promoted. A float32 kernel's gradient is float32 with `dtype=bfloat16` too.

  Returns:
    `[B, ceil(H / sh), ceil(W / sw), D]` for `'SAME'`.

  Raises:
    ValueError: strides, padding or shapes that do not fit.

  >>> import jax.numpy as jnp
  >>> conv(jnp.ones((2, 28, 28, 1)), jnp.ones((5, 5, 1, 8)), strides=2).shape
  (2, 14, 14, 8)
  """
  x, kernel = _promote(x, kernel, dtype)
  g = geometry.of_conv(x.shape[1:3], kernel.shape[:2], geometry.pair(strides), padding)
  return _gather(x, kernel, g)


def conv_transpose(x: Array, kernel: Array, strides: int | Sequence[int] = 1,
                   padding: Padding = 'SAME', dtype: Any = None) -> Array:
  """Transposed convolution of images; equals `lax.conv_transpose`'s.

  On CPU a stride of `s` becomes `s*s` dense convolutions, one for each sub-pixel
  phase, so no product with an inserted zero is computed (Shi et al. 2016,
  https://arxiv.org/abs/1609.05158). Reverse-mode derivatives of any order;
  forward mode is not defined.

  Args:
    x: images `[B, H, W, C]`.
    kernel: `[kh, kw, C, D]`, laid out as `nn.ConvTranspose`'s.
    strides: one integer or two.
    padding: `'SAME'`, `'VALID'`, an integer, or two `(low, high)` pairs, of the
      image dilated by its stride.
    dtype: as `conv`'s.

  Returns:
    `[B, H * sh, W * sw, D]` for `'SAME'`.

  Raises:
    ValueError: strides, padding or shapes that do not fit.

  >>> import jax.numpy as jnp
  >>> conv_transpose(jnp.ones((2, 7, 7, 8)), jnp.ones((5, 5, 8, 4)), strides=2).shape
  (2, 14, 14, 4)
  """
  x, kernel = _promote(x, kernel, dtype)
  g = geometry.of_conv_transpose(
      x.shape[1:3], kernel.shape[:2], geometry.pair(strides), padding)
  return _scatter(x, jnp.swapaxes(jnp.flip(kernel, (0, 1)), 2, 3), g)


def _promote(x: Array, kernel: Array, dtype: Any) -> tuple[Array, Array]:
  chex.assert_rank([x, kernel], 4)
  if x.shape[3] != kernel.shape[2]:
    raise ValueError(f'x has {x.shape[3]} channels, the kernel takes {kernel.shape[2]}: '
                     f'x {x.shape}, kernel {kernel.shape}')
  dtype = jnp.promote_types(x.dtype, kernel.dtype) if dtype is None else dtype
  return x.astype(dtype), kernel.astype(precision.summed(dtype))


_CPU_FORMS = contextvars.ContextVar('cpu_forms', default=False)


@contextlib.contextmanager
def cpu_forms() -> Iterator[None]:
  """What is traced inside has the CPU's forms, whatever it is lowered for.

  They are stride-1 and undilated convolutions and matrix products, with no choice of
  platform: for converters to other systems.
  """
  token = _CPU_FORMS.set(True)
  try:
    yield
  finally:
    _CPU_FORMS.reset(token)


def forms_of_cpu() -> bool:
  """Whether it is traced inside `cpu_forms`."""
  return _CPU_FORMS.get()


def _on_platform(name: str, a: Array, b: Array, g: Geometry) -> Array:
  """The CPU form on CPU, XLA's own elsewhere; decided when lowering."""
  fast, xla = getattr(cpu, name), getattr(native, name)
  if forms_of_cpu():
    return cpu.phases(a, b, g) if name == 'scatter' else fast(a, b, g)
  return jax.lax.platform_dependent(
      a, b, cpu=lambda a, b: fast(a, b, g), default=lambda a, b: xla(a, b, g))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _gather(y: Array, v: Array, g: Geometry) -> Array:
  return _on_platform('gather', y, v.astype(y.dtype), g)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _scatter(x: Array, v: Array, g: Geometry) -> Array:
  return _on_platform('scatter', x, v.astype(x.dtype), g)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _correlate(y: Array, x: Array, g: Geometry) -> Array:
  return _on_platform('correlate', y, x, g)


_gather.defvjp(lambda y, v, g: (_gather(y, v, g), (y, v)),
               lambda g, yv, x: (_scatter(x, yv[1], g), _correlate(yv[0], x, g)))
_scatter.defvjp(lambda x, v, g: (_scatter(x, v, g), (x, v)),
                lambda g, xv, y: (_gather(y, xv[1], g), _correlate(y, xv[0], g)))
_correlate.defvjp(lambda y, x, g: (_correlate(y, x, g), (y, x)),
                  lambda g, yx, v: (_scatter(yx[1], v, g), _gather(yx[0], v, g)))
