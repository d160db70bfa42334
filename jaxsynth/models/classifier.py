"""A small convolutional classifier, quick to train on CPU too."""
from collections.abc import Sequence
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.layers import Conv, Dense
from jaxsynth.ops import summed

KERNEL = nn.initializers.he_normal()
GRID = 8  # the last image is averaged down to at most this side


class Classifier(nn.Module):
  """Images to logits: `[B, H, W, C] -> [B, num_classes]`.

  A strided 3x3 convolution for each width, each with batch norm and relu (Ioffe & Szegedy
  2015, https://arxiv.org/abs/1502.03167), then residual ones `x + relu(norm(conv(x)))`
  (after He et al. 2016, https://arxiv.org/abs/1512.03385), a dense layer of features and
  a dense layer. Strides, not pooling: XLA has no fast gradient of pooling on CPU. The
  places of the last image are kept, not averaged, as where a stroke is says what it is;
  images that are still larger than 8 pixels a side are averaged down to that first.

  For images larger than 32 pixels give more widths, `(16, 32, 64, 64)`.

  Attributes:
    num_classes: `K`.
    widths: channels of the strided convolutions; its length is the depth.
    blocks: residual convolutions at the last width.
    features: `D`, the size of the layer before the last.
    dropout: rate on the features.
    dtype: of the computation; parameters, statistics and logits are float32.
    axis_name: mapped axis for global batch statistics under `pmap`.
  """
  num_classes: int
  widths: Sequence[int] = (16, 32)
  blocks: int = 1
  features: int = 64
  dropout: float = 0.
  dtype: Any = jnp.float32
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x: Array, *, train: bool, features: bool = False) -> Any:
    """Logits `[B, K]`; with `features`, `(logits, features [B, D])`."""
    def normed(x: Array) -> Array:
      x = nn.BatchNorm(use_running_average=not train, momentum=0.9, dtype=self.dtype,
                       axis_name=self.axis_name if train else None)(x)
      return nn.relu(x)

    for width in self.widths:
      x = normed(Conv(width, 3, 2, dtype=self.dtype, kernel_init=KERNEL)(x))
    for _ in range(self.blocks):
      x = x + normed(Conv(x.shape[-1], 3, dtype=self.dtype, kernel_init=KERNEL)(x))
    x = averaged_down(GRID, x)
    x = x.reshape(x.shape[0], -1)
    x = normed(Dense(self.features, dtype=self.dtype, kernel_init=KERNEL)(x))
    last = x.astype(jnp.float32)
    x = nn.Dropout(self.dropout, deterministic=not train)(last)
    logits = Dense(self.num_classes)(x)
    return (logits, last) if features else logits


def averaged_down(side: int, x: Array) -> Array:
  """Averages windows of equal size until no side is larger."""
  h, w = (-(-n // side) for n in x.shape[1:3])
  if (h, w) == (1, 1):
    return x
  pooled = nn.avg_pool(x.astype(summed(x.dtype)), (h, w), (h, w), 'SAME', count_include_pad=False)
  return pooled.astype(x.dtype)
