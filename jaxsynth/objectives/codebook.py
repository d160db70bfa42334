"""A codebook: the vectors that an encoder's outputs are rounded to, learned without a gradient.

Each vector is the mean of what was lately rounded to it. The state holds, for each code, its share
of all outputs and their sum over the number of all outputs, both averaged over steps:

    count <- decay count + (1 - decay) n / N,    total <- decay total + (1 - decay) sum z / N,

and the vector is `total / count` (van den Oord et al. 2017, https://arxiv.org/abs/1711.00937,
appendix A.1, divided by N). So the mean of several devices' states is the state of the whole batch.
A code that is brought back to life gets a count that it has not earned; `share` is averaged as the
count is, without that.
"""
from typing import NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.conditions import one_hot
from jaxsynth.types import Tree

TINY = 1e-20


class Codebook(NamedTuple):
  """How many vectors there are, and how they move.

  Attributes:
    size: number of codes `K`.
    features: of a vector, `D`.
    decay: what a step keeps of the averages, in (0, 1).
    revived_below: a code whose share is below this part of `1 / K` is dead, and becomes an output
      of the encoder in the batch, chosen at random, with the share `1 / K` (Dhariwal et al. 2020,
      https://arxiv.org/abs/2005.00341, section 3.1); in [0, 1), 0 revives none. All begin dead.
  """
  size: int
  features: int
  decay: float = .99
  revived_below: float = .05

  def checked(self) -> 'Codebook':
    """The settings themselves, if they are some.

    Raises:
      ValueError: fewer than two codes, no features, or a share out of [0, 1).

    >>> Codebook(1, 4).checked()
    Traceback (most recent call last):
    ValueError: size=1: expected at least 2 codes
    """
    if self.size < 2:
      raise ValueError(f'size={self.size}: expected at least 2 codes')
    if self.features < 1:
      raise ValueError(f'features={self.features}: expected at least 1')
    if not 0 < self.decay < 1:
      raise ValueError(f'decay={self.decay}: expected a number in (0, 1)')
    if not 0 <= self.revived_below < 1:
      raise ValueError(f'revived_below={self.revived_below}: expected a number in [0, 1)')
    return self


def init(book: Codebook, key: Array) -> Tree:
  """Dead codes around zero, which the first batch replaces unless none are to be revived."""
  vectors = jax.random.normal(key, (book.size, book.features))
  share = (.5 * book.revived_below or 1) / book.size
  return {'count': jnp.full(book.size, share, jnp.float32), 'total': share * vectors,
          'share': jnp.full(book.size, 1 / book.size, jnp.float32)}


def vectors(state: Tree) -> Array:
  """`[K, D]`."""
  return state['total'] / jnp.maximum(state['count'], TINY)[:, None]


def nearest(vectors: Array, z: Array) -> Array:
  """The code whose vector is nearest: int32 `[...]` of `z` `[..., D]` among `[K, D]`.

  >>> nearest(jnp.array([[0.], [1.], [4.]]), jnp.array([[3.], [.4]])).tolist()
  [2, 0]
  """
  product = jnp.einsum('...d,kd->...k', z, vectors, precision=lax.Precision.HIGHEST)
  length = jnp.sum(vectors ** 2, -1).reshape((1,) * (z.ndim - 1) + (-1,))
  return jnp.argmin(length - 2 * product, -1).astype(jnp.int32)


def looked_up(vectors: Array, codes: Array) -> Array:
  """The vectors `[..., D]` of codes `[...]`; NaN of a code that is none.

  As a product, since accelerators gather slowly.

  >>> looked_up(jnp.array([[0.], [1.], [4.]]), jnp.array([[2, 1]])).tolist()
  [[[4.0], [1.0]]]
  """
  return _product(one_hot(codes, len(vectors)), vectors)


def passed(z: Array, rounded: Array) -> Array:
  """`rounded`, whose gradient is passed straight to `z` (van den Oord et al. 2017, section 3.2)."""
  return z + lax.stop_gradient(rounded - z)


def moved(book: Codebook, state: Tree, z: Array, codes: Array, keys: Array,
          axis_name: str | None = None) -> Tree:
  """The state after a step.

  Args:
    book: the settings.
    state: from `init` or the step before, the same on all devices.
    z: outputs of the encoder, `[B, P, D]`.
    codes: what they were rounded to, `[B, P]`.
    keys: `[B]`, an example's own, by which the outputs are chosen that revive dead codes.
    axis_name: the mapped axis that shares the batch, or `None`; the mean over it of what is
      returned is the state.
  """
  chosen = jax.nn.one_hot(codes, book.size)
  kept = lambda old, new: book.decay * old + (1 - book.decay) * new
  now = jnp.mean(chosen, (0, 1))
  total = kept(state['total'], jnp.einsum(
      'bpk,bpd->kd', chosen, z, precision=lax.Precision.HIGHEST) / codes.size)
  count = kept(state['count'], now)
  dead = state['count'] < book.revived_below / book.size
  forgotten = count < TINY  # never revived: its vector stays
  fresh = _drawn(book.size, z, keys, axis_name)
  either = lambda revived, old, new: jnp.where(dead, revived, jnp.where(forgotten, old, new))
  return {'count': either(1 / book.size, state['count'], count),
          'total': jax.vmap(either, 1, 1)(fresh / book.size, state['total'], total),
          'share': kept(state['share'], now)}


def usage(book: Codebook, state: Tree) -> dict[str, Array]:
  """How much of the codebook was lately used, by the averages of training.

  Returns:
    `perplexity`, `exp(-sum p log p)` of the codes' shares `p`, in [1, K]: K where all are used
    alike; and `used`, the part of the codes whose share is at least a tenth of an even one, in
    [0, 1]. Both begin as if all were.
  """
  share = state['share'] / jnp.sum(state['share'])
  entropy = -jnp.sum(share * jnp.log(jnp.maximum(share, TINY)))
  return {'used': jnp.mean(share >= .1 / book.size), 'perplexity': jnp.exp(entropy)}


def _drawn(count: int, z: Array, keys: Array, axis_name: str | None) -> Array:
  """Outputs of the whole batch `[count, D]`, each drawn at random, however it is shared out.

  Every example draws a number and a place for each; the example of the largest number gives it.
  """
  def of_example(key: Array) -> tuple[Array, Array]:
    key_score, key_place = jax.random.split(key)
    return (jax.random.uniform(key_score, (count,)),
            jax.random.randint(key_place, (count,), 0, z.shape[1]))

  scores, places = jax.vmap(of_example)(keys)  # [B, count]
  best = jax.nn.one_hot(jnp.argmax(scores, 0), len(z))  # [count, B]
  score, place = jnp.max(scores, 0), jnp.sum(best.T * places, 0).astype(jnp.int32)
  index = jnp.argmax(scores, 0) * z.shape[1] + place
  output = _product(jax.nn.one_hot(index, z.shape[0] * z.shape[1]), z.reshape(-1, z.shape[-1]))
  if axis_name is not None:
    device = jnp.argmax(lax.all_gather(score, axis_name), 0)
    every = lax.all_gather(output, axis_name)  # [devices, count, D]
    output = jnp.sum(jax.nn.one_hot(device, len(every)).T[..., None] * every, 0)
  return output


def _product(chosen: Array, rows: Array) -> Array:
  """`[..., D]` of `[..., n]`, in which there is a single 1, and rows `[n, D]`."""
  return jnp.einsum('...n,nd->...d', chosen, rows, precision=lax.Precision.HIGHEST)
