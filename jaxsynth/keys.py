"""One key a seed; one key an example, whichever device and part of the batch it is in."""
import operator

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.types import Context

SEEDS = 2 ** 63  # there are
HIGH = 0x48494748  # parts the keys of large seeds from others that are folded from those of small


def words(seed: int) -> tuple[int, int]:
  """The low 32 bits of a seed, and those above.

  Raises:
    ValueError: a seed out of [0, 2^63).

  >>> words(1 + 2 ** 33)
  (1, 2)
  """
  seed = operator.index(seed)
  if not 0 <= seed < SEEDS:
    raise ValueError(f'seed={seed}: expected an integer in [0, 2^63), that is below {SEEDS}')
  return seed & 0xffffffff, seed >> 32


def of_seed(seed: int) -> Array:
  """The key of a seed; `jax.random.key(seed)` drops all but the low 32 bits.

  Args:
    seed: in [0, 2^63); below 2^32 its key is `jax.random.key(seed)`.

  Raises:
    ValueError: another seed.

  >>> bool(of_seed(7) == jax.random.key(7)), bool(of_seed(7) == of_seed(7 + 2 ** 32))
  (True, False)
  """
  low, high = words(seed)
  key = jax.random.key(low)
  return jax.random.fold_in(jax.random.fold_in(key, HIGH), high) if high else key


def of_words(seed: Array) -> Array:
  """`of_seed` of `words`, uint32 `[2]`, within a compiled function."""
  key = jax.random.key(seed[0])
  other = jax.random.fold_in(jax.random.fold_in(key, HIGH), seed[1])
  return jax.lax.select(seed[1] == 0, key, other)


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
  return jax.vmap(jax.random.fold_in, (None, 0))(key, indices(n, ctx))


def indices(n: int, ctx: Context) -> Array:
  """Which examples of the whole batch are here: `[n]` int32, one after another.

  Args:
    n: how many there are here.
    ctx: its axis name and part say where here is.

  >>> indices(3, Context(jnp.int32(0), jax.random.key(0), part=(1, 2))).tolist()
  [3, 4, 5]
  """
  return n * _place(ctx) + jnp.arange(n)


def per_part(key: Array, ctx: Context) -> Array:
  """A key of this device and part alone: for masks drawn by the layer, not the example."""
  alone = ctx.axis_name is None and ctx.part[1] == 1
  return key if alone else jax.random.fold_in(key, _place(ctx))


def _place(ctx: Context) -> Array | int:
  """How many parts of the whole batch come before this one."""
  index, count = ctx.part
  device = 0 if ctx.axis_name is None else jax.lax.axis_index(ctx.axis_name)
  return device * count + index
