"""Images of two levels, drawn once from grey ones: what likelihoods of MNIST are measured on."""
from typing import Any

import numpy as np

from jaxsynth.keys import words

STREAM = 0x42494e  # parts these draws from others of the same seed


def binarized(images: Any, seed: int, part: int = 0) -> np.ndarray:
  """Each pixel 255 with the probability `x / 255`, else 0: drawn once, and then kept.

  A pixel's draw is a function of (seed, part, position among all pixels).

  Args:
    images: uint8 `[N, ...]` in [0, 255].
    seed: in [0, 2^63).
    part: which of several sets, at least 0.

  Returns:
    uint8 of the same shape, 0 and 255 alone.

  Raises:
    ValueError: another dtype, or a seed or part out of range.

  >>> binarized(np.array([[0, 255]], np.uint8), 0).tolist()
  [[0, 255]]

  Salakhutdinov & Murray 2008 binarised so, with draws of their own, of which the file of
  Larochelle & Murray 2011 is one. Scores on two such sets differ by more than their errors.
  """
  images = np.asarray(images)
  if images.dtype != np.uint8:
    raise ValueError(f'images of dtype {images.dtype}, expected uint8 in [0, 255]')
  if part < 0:
    raise ValueError(f'part={part}: expected a number of at least 0')
  # whole words of the generator itself, whose bits numpy does not change between versions
  raw = np.random.Philox(np.random.SeedSequence([*words(seed), part, STREAM])).random_raw(
      -(-images.size // 2)).view(np.uint32)[:images.size].reshape(images.shape)
  return np.where(raw * np.uint64(255) < images * np.uint64(2**32), 255, 0).astype(np.uint8)
