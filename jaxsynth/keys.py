"""One key an example, whichever device it is on."""
import jax
from jax import Array
import jax.numpy as jnp


def per_example(key: Array, n: int, axis_name: str | None = None) -> Array:
  """Keys `[n]` of this device's `n` examples, by their index in the whole batch.

  Args:
    key: the same on every device.
    n: how many examples this device has.
    axis_name: the mapped axis that shares the batch, or `None`.

  Returns:
    `[n]` keys, `fold_in(key, i)` for global index `i`.

  >>> keys = per_example(jax.random.key(0), 3)
  >>> bool(keys[2] == jax.random.fold_in(jax.random.key(0), 2))
  True
  """
  first = 0 if axis_name is None else n * jax.lax.axis_index(axis_name)
  return jax.vmap(jax.random.fold_in, (None, 0))(key, first + jnp.arange(n))


def per_device(key: Array, axis_name: str | None = None) -> Array:
  """A key of this device alone: for masks drawn by the layer, not the example."""
  return key if axis_name is None else jax.random.fold_in(key, jax.lax.axis_index(axis_name))
