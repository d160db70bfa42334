"""Random weights of Inception's layers, by name: the same for PyTorch and for us."""
import zlib

import numpy as np


def tensors(shapes):
  """torchvision's tensors for `{name: (kh, kw, in, out)}`."""
  weights = {}
  for name, (kh, kw, n_in, n_out) in shapes.items():
    rng = np.random.Generator(np.random.Philox(zlib.crc32(name.encode())))
    normal = lambda *shape: rng.standard_normal(shape, np.float32)
    weights[f'{name}.conv.weight'] = normal(n_out, n_in, kh, kw) * (2 / (kh * kw * n_in)) ** .5
    weights[f'{name}.bn.weight'] = rng.uniform(.5, 1.5, n_out).astype(np.float32)
    weights[f'{name}.bn.bias'] = normal(n_out) * .1
    weights[f'{name}.bn.running_mean'] = normal(n_out) * .1
    weights[f'{name}.bn.running_var'] = rng.uniform(.5, 1.5, n_out).astype(np.float32)
  return {name: x.astype(np.float32) for name, x in weights.items()}


def images(channels):
  """uint8 `[2, 24, 32, channels]`: smooth, so that resizing matters, with edges."""
  rng = np.random.Generator(np.random.Philox(channels))
  return rng.integers(0, 256, (2, 6, 8, channels), np.uint8).repeat(4, 1).repeat(4, 2)
