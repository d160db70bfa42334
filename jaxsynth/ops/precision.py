"""In what sums are taken, where less than float32 is multiplied."""
from typing import Any

import jax.numpy as jnp


def summed(dtype: Any) -> Any:
  """The dtype of sums of `dtype`: float32, or more if that is more.

  >>> summed(jnp.bfloat16), summed(jnp.float64)
  (dtype('float32'), dtype('float64'))
  """
  return jnp.promote_types(dtype, jnp.float32)
