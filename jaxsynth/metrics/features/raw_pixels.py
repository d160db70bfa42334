"""The pixels themselves, as features."""
from collections.abc import Mapping

from jax import Array
import jax.numpy as jnp

from jaxsynth.metrics.features.base import digest, Features


def pixels() -> Features:
  """Every pixel in [-1, 1], in rows: `D = H * W * C`, for images of any shape.

  What no network has judged: a yardstick for the features of networks, and for small
  images alone, as covariances are `D x D`.
  """
  return Features('pixels', digest({}), None, 'none', (None, None, None), {}, _flatten)


def _flatten(params: Mapping[str, Array], images: Array) -> Array:
  return jnp.reshape(images, (images.shape[0], -1))
