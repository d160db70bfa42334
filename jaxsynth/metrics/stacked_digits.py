"""Which modes of Stacked MNIST images are of, as the shipped network sees their channels."""
from typing import Any

import numpy as np

from jaxsynth.metrics import features
from jaxsynth.metrics.modes import stack


def modes_of(images: Any) -> np.ndarray:
  """The mode of each image: int64 `[N]` in [0, 1000).

  Args:
    images: uint8 `[N, 28, 28, 3]`, a digit a channel.

  Raises:
    ValueError: images of another shape or dtype.

  >>> modes_of(np.zeros((2, 28, 28, 3), np.uint8)).shape
  (2,)
  """
  images = np.asarray(images)
  if images.ndim != 4 or images.shape[1:] != (28, 28, 3):
    raise ValueError(f'images {list(images.shape)}: expected [N, 28, 28, 3], a digit a channel')
  net = features.mnist_logits()
  return stack(np.stack([features.extract_all(net, images[..., channel:channel + 1]).argmax(1)
                         for channel in range(3)], 1))
