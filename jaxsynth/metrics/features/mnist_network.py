"""The library's own MNIST network: fixed weights, a few lines of arithmetic.

Trained by `experiments/train_features.py`. The forward pass is written out here, and not
taken from `models`, so that no change there can change a score.
"""
from collections.abc import Mapping
import functools
import os
import pathlib
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics.features.base import DamagedWeights, digest, Features

WEIGHTS = pathlib.Path(__file__).parent / 'mnist.npz'
SHA256 = 'e8c29b6d8d139a08d816f2c4d1c5137054220037241244587cefc978b02793bf'
STRIDES = (2, 2, 1, 1)  # of the convolutions; those of stride 1 are residual
EPSILON = 1e-5  # of Linen's batch norm


def mnist() -> Features:
  """64 features of 28 x 28 x 1 digits: the layer before the last of a classifier.

  Not comparable with features of any other network; there is no FID here.

  Raises:
    DamagedWeights: the package's file is not the one that was shipped.

  >>> mnist().width, mnist().sha256 == SHA256
  (64, True)
  """
  return Features('mnist', SHA256, 64, 'none', (28, 28, 1), load(WEIGHTS, SHA256), apply)


def mnist_logits() -> Features:
  """The same network's 10 logits: which digit it sees."""
  return mnist()._replace(name='mnist_logits', width=10, apply=logits)


@functools.cache
def load(path: str | os.PathLike, sha256: str) -> Mapping[str, np.ndarray]:
  """Weights as float32, if their `digest` is `sha256`."""
  try:
    with open(path, 'rb') as f, np.load(f, allow_pickle=False) as arrays:
      params = {name: arrays[name].astype(np.float32) for name in arrays.files}
  except Exception as error:  # zip and npy fail in many ways
    raise DamagedWeights(f'{path}: cannot be read ({error}); install jaxsynth again') from error
  if digest(params) != sha256:
    raise DamagedWeights(f'{path}: weights of hash {digest(params)}, expected {sha256}; '
                         'install jaxsynth again')
  return params


def apply(params: Mapping[str, Array], images: Array) -> Array:
  """`[B, 28, 28, 1]` in [-1, 1] to features `[B, 64]`, not negative."""
  x = images
  for i, stride in enumerate(STRIDES):
    y = lax.conv_general_dilated(
        x, params[f'conv{i}.kernel'], (stride, stride), 'SAME',
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'), precision=lax.Precision.HIGHEST)
    y = jax.nn.relu(y + params[f'conv{i}.bias'].reshape(1, 1, 1, -1))
    x = y if stride == 2 else x + y
  return jax.nn.relu(_dense(params, 'features', x.reshape(x.shape[0], -1)))


def logits(params: Mapping[str, Array], images: Array) -> Array:
  """`[B, 28, 28, 1]` in [-1, 1] to logits `[B, 10]`."""
  return _dense(params, 'logits', apply(params, images))


def _dense(params: Mapping[str, Array], name: str, x: Array) -> Array:
  y = jnp.matmul(x, params[f'{name}.kernel'], precision=lax.Precision.HIGHEST)
  return y + params[f'{name}.bias'].reshape(1, -1)


def folded(params: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
  """Weights for `apply` from a `models.classifier.Classifier(10, (32, 64), 2, 64)`.

  Each batch norm is folded into the layer before it.
  """
  layers = {**{f'conv{i}': f'Conv_{i}' for i in range(len(STRIDES))}, 'features': 'Dense_0'}
  weights = {}
  for i, (name, layer) in enumerate(layers.items()):
    linear, norm = params[layer], params[f'BatchNorm_{i}']
    stats = variables['batch_stats'][f'BatchNorm_{i}']
    scale = norm['scale'] / np.sqrt(stats['var'] + EPSILON)
    weights[f'{name}.kernel'] = np.asarray(linear['kernel'] * scale)
    weights[f'{name}.bias'] = np.asarray((linear['bias'] - stats['mean']) * scale + norm['bias'])
  return weights | {f'logits.{k}': np.asarray(x) for k, x in params['Dense_1'].items()}
