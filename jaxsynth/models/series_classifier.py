"""A small convolutional classifier of series."""
from collections.abc import Sequence
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.classifier import averaged_down, GRID, KERNEL
from jaxsynth.models.layers import Conv, Dense


class SeriesClassifier(nn.Module):
  """Series to logits: `[B, T, C] -> [B, num_classes]`.

  Convolutions over time, each with batch norm and relu, the first ones with a stride of two, as
  series are long. Their outputs are averaged over at most eight equal parts of the time, so that
  when something is counts too (after Wang et al. 2017, https://arxiv.org/abs/1611.06455, figure
  1b, which averages over all of it and has more channels); then a dense layer of features and a
  dense layer.

  Attributes:
    num_classes: `K`.
    widths: channels of the convolutions.
    kernels: steps that each sees.
    strides: of each.
    features: `D`, the size of the layer before the last.
    dtype: of the computation; parameters, statistics and logits are float32.
    axis_name: mapped axis for global batch statistics under `pmap`.
  """
  num_classes: int
  widths: Sequence[int] = (32, 64, 64)
  kernels: Sequence[int] = (8, 5, 3)
  strides: Sequence[int] = (2, 2, 1)
  features: int = 64
  dtype: Any = jnp.float32
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x: Array, *, train: bool, features: bool = False) -> Any:
    """Logits `[B, K]`; with `features`, `(logits, features [B, D])`."""
    def normed(x: Array) -> Array:
      x = nn.BatchNorm(use_running_average=not train, momentum=0.9, dtype=self.dtype,
                       axis_name=self.axis_name if train else None)(x)
      return nn.relu(x)

    x = x[:, :, None]  # an image of one column
    for width, kernel, stride in zip(self.widths, self.kernels, self.strides, strict=True):
      x = normed(Conv(width, (kernel, 1), (stride, 1), dtype=self.dtype, kernel_init=KERNEL)(x))
    x = averaged_down(GRID, x)
    x = x.reshape(len(x), -1)
    last = normed(Dense(self.features, dtype=self.dtype, kernel_init=KERNEL)(x)).astype(jnp.float32)
    logits = Dense(self.num_classes)(last)
    return (logits, last) if features else logits
