"""A U-Net that says the class of every pixel, small enough to be trained on a CPU."""
from collections.abc import Sequence
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.layers import Conv, ConvTranspose
from jaxsynth.models.unet import from_patches, group_norm, padded, patches

KERNEL = nn.initializers.he_normal()


class Segmenter(nn.Module):
  """`[B, H, W, C] -> logits [B, H, W, K]`, any height and width.

  After Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597, with residual blocks; the image
  enters as patches, and what comes from the same size on the way down is added.

  At 120x160x3 and nine classes the default has 0.64 million parameters.

  Attributes:
    num_classes: K.
    widths: channels at each size, each half of the one before; its length is the depth.
    patch: side of the patches in which the image enters.
    dtype: of the computation; parameters and outputs are float32.
  """
  num_classes: int
  widths: Sequence[int] = (32, 48, 64, 96)
  patch: int = 2
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array, *, train: bool) -> Array:
    height, width, _ = x.shape[1:]
    x = padded(x, (self.patch * 2 ** (len(self.widths) - 1),) * 2)
    patch = self.patch, self.patch
    h = Conv(self.widths[0], 3, dtype=self.dtype, kernel_init=KERNEL)(patches(x, patch))
    down = []
    for level, features in enumerate(self.widths):
      if level:
        h = Conv(features, 3, 2, dtype=self.dtype, kernel_init=KERNEL)(h)
      h = Residual(self.dtype)(h)
      down.append(h)
    for level, features in reversed(list(enumerate(self.widths[:-1]))):
      h = down[level] + ConvTranspose(features, 3, 2, dtype=self.dtype, kernel_init=KERNEL)(h)
      h = Residual(self.dtype)(h)
    h = nn.silu(group_norm(h, self.dtype))
    y = Conv(self.num_classes * self.patch ** 2, 3, dtype=self.dtype)(h)
    return from_patches(y, patch)[:, :height, :width].astype(jnp.float32)


class Residual(nn.Module):
  """`x + conv(silu(norm(conv(silu(norm(x))))))`."""
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x: Array) -> Array:
    h = x
    for init in (KERNEL, nn.initializers.zeros):
      h = nn.silu(group_norm(h, self.dtype))
      h = Conv(x.shape[-1], 3, dtype=self.dtype, kernel_init=init)(h)
    return x + h
