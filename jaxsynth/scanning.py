"""Loops of large bodies, as each platform runs them best."""
from collections.abc import Callable
import functools
from typing import Any

from jax import lax


def scan(body: Callable, carry: Any, xs: Any) -> tuple[Any, Any]:
  """`lax.scan(body, carry, xs)`: unrolled on CPU, a loop elsewhere.

  XLA:CPU (jaxlib 0.10.2) runs convolutions inside a loop 5 to 11 times slower than
  outside. Unrolled, compiling takes as many times longer as there are elements.

  >>> import jax.numpy as jnp
  >>> total, sums = scan(lambda c, x: (c + x, c + x), 0, jnp.arange(4))
  >>> int(total), sums.tolist()
  (6, [0, 1, 3, 6])
  """
  return lax.platform_dependent(
      carry, xs, cpu=functools.partial(lax.scan, body, unroll=True),
      default=functools.partial(lax.scan, body))
