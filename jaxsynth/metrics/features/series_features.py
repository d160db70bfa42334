"""Features of series: convolutions over time that were never trained, or the values themselves."""
from collections.abc import Mapping
import functools

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics.features.base import digest, Features
from jaxsynth.metrics.features.raw_pixels import pixels

LEVELS = 3  # the series, its half and its quarter
WIDTH = 24
POINTS = 16  # of a short form of the series
PRECISION = lax.Precision.HIGHEST


def random_series(channels: int = 1, *, seed: int = 0) -> Features:
  """168 features of series `[T, C]` of any length: random filters at three scales.

  The series, averaged down to its half and its quarter, goes through two random convolutions
  with relu; the mean and the deviation of each channel over time say which motions there are.
  The series at 16 points goes through a random dense layer with relu, which says when they are.
  What random convolutions can say of series: Dempster et al. 2020, ROCKET,
  https://arxiv.org/abs/1910.13051.

  Args:
    channels: `C`.
    seed: of the filters; the same filters from the same seed, for good.

  Raises:
    ValueError: no channels.

  >>> from jaxsynth.metrics.features import extract
  >>> extract(random_series(), np.zeros((2, 50, 1), np.float32)).shape
  (2, 168)
  """
  if channels < 1:
    raise ValueError(f'channels={channels}: expected at least 1')
  params = _weights(channels, seed)
  return Features(f'random_series_{seed}', digest(params), (2 * LEVELS + 1) * WIDTH, 'none',
                  (None, channels), params, _apply)


def of_series(channels: int, name: str, digits: bool = False) -> Features:
  """Features of series by name.

  Args:
    channels: of the series.
    name: `'auto'` or `'random'`, or `'pixels'`, which are the values themselves.
    digits: whether they are digits, which series never are.

  Raises:
    ValueError: another name.
  """
  if name in ('auto', 'random') and not digits:
    return random_series(channels)
  if name == 'pixels':
    return pixels()._replace(image_shape=(None, channels))
  raise ValueError(f'--features={name}: expected auto, random or pixels, which of series are '
                   'their values')


@functools.cache
def _weights(channels: int, seed: int) -> Mapping[str, np.ndarray]:
  rng = np.random.RandomState(seed)  # the one stream that numpy promises never to change
  normal = lambda *shape: (rng.standard_normal(shape) * np.sqrt(
      2 / np.prod(shape[:-1]))).astype(np.float32)
  params = {}
  for level in range(LEVELS):
    params[f'level{level}.kernel0'] = normal(9, channels, WIDTH)
    params[f'level{level}.kernel1'] = normal(5, WIDTH, WIDTH)
  params['points'] = normal(POINTS * channels, WIDTH)
  return params


def _apply(params: Mapping[str, Array], series: Array) -> Array:
  """`[B, T, C]`, in [-1, 1] more or less, to `[B, 168]`."""
  b, steps, c = series.shape
  pooled = []
  for level in range(LEVELS):
    x = jax.image.resize(series, (b, -(-steps // 2 ** level), c), 'linear')  # antialiased
    for i in (0, 1):
      kernel = params[f'level{level}.kernel{i}']
      n = kernel.shape[0] // 2
      x = jnp.pad(x, ((0, 0), (n, n), (0, 0)), mode='edge')  # no frame of zeros
      x = jax.nn.relu(lax.conv_general_dilated(
          x, kernel, (1,), 'VALID', dimension_numbers=('NHC', 'HIO', 'NHC'), precision=PRECISION))
    mean = jnp.mean(x, 1)
    pooled += [mean, jnp.sqrt(jnp.mean((x - mean[:, None]) ** 2, 1))]
  few = jax.image.resize(series, (b, POINTS, c), 'linear').reshape(b, -1)
  pooled.append(jax.nn.relu(jnp.matmul(few, params['points'], precision=PRECISION)))
  return jnp.concatenate(pooled, -1)
