"""A transformer over tokens that looks back alone: a prior over codes."""
import math
from typing import Any

from flax import linen as nn
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.conditions import one_hot
from jaxsynth.models.layers import Dense

NORMAL = nn.initializers.normal(.02)
ZEROS = nn.initializers.zeros
Cache = tuple[tuple[Array, Array], ...]  # of each block: keys, values [n, length, heads, d]


class CausalTransformer(nn.Module):
  """Logits of each token given those before it (and the label): `[B, T] -> [B, T, K]`.

  Blocks of attention and two dense layers, each normalised before (Radford et al. 2019, GPT-2).
  The place of the token before the first is taken by a vector of the label. `step` gives the same
  logits of one place, from what was remembered of the places before.

  Attributes:
    size: number of different tokens, `K`.
    length: of the sequences, `T`.
    width: of the residual stream.
    depth: number of blocks.
    heads: of attention; divides the width.
    num_classes: number of labels; `None` for an unconditional network.
    dtype: of the computation; parameters and logits are float32.
  """
  size: int
  length: int
  width: int = 128
  depth: int = 3
  heads: int = 4
  num_classes: int | None = None
  dtype: Any = jnp.float32

  def setup(self) -> None:
    if self.width % self.heads:
      raise ValueError(f'heads={self.heads}: expected a divisor of the width {self.width}')
    self.token = Dense(self.width, dtype=self.dtype, kernel_init=NORMAL, use_bias=False)
    self.position = self.param('position', NORMAL, (self.length, self.width))
    self.start = self.param('start', NORMAL, (self.width,))
    if self.num_classes is not None:
      self.label = Dense(self.width, dtype=self.dtype, kernel_init=NORMAL, use_bias=False)
    self.blocks = [Block(self.width, self.heads, self.dtype) for _ in range(self.depth)]
    self.norm = nn.LayerNorm()
    self.logits = Dense(self.size, kernel_init=NORMAL)

  def __call__(self, tokens: Array, label: Array | None = None, *, train: bool) -> Array:
    if tokens.shape[1] != self.length:
      raise ValueError(f'tokens {list(tokens.shape)}: expected [B, {self.length}]')
    x = jnp.concatenate([self._start(len(tokens), label)[:, None],
                         self._tokens(tokens[:, :-1])], 1)
    x = x + self.position[None]
    for block in self.blocks:
      x = block(x)
    return self.logits(self.norm(x))

  def step(self, previous: Array, position: Array, cache: Cache, label: Array | None = None
           ) -> tuple[Array, Cache]:
    """Logits `[n, K]` at a position `[]`, of the token before it `[n]` and the cache."""
    first = self._start(len(previous), label)
    x = jnp.where(position == 0, first, self._tokens(previous)) + self.position[position][None]
    remembered = []
    for block, kept in zip(self.blocks, cache):
      x, kept = block.step(x, position, kept)
      remembered.append(kept)
    return self.logits(self.norm(x)), tuple(remembered)

  def cache(self, n: int) -> Cache:
    """What is remembered of n sequences before their first token."""
    zeros = jnp.zeros((n, self.length, self.heads, self.width // self.heads), self.dtype)
    return ((zeros, zeros),) * self.depth

  def _tokens(self, tokens: Array) -> Array:
    return self.token(one_hot(tokens, self.size)).astype(jnp.float32)

  def _start(self, n: int, label: Array | None) -> Array:
    if (label is None) != (self.num_classes is None):
      raise ValueError(f'num_classes={self.num_classes}: a label is expected if and only if there '
                       f'are classes, got {label}')
    x = jnp.broadcast_to(self.start[None], (n, self.width))
    if label is None or self.num_classes is None:
      return x
    return x + self.label(one_hot(label, self.num_classes)).astype(jnp.float32)


class Block(nn.Module):
  """`x + attention(norm(x))`, then `x + dense(gelu(dense(norm(x))))`, the stream in float32."""
  width: int
  heads: int
  dtype: Any = jnp.float32

  def setup(self) -> None:
    dense = lambda features, **options: Dense(features, dtype=self.dtype, **options)
    self.norms = nn.LayerNorm(), nn.LayerNorm()
    self.parts = dense(3 * self.width, use_bias=False)
    self.joined, self.wide = dense(self.width, kernel_init=ZEROS), dense(4 * self.width)
    self.narrow = dense(self.width, kernel_init=ZEROS)

  def __call__(self, x: Array) -> Array:
    """Of whole sequences `[B, T, width]`."""
    query, key, value = self._heads(x)
    seen = jnp.tril(jnp.ones((x.shape[1], x.shape[1]), bool))
    return self._after(x, self._attended(query, key, value, seen))

  def step(self, x: Array, position: Array, cache: tuple[Array, Array]
           ) -> tuple[Array, tuple[Array, Array]]:
    """Of one place `[n, width]`, given keys and values of those before it, and with its own."""
    query, key, value = self._heads(x[:, None])
    keys, values = (lax.dynamic_update_slice_in_dim(kept, new, position, 1)
                    for kept, new in zip(cache, (key, value)))
    seen = (jnp.arange(keys.shape[1]) <= position)[None]
    return self._after(x, self._attended(query, keys, values, seen)[:, 0]), (keys, values)

  def _heads(self, x: Array) -> list[Array]:
    y = self.parts(self.norms[0](x)).reshape(*x.shape[:-1], 3, self.heads, -1)
    return [y[..., k, :, :] for k in range(3)]

  def _attended(self, query: Array, key: Array, value: Array, seen: Array) -> Array:
    logits = jnp.einsum('bqhd,bkhd->bhqk', query, key).astype(jnp.float32)
    logits = jnp.where(seen[None, None], logits / math.sqrt(query.shape[-1]), -jnp.inf)
    weights = nn.softmax(logits).astype(self.dtype)
    return jnp.einsum('bhqk,bkhd->bqhd', weights, value).reshape(*query.shape[:2], self.width)

  def _after(self, x: Array, attended: Array) -> Array:
    x = x + self.joined(attended).astype(jnp.float32)
    inner = self.wide(self.norms[1](x)).astype(jnp.float32)
    return x + self.narrow(nn.gelu(inner)).astype(jnp.float32)
