"""What a feature extractor is, and running one over a data set."""
from collections.abc import Callable, Mapping, Sequence
import hashlib
from typing import Any, NamedTuple

import jax
from jax import Array
import numpy as np

from jaxsynth.metrics import predict

Shape = tuple[int | None, ...]


class Features(NamedTuple):
  """A fixed map from images, or examples of another kind, to vectors, and which one it is.

  Attributes:
    name: for the names of scores.
    sha256: of the weights, by `digest`.
    width: `D`, or `None` where it depends on the images.
    resizer: what it does to the images' size first, `'none'` or how.
    image_shape: `(H, W, C)` that it takes, of series `(T, C)`; `None` where any will do.
    params: the weights, `{name: array}`.
    apply: `(params, images [B, H, W, C] in [-1, 1]) -> [B, D]`, a pure function; of another kind
      what its `to_model` gives.
  """
  name: str
  sha256: str
  width: int | None
  resizer: str
  image_shape: Shape
  params: Mapping[str, np.ndarray]
  apply: Callable[[Mapping[str, Array], Array], Array]


class DamagedWeights(ValueError):
  """The weights are not those that their hash says."""


def extract(features: Features, images: Any, batch_size: int = 256, *,
            to_model: Callable[[Array], Array] | None = None,
            devices: Sequence[jax.Device] | None = None) -> np.ndarray:
  """Features of a data set.

  Images go through in blocks of one size, the last one padded, so there is one
  compilation for each kind of image.

  Args:
    features: which.
    images: `[N, H, W, C]`: uint8 in [0, 255], or floating in [-1, 1].
    batch_size: images a block; the devices divide it.
    to_model: of the images' kind; by default bytes are brought to [-1, 1].
    devices: over which a block is divided; by default this process's first alone.

  Returns:
    float32 `[N, D]`.

  Raises:
    ValueError: images of another shape, dtype or range, or that are not finite;
      features that are not finite.

  >>> from jaxsynth.metrics.features.raw_pixels import pixels
  >>> print(extract(pixels(), np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)))
  [[-1.  1.]]
  """
  images = predict.checked(images, features.image_shape, f'features {features.name!r}',
                           missing=to_model is not None)
  vectors = predict.in_blocks(features.apply, features.params, images, batch_size, devices,
                              to_model=to_model)
  if not np.isfinite(vectors).all():
    row = int(np.argmin(np.isfinite(vectors).all(1)))
    raise ValueError(f'features {features.name!r} of image {row} are not finite: the weights '
                     'are damaged, or not those of this network')
  return vectors


def digest(params: Mapping[str, Any]) -> str:
  """SHA-256 over all weights: name, dtype, shape and bytes, in the order of the names.

  >>> digest({'a': np.zeros(2, np.float32)})[:8]
  '9596f8e6'
  """
  sha = hashlib.sha256()
  for name in sorted(params):
    x = np.asarray(params[name])
    x = np.ascontiguousarray(x.astype(x.dtype.newbyteorder('<')))
    sha.update(f'{name}:{x.dtype.name}{list(x.shape)}:'.encode() + x.tobytes())
  return sha.hexdigest()


def score_name(score: str, features: Features) -> str:
  """The name of a score on these features; FID is the Frechet distance on its own Inception.

  >>> from jaxsynth.metrics.features.raw_pixels import pixels
  >>> score_name('frechet', pixels())
  'frechet_pixels'
  """
  if score == 'frechet' and features.name == 'inception_fid':
    return 'fid'
  return f'{score}_{features.name}'
