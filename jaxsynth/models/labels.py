"""Labels as inputs of a network."""
from jax import Array
import jax.numpy as jnp

from jaxsynth.conditions import one_hot


def beside(x: Array, label: Array | None, num_classes: int | None) -> Array:
  """`x` with its labels as one-hot beside it; `x` itself of an unconditional network.

  Args:
    x: `[B, D]`.
    label: integers `[B]`, or `None`.
    num_classes: `K`, or `None` of an unconditional network.

  Returns:
    `[B, D + K]` or `[B, D]`.

  >>> beside(jnp.ones((1, 2)), jnp.array([1]), 2).tolist()
  [[1.0, 1.0, 0.0, 1.0]]
  """
  if num_classes is None:
    return x
  return jnp.concatenate([x, one_hot(label, num_classes, x.dtype)], -1)
