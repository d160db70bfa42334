"""Pixels: uint8 on disk and in memory, [-1, 1] in networks."""
from collections.abc import Mapping
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np


@jax.jit
def to_float(batch: Mapping[str, Any]) -> Mapping[str, Array]:
  """A batch with its `'image'` as float32 in [-1, 1]: `x / 127.5 - 1`, on device.

  >>> print(to_float({'image': np.array([0, 255], np.uint8)})['image'])
  [-1.  1.]
  """
  image = jnp.asarray(batch['image'], jnp.float32) / 127.5 - 1
  return {**batch, 'image': jnp.minimum(image, 1)}  # a reciprocal may round up


def to_uint8(images: Any) -> np.ndarray:
  """Images in [-1, 1] as uint8, rounded; values outside are clipped.

  >>> to_uint8([-1., 0., 1., 2.]).tolist()
  [0, 128, 255, 255]
  """
  x = (np.asarray(images, np.float32) + 1) * 127.5
  return np.clip(np.rint(x), 0, 255).astype(np.uint8)
