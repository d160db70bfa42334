"""What a network is told of time and label, and the smallest network that is told."""
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.layers import Dense

WAVES = 16  # of each kind, between 1 radian for a unit of time and the fastest
FASTEST = 100.


class TimeAndLabel(nn.Module):
  """Times and conditions to a vector: `[B] or [B, T], [B, K] -> [B, features]`.

  Sines and cosines of the time through two dense layers (Vaswani et al. 2017 by way of Ho et
  al. 2020, https://arxiv.org/abs/2006.11239), plus a linear map of the condition without a
  bias: zeros add nothing, which is what "no label" means. If an example has several times, say
  one and how far another is from it, their sines and cosines enter side by side.

  Attributes:
    features: of the vector.
    dtype: of the computation; parameters are float32.
    fastest: radians for a unit of time of the fastest wave. Where derivatives in time are learned
      from, fast waves make them large and noisy.
  """
  features: int
  dtype: Any = jnp.float32
  fastest: float = FASTEST

  @nn.compact
  def __call__(self, time: Array, cond: Array | None) -> Array:
    if not self.fastest > 0:
      raise ValueError(f'fastest={self.fastest}: expected radians for a unit of time, above 0')
    times = time[:, None] if time.ndim == 1 else time
    angles = times[..., None] * (self.fastest ** jnp.linspace(0, 1, WAVES))[None, None]
    waves = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], -1)
    waves = waves.reshape(len(times), times.shape[1] * 2 * WAVES)
    dense = lambda x: Dense(self.features, dtype=self.dtype)(x)
    vector = dense(nn.silu(dense(waves)))
    if cond is not None:
      vector = vector + Dense(self.features, use_bias=False, dtype=self.dtype)(cond)
    return nn.silu(vector)


class TimeMLP(nn.Module):
  """A field over points of any shape: `[B, ...], [B] or [B, T], [B, K] -> [B, ...]`.

  Residual blocks of two dense layers, told time and condition, over the flattened point; the last
  layer begins at zero. Nothing is normalised, as how far out a point is matters. For points in the
  plane and other small data.

  Attributes:
    width: of every layer.
    depth: how many blocks.
    dtype: of the computation; parameters and outputs are float32.
    fastest: see `TimeAndLabel`.
  """
  width: int = 128
  depth: int = 3
  dtype: Any = jnp.float32
  fastest: float = FASTEST

  @nn.compact
  def __call__(self, x: Array, time: Array, cond: Array | None = None, *, train: bool) -> Array:
    vector = TimeAndLabel(self.width, self.dtype, self.fastest)(time, cond)
    h = Dense(self.width, dtype=self.dtype)(x.reshape(len(x), -1))
    for _ in range(self.depth):
      inner = Dense(self.width, dtype=self.dtype)(h) + Dense(
          self.width, use_bias=False, dtype=self.dtype)(vector)
      h = h + Dense(self.width, dtype=self.dtype)(nn.silu(inner))
    size = x.size // len(x)
    y = Dense(size, kernel_init=nn.initializers.zeros)(nn.silu(h).astype(jnp.float32))
    return y.reshape(x.shape)
