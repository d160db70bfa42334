"""Features by the name that a flag gives them."""
from collections.abc import Callable
import pathlib
from typing import Any

import numpy as np

from jaxsynth.metrics.features.base import extract, Features
from jaxsynth.metrics.features.inception_v3 import inception
from jaxsynth.metrics.features.mnist_network import mnist
from jaxsynth.metrics.features.raw_pixels import pixels
from jaxsynth.metrics.features.random_network import random_conv


def by_name(name: str, image_shape: tuple[int, ...], digits: bool) -> Features:
  """Features by name; `'auto'` is the best there are for the data.

  Args:
    name: `'auto'`, `'mnist'`, `'random'`, `'pixels'` or an .npz file of Inception's weights.
    image_shape: `(H, W, C)` of the data.
    digits: whether they are digits, see `data.spec.are_digits`.

  Raises:
    ValueError: an unknown name, or images that they do not take.
    OSError: no such file of weights.

  >>> by_name('auto', (28, 28, 1), True).name, by_name('auto', (32, 32, 3), False).name
  ('mnist', 'random_conv_0')
  """
  if name == 'auto':
    name = 'mnist' if digits and tuple(image_shape) == (28, 28, 1) else 'random'
  makers: dict[str, Callable[[], Features]] = {
      'mnist': mnist, 'pixels': pixels, 'random': lambda: random_conv(image_shape[-1])}
  if name.endswith('.npz'):
    net = inception(pathlib.Path(name).expanduser())
  elif name in makers:
    net = makers[name]()
  else:
    raise ValueError(f'--features={name}: expected auto, mnist, random, pixels or an .npz file '
                     "of Inception's weights")
  if any(want not in (None, n) for want, n in zip(net.image_shape, image_shape)):
    raise ValueError(f'--features={name}: they take images {net.image_shape}, not '
                     f'{tuple(image_shape)}')
  return net


def extract_all(net: Features, values: np.ndarray,
                to_model: Callable[[Any], Any] | None = None) -> np.ndarray:
  """Features `[N, D]` of images `[N, H, W, C]`, or of another kind, in blocks that fit memory.

  Args:
    net: the features.
    values: as on disk.
    to_model: of their kind; by default that of images.
  """
  return extract(net, values, 32 if net.name.startswith('inception') else 256, to_model=to_model)
