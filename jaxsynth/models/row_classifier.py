"""A small dense classifier of rows of a table."""
from collections.abc import Callable
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.classifier import KERNEL
from jaxsynth.models.layers import Dense


class RowClassifier(nn.Module):
  """Rows to logits: `[B, C] -> [B, num_classes]`.

  The row as numbers, classes as ones and zeros, through two dense layers with batch norm, relu
  and dropout, after the plain network of Gorishniy et al. 2021 (Revisiting deep learning models
  for tabular data, https://arxiv.org/abs/2106.11959, section 3.1); then a dense layer.

  Attributes:
    num_classes: `K`.
    encode: `({}, rows [B, C]) -> [B, D]`, as `metrics.features.one_hot(...).apply`.
    width: of the first layer.
    features: of the second, the size of the layer before the last.
    dropout: share of each layer that is hidden in training.
    dtype: of the computation; parameters, statistics and logits are float32.
    axis_name: mapped axis for global batch statistics under `pmap`.
  """
  num_classes: int
  encode: Callable[[Any, Array], Array]
  width: int = 256
  features: int = 128
  dropout: float = .1
  dtype: Any = jnp.float32
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x: Array, *, train: bool, features: bool = False) -> Any:
    """Logits `[B, K]`; with `features`, `(logits, features [B, D])`."""
    x = self.encode({}, x)
    for width in (self.width, self.features):
      x = Dense(width, dtype=self.dtype, kernel_init=KERNEL)(x)
      x = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9, dtype=self.dtype,
                               axis_name=self.axis_name if train else None)(x))
      last = x.astype(jnp.float32)
      x = nn.Dropout(self.dropout, deterministic=not train)(x)
    logits = Dense(self.num_classes)(x.astype(jnp.float32))
    return (logits, last) if features else logits
