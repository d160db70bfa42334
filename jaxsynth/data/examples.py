"""Named images and labels in memory: what is scored, trained on and tested with."""
import hashlib
from typing import NamedTuple

import numpy as np

from jaxsynth.data.spec import class_names, DatasetSpec, is_path, open_dataset
from jaxsynth.metrics import predict


class Examples(NamedTuple):
  """Images and their labels, by the name that messages and pages call them.

  Attributes:
    name: say `'mnist/test'`.
    images: uint8 `[N, H, W, C]`.
    labels: int32 `[N]`, or `None`.
  """
  name: str
  images: np.ndarray
  labels: np.ndarray | None = None

  def take(self, positions: np.ndarray) -> 'Examples':
    """The examples at these positions."""
    return Examples(self.name, self.images[positions],
                    None if self.labels is None else self.labels[positions])


def read_split(spec: DatasetSpec, split: str | None) -> tuple[Examples, list[str]]:
  """A whole split in memory, or the folder or .npz file that stands for one.

  Args:
    spec: of the data set; its own split does not count.
    split: which; `None` for all of a data set without splits.

  Returns:
    The examples, and the names of the classes (none without labels).

  Raises:
    ValueError, OSError, ImportError: as `open_dataset`; or images that are plainly not in
      [0, 255].

  >>> examples, classes = read_split(DatasetSpec('mnist5k'), 'test')
  >>> examples.name, len(examples.images), len(classes)
  ('mnist5k/test', 500, 10)
  """
  spec = spec._replace(split=None)
  spec = spec.of_split(split) if split else spec
  source = open_dataset(spec)
  batch = source.take(np.arange(source.size))
  name = spec.title + ('' if not split or is_path(split) else f'/{split}')
  return (Examples(name, predict.checked(batch['image'], who=name), batch.get('label')),
          class_names(spec, source.num_classes))


def image_digests(examples: Examples) -> np.ndarray:
  """A SHA-256 of each image's pixels: equal for equal images."""
  return np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in examples.images])


def count_shared(a: Examples, b: Examples) -> int:
  """How many images of `a` are in `b`, pixel by pixel."""
  return int(np.isin(image_digests(a), image_digests(b)).sum())


def check_disjoint(reference: Examples, train: Examples) -> None:
  """Refuses a reference of which more than 1 % was learned from.

  Raises:
    ValueError: it says how many images both have.
  """
  both = count_shared(reference, train)
  if both > len(reference.images) / 100:
    raise ValueError(f'{both:,} of {len(reference.images):,} images of {reference.name} are in '
                     f'{train.name} too: the reference must be images that nothing learned '
                     'from; see --real_split and --train_split')


def shuffled(n: int, seed: int) -> np.ndarray:
  """Positions 0 to `n - 1` in an order that the seed gives."""
  return np.random.Generator(np.random.Philox(seed)).permutation(n)


def random_positions(n: int, most: int, seed: int = 0) -> np.ndarray:
  """At most `most` of `n` positions, without replacement, rising.

  >>> random_positions(3, 9).tolist()
  [0, 1, 2]
  """
  return np.sort(shuffled(n, seed)[:most])
