"""Sequences of tokens, each drawn given those before it: their logarithm and their samples."""
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.types import Tree


def log_probability(logits: Array, tokens: Array) -> Array:
  """`sum_t log p(token_t | tokens before it)`: `[B]`, nats.

  Args:
    logits: `[B, T, K]`, those at t of what comes before t alone.
    tokens: integers `[B, T]` in [0, K).

  >>> round(float(log_probability(jnp.zeros((1, 2, 4)), jnp.array([[0, 3]]))[0]), 4)
  -2.7726
  """
  each = jax.nn.log_softmax(logits.astype(jnp.float32))
  return jnp.sum(jax.nn.one_hot(tokens, logits.shape[-1]) * each, (-2, -1))


def sampled(net: Any, params: Tree, variables: Tree, keys: Array, labels: tuple[Array, ...],
            length: int, temperature: float = 1.) -> Array:
  """Tokens `[n, length]`, drawn one after the other; K, which is none, where logits are NaN.

  Args:
    net: has Linen's `apply` with two methods: `cache(n)` gives what is remembered of n sequences,
      and `step(previous [n], position [], cache, *labels)` gives logits `[n, K]` of the token at a
      position and the cache; at position 0 `previous` counts for nothing.
    params: the network's.
    variables: likewise.
    keys: `[n]`; a sequence is a function of its own.
    labels: `([n],)`, or nothing for an unconditional network.
    length: of the sequences.
    temperature: what logits are divided by, above 0: below 1 likely tokens are likelier.
  """
  collections, n = {'params': params, **variables}, len(keys)

  def body(carry: tuple[Tree, Array], position: Array) -> tuple[tuple[Tree, Array], Array]:
    cache, previous = carry
    logits, cache = net.apply(collections, previous, position, cache, *labels, method='step')
    at = jax.vmap(jax.random.fold_in, (0, None))(keys, position)
    token = jax.vmap(jax.random.categorical)(at, logits.astype(jnp.float32) / temperature)
    token = jnp.where(jnp.isnan(logits).any(-1), logits.shape[-1], token)
    return (cache, token), token

  start = (net.apply(collections, n, method='cache'), jnp.zeros(n, jnp.int32))
  _, tokens = jax.lax.scan(body, start, jnp.arange(length))
  return tokens.T
