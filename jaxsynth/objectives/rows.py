"""One example of every few of a batch, in arrays of fixed shape.

Work that a share of the examples needs should cost that share. Which examples those are must not
depend on how the batch is divided over devices and parts, so it is a function of their index in
the whole batch. How many lie on one device then depends on where the device begins, by one at
most; there is room for one more than some have, and what is computed there is dropped.
"""
from collections.abc import Callable
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp


class Rows(NamedTuple):
  """Some rows of arrays `[n, ...]`: of every block of `step`, the one at `first`.

  Attributes:
    mask: `[n]`, whether a row is of them.
    take: `[n, ...] -> [ceil(n / every), ...]`, those rows; zeros follow if there are fewer.
    put: back again, zeros in all other rows.
  """
  mask: Array
  take: Callable[[Array], Array]
  put: Callable[[Array], Array]


def every(step: int, indices: Array, first: Array | int = 0) -> Rows:
  """The rows whose index is `first` modulo `step`.

  Args:
    step: at least 1.
    indices: `[n]`, of one example after another.
    first: `[]`, in [0, step).

  >>> rows = every(3, jnp.arange(4, 9), 2)
  >>> rows.mask.tolist()
  [False, True, False, False, True]
  >>> rows.take(jnp.arange(4, 9)).tolist(), rows.put(jnp.array([1., 2.])).tolist()
  ([5, 8], [0.0, 1.0, 0.0, 0.0, 2.0])
  """
  n = len(indices)
  blocks = -(-n // step)
  mask = indices % step == first
  start = (first - indices[0]) % step  # the place in each block

  def take(x: Array) -> Array:
    padded = jnp.pad(x, [(0, blocks * step - n)] + [(0, 0)] * (x.ndim - 1))
    return jax.lax.dynamic_index_in_dim(
        padded.reshape(blocks, step, *x.shape[1:]), start, 1, keepdims=False)

  def put(y: Array) -> Array:
    return jnp.where(mask.reshape(n, *[1] * (y.ndim - 1)), jnp.repeat(y, step, 0)[:n], 0)
  return Rows(mask, take, put)
