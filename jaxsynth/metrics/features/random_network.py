"""Features of convolutions that were never trained, for images no network was trained on."""
from collections.abc import Mapping
import functools

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics.features.base import digest, Features

LEVELS = 3  # the image, its half and its quarter; then an 8 x 8 thumbnail
WIDTH = 32
THUMBNAIL = 8


def random_conv(channels: int = 1, *, seed: int = 0) -> Features:
  """160 features of images `[H, W, C]` of any size: random filters at four scales.

  The image, averaged down to its half and its quarter, goes through two random
  convolutions with relu, and each channel is averaged: what textures there are, fine and
  coarse. An 8 x 8 thumbnail goes through a random dense layer with relu: where things are.

  Random convolutions, pooled, carry much of what trained ones do (Saxe et al. 2011, On
  random weights and unsupervised feature learning); for data far from ImageNet they are
  the features that Naeem et al. 2020 (https://arxiv.org/abs/2002.09797, section 5) propose
  for scores of generators; several scales as in the sliced Wasserstein distance of Karras
  et al. 2018 (https://arxiv.org/abs/1710.10196, section 5).

  Args:
    channels: `C`.
    seed: of the filters; the same filters from the same seed, for good.

  Raises:
    ValueError: no channels.

  >>> from jaxsynth.metrics.features import extract
  >>> extract(random_conv(3), np.zeros((2, 20, 30, 3), np.uint8)).shape
  (2, 160)
  """
  if channels < 1:
    raise ValueError(f'channels={channels}: expected at least 1')
  params = _weights(channels, seed)
  return Features(f'random_conv_{seed}', digest(params), (LEVELS + 2) * WIDTH,
                  'none', (None, None, channels), params, _apply)


@functools.cache
def _weights(channels: int, seed: int) -> Mapping[str, np.ndarray]:
  rng = np.random.RandomState(seed)  # the one stream that numpy promises never to change
  normal = lambda *shape: (rng.standard_normal(shape) * np.sqrt(
      2 / np.prod(shape[:-1]))).astype(np.float32)
  params = {}
  for level in range(LEVELS):
    params[f'level{level}.kernel0'] = normal(5, 5, channels, WIDTH)
    params[f'level{level}.kernel1'] = normal(3, 3, WIDTH, WIDTH)
  params['thumbnail'] = normal(THUMBNAIL ** 2 * channels, 2 * WIDTH)
  return params


def _apply(params: Mapping[str, Array], images: Array) -> Array:
  """`[B, H, W, C]` in [-1, 1] to `[B, 160]`."""
  b, h, w, c = images.shape
  pooled = []
  for level in range(LEVELS):
    size = (b, -(-h // 2 ** level), -(-w // 2 ** level), c)
    x = jax.image.resize(images, size, 'linear')  # antialiased
    for i, stride in enumerate((1, 2)):
      kernel = params[f'level{level}.kernel{i}']
      n = kernel.shape[0] // 2
      x = jnp.pad(x, ((0, 0), (n, n), (n, n), (0, 0)), mode='edge')  # no frame of zeros
      x = jax.nn.relu(lax.conv_general_dilated(
          x, kernel, (stride, stride), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
          precision=lax.Precision.HIGHEST))
    pooled.append(jnp.mean(x, (1, 2)))
  small = jax.image.resize(images, (b, THUMBNAIL, THUMBNAIL, c), 'linear').reshape(b, -1)
  pooled.append(jax.nn.relu(jnp.matmul(
      small, params['thumbnail'], precision=lax.Precision.HIGHEST)))
  return jnp.concatenate(pooled, -1)
