"""The first kind: an image, and its label if there are any."""
from collections.abc import Sequence
import functools
from typing import Any

from jax import Array
import numpy as np

from jaxsynth.kinds.kind import Field, Kind
from jaxsynth.kinds.pictures import shown
from jaxsynth.kinds.pooling import pooled
from jaxsynth.metrics.features import by_name
from jaxsynth.metrics.predict import pixels_checked
from jaxsynth.pixels import quantized, scaled

NAME = 'image'


def images(image_shape: Sequence[int], num_classes: int | None = None,
           class_names: Sequence[str] | None = None) -> Kind:
  """Images of one shape, drawn in [-1, 1], for labels if there are classes.

  Args:
    image_shape: `(H, W, C)`.
    num_classes: of the labels, or `None` for none.
    class_names: of the labels, in their order; numbers by default.

  >>> sorted(images((28, 28, 1), 10).fields)
  ['image', 'label']
  """
  shape = tuple(map(int, image_shape))
  fields = {NAME: Field(shape), **labels(num_classes, class_names)}
  return Kind(fields, _bytes, shown, NAME, 'images', scaled, pixels_checked,
              functools.partial(_features, shape), _pooled,
              None if num_classes is None else 'label')


def labels(num_classes: int | None, class_names: Sequence[str] | None) -> dict[str, Field]:
  """The field of the labels, if there are any."""
  names = None if class_names is None else tuple(class_names)
  return {} if num_classes is None else {'label': Field((), 'int64', 'class', num_classes, names)}


def _bytes(drawn: Any) -> dict[str, Array]:
  return {NAME: quantized(drawn)}


def _pooled(values: np.ndarray, side: int) -> np.ndarray:
  return pooled(values, side) / np.float32(127.5) - 1


def _features(shape: tuple[int, ...], name: str, digits: bool) -> Any:
  return by_name(name, shape, digits)
