"""A network of the rows of a table: every column at once, vector the time and the label."""
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.layers import Dense
from jaxsynth.models.time_mlp import TimeAndLabel


class RowMLP(nn.Module):
  """Velocities of numbers and logits of classes.

  A class of a column is a vector that is learned, and so is a column that is masked: their sum,
  with a linear map of the numbers, enters residual blocks of two dense layers, each normalised
  and vector time and label. The last layer begins at zero.

  Attributes:
    classes: of all columns of classes together, V.
    width: of the blocks.
    depth: how many blocks.
    dropout: rate within blocks, in training.
    dtype: of the computation; parameters and outputs are float32.
  """
  classes: int
  width: int = 512
  depth: int = 3
  dropout: float = 0.
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, numbers: Array, there: Array, classes: Array, time: Array,
               cond: Array | None = None, *, train: bool) -> tuple[Array, Array]:
    dense = lambda features, **options: Dense(features, dtype=self.dtype, **options)
    vector = TimeAndLabel(self.width, self.dtype)(time, cond)
    h = dense(self.width)(jnp.concatenate([numbers, there, classes], 1))
    for _ in range(self.depth):
      inner = dense(self.width)(nn.LayerNorm(dtype=self.dtype)(h))
      inner = nn.silu(inner + dense(self.width, use_bias=False)(vector))
      inner = nn.Dropout(self.dropout, deterministic=not train)(inner)
      h = h + dense(self.width)(inner)
    h = nn.silu(nn.LayerNorm(dtype=self.dtype)(h)).astype(jnp.float32)
    y = Dense(numbers.shape[1] + self.classes, kernel_init=nn.initializers.zeros)(h)
    return y[:, :numbers.shape[1]], y[:, numbers.shape[1]:]
