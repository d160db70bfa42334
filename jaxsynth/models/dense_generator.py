"""A generator of dense layers, which cost a CPU little, and one transposed convolution."""
from collections.abc import Sequence
from typing import Any

from flax import linen as nn
from jax import Array
import jax.numpy as jnp

from jaxsynth.models.labels import beside
from jaxsynth.models.layers import ConvTranspose, Dense

SCALE = 2  # of the last layer


class DenseGenerator(nn.Module):
  """Latents (and labels) to images: `[B, latent] -> [B, H, W, C]` in [-1, 1].

  Dense layers with batch norm and relu, the last of which is an image of half the size, and a 5x5
  transposed convolution with tanh, by which neighbouring pixels are of one stroke.

  Attributes:
    image_shape: `(H, W, C)`; sizes that are odd are made larger and cropped.
    hidden: sizes of the dense layers before the image.
    channels: of the image of half the size.
    num_classes: of labels, given as one-hot beside the latent; `None` for none.
    dtype: of the computation; parameters and statistics are float32.
    axis_name: mapped axis for global batch statistics under `pmap`.

  The network of Harder et al. 2021, https://arxiv.org/abs/2002.11603, for images, is much like it.
  """
  image_shape: tuple[int, int, int]
  hidden: Sequence[int] = (256, 512)
  channels: int = 8
  num_classes: int | None = None
  dtype: Any = jnp.float32
  axis_name: str | None = None

  @nn.compact
  def __call__(self, z: Array, label: Array | None = None, *, train: bool) -> Array:
    height, width, channels = self.image_shape
    h, w = -(-height // SCALE), -(-width // SCALE)
    x = beside(z, label, self.num_classes)
    for size in (*self.hidden, h * w * self.channels):
      x = Dense(size, dtype=self.dtype, use_bias=False)(x)
      x = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=.9, dtype=self.dtype,
                               axis_name=self.axis_name if train else None)(x))
    x = x.reshape(-1, h, w, self.channels)
    x = ConvTranspose(channels, 5, SCALE, dtype=self.dtype)(x)
    return jnp.tanh(x[:, :height, :width].astype(jnp.float32))
