"""One key an example, whichever device and part of the batch it is in."""
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.types import Context


def per_example(key: Array, n: int, ctx: Context) -> Array:
  """Keys `[n]` of the examples here, by their index in the whole batch.

  Args:
    key: `ctx.key` or one made from it, the same everywhere.
    n: how many examples there are here.
    ctx: its axis name and part say where here is.

  Returns:
    `[n]` keys, `fold_in(key, i)` for global index `i`.

  >>> ctx = Context(jnp.int32(0), jax.random.key(0), part=(1, 2))
  >>> bool(per_example(ctx.key, 3, ctx)[0] == jax.random.fold_in(ctx.key, 3))
  True
  """
  return jax.vmap(jax.random.fold_in, (None, 0))(key, n * _place(ctx) + jnp.arange(n))


def per_part(key: Array, ctx: Context) -> Array:
  """A key of this device and part alone: for masks drawn by the layer, not the example."""
  alone = ctx.axis_name is None and ctx.part[1] == 1
  return key if alone else jax.random.fold_in(key, _place(ctx))


def _place(ctx: Context) -> Array | int:
  """How many parts of the whole batch come before this one."""
  index, count = ctx.part
  device = 0 if ctx.axis_name is None else jax.lax.axis_index(ctx.axis_name)
  return device * count + index
