"""The features that --features names, and running them."""
import pathlib

import numpy as np

from jaxsynth.metrics import features


def extractor(name: str, image_shape: tuple[int, ...], digits: bool) -> features.Features:
  """Features by name; by default the best there are for the data.

  Args:
    name: auto, mnist, random, pixels or an .npz file of Inception's weights.
    image_shape: `(H, W, C)` of the data.
    digits: whether they are digits; see `sets.are_digits`.

  Raises:
    ValueError: an unknown name, or images that they do not take.
    OSError: no such file of weights.
  """
  if name == 'auto':
    name = 'mnist' if digits and tuple(image_shape) == (28, 28, 1) else 'random'
  if name.endswith('.npz'):
    found = features.inception(pathlib.Path(name).expanduser())
  elif name in ('mnist', 'random', 'pixels'):
    found = {'mnist': features.mnist, 'pixels': features.pixels,
             'random': lambda: features.random_conv(image_shape[-1])}[name]()
  else:
    raise ValueError(f'--features={name}: expected auto, mnist, random, pixels or an .npz file '
                     "of Inception's weights")
  if any(want not in (None, n) for want, n in zip(found.image_shape, image_shape)):
    raise ValueError(f'--features={name}: they take images {found.image_shape}, not '
                     f'{tuple(image_shape)}')
  return found


def extract(net: features.Features, images: np.ndarray) -> np.ndarray:
  """Features `[N, D]` of images, in blocks that fit memory."""
  return features.extract(net, images, 32 if net.name.startswith('inception') else 256)
