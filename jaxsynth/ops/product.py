"""The product of a dense layer, with a gradient that is summed in float32."""
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.ops import precision


def dense(x: Array, kernel: Array, dtype: Any = None) -> Array:
  """`x @ kernel`, of which no sum over the batch is rounded to less than float32.

  Args:
    x: `[..., C]`.
    kernel: `[C, D]`.
    dtype: of what is multiplied, and of the result; by default that of `x` and `kernel`
      promoted. With less than float32 the kernel's gradient is still float32 (if the kernel
      is), and forward mode is not defined.

  Returns:
    `[..., D]`.

  Raises:
    ValueError: shapes that do not fit.

  >>> dense(jnp.ones((2, 3)), jnp.ones((3, 4)), jnp.bfloat16).dtype
  dtype(bfloat16)
  """
  if kernel.ndim != 2 or x.shape[-1:] != kernel.shape[:1]:
    raise ValueError(f'x {list(x.shape)}, kernel {list(kernel.shape)}: expected [..., C] and '
                     '[C, D]')
  dtype = jnp.promote_types(x.dtype, kernel.dtype) if dtype is None else jnp.dtype(dtype)
  x, wide = x.astype(dtype), precision.summed(dtype)
  return (_product if wide == dtype else _narrow)(x, kernel.astype(wide))


def _product(x: Array, kernel: Array) -> Array:
  return lax.dot_general(x, kernel, (((x.ndim - 1,), (0,)), ((), ())))


@jax.custom_vjp
def _narrow(x: Array, kernel: Array) -> Array:
  return _product(x, kernel.astype(x.dtype))


def _pulled_back(x_kernel: tuple[Array, Array], y: Array) -> tuple[Array, Array]:
  x, kernel = x_kernel
  examples = tuple(range(x.ndim - 1))
  gradient = lax.dot_general(x, y, ((examples, examples), ((), ())),
                             preferred_element_type=kernel.dtype)
  return _product(y, kernel.astype(x.dtype).T), gradient


_narrow.defvjp(lambda x, kernel: (_narrow(x, kernel), (x, kernel)), _pulled_back)
