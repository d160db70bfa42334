"""Stacked MNIST: three digits as the channels of one image, so that a thousand modes are known."""
from typing import Any

import numpy as np

from jaxsynth.keys import words

STREAM = 0x535441  # parts these draws from others of the same seed
CHANNELS = 3


def stacked(images: Any, labels: Any, num: int, seed: int, num_classes: int = 10
            ) -> tuple[np.ndarray, np.ndarray]:
  """Images of three digits drawn at random, and the mode that each is of.

  Args:
    images: uint8 `[N, H, W, 1]`.
    labels: integers `[N]` in [0, num_classes).
    num: how many are made.
    seed: in [0, 2^63); what is made is a function of it and of the images.
    num_classes: of a channel.

  Returns:
    uint8 `[num, H, W, 3]`, and int32 `[num]`: `100 a + 10 b + c` of the labels in the order of
    the channels, as `metrics.modes.stack` has it.

  Raises:
    ValueError: images or labels of other shapes, or a number that is not positive.

  >>> images, modes = stacked(np.zeros((10, 28, 28, 1), np.uint8), np.arange(10), 4, 0)
  >>> images.shape, modes.dtype
  ((4, 28, 28, 3), dtype('int32'))

  Metz et al. 2017, https://arxiv.org/abs/1611.02163, section 3.3.
  """
  images, labels = np.asarray(images), np.asarray(labels)
  if images.ndim != 4 or images.shape[3] != 1 or images.dtype != np.uint8 or (
      labels.shape != images.shape[:1]):
    raise ValueError(f'images {images.dtype}{list(images.shape)}, labels {list(labels.shape)}: '
                     'expected uint8 [N, H, W, 1] and [N]')
  if num < 1:
    raise ValueError(f'num={num}: expected at least 1')
  # whole words of the generator itself, whose bits numpy does not change between versions
  raw = np.random.Philox(np.random.SeedSequence([*words(seed), STREAM])).random_raw(num * CHANNELS)
  chosen = (raw % np.uint64(len(images))).astype(np.int64).reshape(num, CHANNELS)
  powers = num_classes ** np.arange(CHANNELS)[::-1]
  return (np.moveaxis(images[chosen, ..., 0], 1, 3).copy(),
          (labels[chosen] @ powers).astype(np.int32))
