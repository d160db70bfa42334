"""A recurrent network of one layer, for judges of series."""
from flax import linen as nn
from jax import Array
import jax.numpy as jnp


class GRU(nn.Module):
  """What a gated recurrent unit says after each step: `[B, T, C] -> [B, T, outputs]`.

  Cho et al. 2014, https://arxiv.org/abs/1406.1078, and a dense layer on its state.

  Attributes:
    features: of the state.
    outputs: numbers said at each step.
  """
  features: int
  outputs: int = 1

  @nn.compact
  def __call__(self, x: Array, *, train: bool) -> Array:
    states = nn.RNN(nn.GRUCell(self.features))(x.astype(jnp.float32))
    return nn.Dense(self.outputs)(states)
