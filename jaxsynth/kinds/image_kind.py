"""The first kind: an image, and its label if there are any."""
from collections.abc import Sequence

from jaxsynth.kinds.kind import Field, Kind
from jaxsynth.pixels import quantized


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
  height, width, channels = image_shape
  fields = {'image': Field((height, width, channels))}
  if num_classes is not None:
    fields['label'] = Field((), 'int64', 'class', num_classes,
                            None if class_names is None else tuple(class_names))
  return Kind(fields, lambda drawn: {'image': quantized(drawn)}, lambda arrays: arrays['image'],
              None if num_classes is None else 'label')
