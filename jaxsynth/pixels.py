"""Pixels are uint8 on disk and in memory, and floating in [-1, 1] in networks."""
from collections.abc import Mapping
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np


def scaled(images: Any) -> Array:
  """uint8 as float32 in [-1, 1], `x / 127.5 - 1`, on the device; inside jit.

  >>> scaled(np.array([0, 255], np.uint8)).tolist()
  [-1.0, 1.0]
  """
  return jnp.minimum(jnp.asarray(images, jnp.float32) / 127.5 - 1, 1)  # 1 / 127.5 may round up


def quantized(images: Array) -> Array:
  """[-1, 1] as uint8 on the device, what `to_uint8` is on the host; inside jit.

  >>> quantized(jnp.array([-1., 0., 1., 2.])).tolist()
  [0, 128, 255, 255]
  """
  x = (images.astype(jnp.float32) + 1) * 127.5
  return jnp.clip(jnp.round(x), 0, 255).astype(jnp.uint8)


@jax.jit
def to_float(batch: Mapping[str, Any]) -> Mapping[str, Array]:
  """A batch with its `'image'` `scaled`; the rest of it goes to the device as it is.

  >>> print(to_float({'image': np.array([0, 255], np.uint8)})['image'])
  [-1.  1.]
  """
  return {**batch, 'image': scaled(batch['image'])}


def to_uint8(images: Any) -> np.ndarray:
  """Images in [-1, 1] as uint8, rounded; values outside are clipped.

  >>> to_uint8([-1., 0., 1., 2.]).tolist()
  [0, 128, 255, 255]
  """
  x = (np.asarray(images, np.float32) + 1) * 127.5
  return np.clip(np.rint(x), 0, 255).astype(np.uint8)
