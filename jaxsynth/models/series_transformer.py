"""A transformer over the steps of a series that is told time and label."""
import math
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.layers import Dense
from jaxsynth.models.time_mlp import FASTEST, TimeAndLabel

NORMAL = nn.initializers.normal(.02)
ZEROS = nn.initializers.zeros


class SeriesTransformer(nn.Module):
  """A field over series: `[B, T, C], [B] or [B, times], [B, K] -> [B, T, C]`.

  Every step is a token: all its numbers through a dense layer, and a vector of its place. What else
  an example has, as the columns of an image, counts among the numbers of its step. Blocks are those
  of DiT (Peebles & Xie 2023, https://arxiv.org/abs/2212.09748, section 3.2, adaLN-Zero), which take
  time and label as a scale, a shift and a gate; blocks and the whole network begin as nothing.

  At 24 steps of 6 numbers the default has 0.34 million parameters.

  Attributes:
    width: of a token.
    depth: how many blocks.
    heads: of attention; divides the width.
    features: of the vector that says time and label.
    dtype: of the computation; parameters and outputs are float32.
    fastest: see `TimeAndLabel`.
  """
  width: int = 64
  depth: int = 3
  heads: int = 4
  features: int = 128
  dtype: Any = jnp.float32
  fastest: float = FASTEST

  @nn.compact
  def __call__(self, x: Array, time: Array, cond: Array | None = None, *, train: bool) -> Array:
    if self.width % self.heads:
      raise ValueError(f'heads={self.heads}: expected a divisor of the width {self.width}')
    vector = TimeAndLabel(self.features, self.dtype, self.fastest)(time, cond)
    steps = x.reshape(*x.shape[:2], -1)
    place = self.param('place', NORMAL, (x.shape[1], self.width))
    h = Dense(self.width, dtype=self.dtype)(steps).astype(jnp.float32) + place[None]
    for _ in range(self.depth):
      h = Block(self.width, self.heads, self.dtype)(h, vector)
    shift, scale = adapters(2, self.width, vector, self.dtype)
    y = Dense(steps.shape[-1], kernel_init=ZEROS)(norm(h) * (1 + scale) + shift)
    return y.reshape(x.shape)


class Block(nn.Module):
  """`x + gate attention(adapted(x))`, then `x + gate dense(gelu(dense(adapted(x))))`.

  `adapted(x) = (1 + scale) norm(x) + shift`; the stream is float32.
  """
  width: int
  heads: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, vector: Array) -> Array:
    dense = lambda size: Dense(size, dtype=self.dtype)
    shift, scale, gate, shift_, scale_, gate_ = adapters(6, self.width, vector, self.dtype)
    query, key, value = jnp.split(dense(3 * self.width)(norm(x) * (1 + scale) + shift), 3, -1)
    heads = lambda y: y.reshape(*y.shape[:2], self.heads, -1)
    logits = jnp.einsum('bqhd,bkhd->bhqk', heads(query), heads(key)).astype(jnp.float32)
    weights = nn.softmax(logits / math.sqrt(self.width // self.heads)).astype(self.dtype)
    seen = jnp.einsum('bhqk,bkhd->bqhd', weights, heads(value)).reshape(x.shape)
    x = x + gate * dense(self.width)(seen).astype(jnp.float32)
    inner = nn.gelu(dense(4 * self.width)(norm(x) * (1 + scale_) + shift_))
    return x + gate_ * dense(self.width)(inner).astype(jnp.float32)


def adapters(count: int, width: int, vector: Array, dtype: Any) -> list[Array]:
  """So many vectors `[B, 1, width]` of the one that says time and label, which begin at zero."""
  every = Dense(count * width, dtype=dtype, kernel_init=ZEROS)(vector).astype(jnp.float32)
  return jnp.split(every[:, None], count, -1)


def norm(x: Array) -> Array:
  """Each token with mean 0 and variance 1."""
  return nn.LayerNorm(use_bias=False, use_scale=False)(x)
