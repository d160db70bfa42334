"""The sets of an evaluation: what is judged, and the real data it is held against."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data import DatasetSpec
from jaxsynth.data.examples import (
    check_disjoint, count_shared, Examples, random_positions, read_split, shuffled)
from jaxsynth.data.roles import Roles
from jaxsynth.evaluation.synthetic import Synthetic

LEAST = 100  # examples of a set


class Comparison(NamedTuple):
  """All sets that an evaluation looks at, of images of one shape.

  Attributes:
    synthetic: what is judged.
    real: the reference of every distance.
    other: more real examples, for the floor: they stand where the synthetic ones do, and are
      as many.
    train: what the generator learned from, or `None` where that is not known.
    held_out: real examples that nothing learned from, for the floor of memorisation.
    num_classes: of the real data, or `None` without labels.
    class_names: a name each.
    about: where the synthetic examples are from, for the record.
    seed: of what is drawn.
  """
  synthetic: Examples
  real: Examples
  other: Examples
  train: Examples | None
  held_out: Examples | None
  num_classes: int | None
  class_names: list[str]
  about: dict[str, Any]
  seed: int


def read_comparison(synthetic: Synthetic, spec: DatasetSpec, roles: Roles, seed: int = 0
                    ) -> Comparison:
  """Reads the real splits that a synthetic set is compared with.

  Args:
    synthetic: what is judged.
    spec: of the real data.
    roles: its splits: `test` is the reference, `train` what was learned from.
    seed: of what is drawn.

  Raises:
    ValueError, OSError, ImportError: as `read_split` and `compare`.
  """
  real, class_names = read_split(spec, roles.test)
  train, held_out = (split and read_split(spec, split)[0]
                     for split in (roles.train, roles.validation))
  return compare(synthetic, real, class_names, train=train or None, held_out=held_out or None,
                 seed=seed)


def compare(synthetic: Synthetic, real: Examples, class_names: Sequence[str] = (), *,
            other: Examples | None = None, train: Examples | None = None,
            held_out: Examples | None = None, seed: int = 0) -> Comparison:
  """Checks that sets can be compared, and takes as many synthetic as other real examples.

  Args:
    synthetic: what is judged.
    real: the reference.
    class_names: of its labels; by default their numbers.
    other: real examples for the floor; by default the training set, and where none is known
      half of the reference.
    train: what the generator learned from.
    held_out: real examples that nothing learned from.
    seed: of which examples are taken.

  Raises:
    ValueError: a set of fewer than 100 examples or of another shape, a reference that was
      learned from or lacks a class, or labels of other data.
  """
  given = [x for x in (synthetic.examples, real, other, train, held_out) if x is not None]
  for examples in given:
    if examples.images.shape[1:] != real.images.shape[1:]:
      raise ValueError(
          f'{examples.name}: images of {list(examples.images.shape[1:])}, the real ones of '
          f'{real.name} are {list(real.images.shape[1:])}; --image_size, --channels and --fit '
          'bring real images and folders to one shape')
  for examples in given:
    if len(examples.images) < LEAST:
      raise ValueError(f'{examples.name}: {len(examples.images)} examples, expected at least '
                       f'{LEAST}; scores of fewer say nothing')
  if train is not None:
    check_disjoint(real, train)
  if other is not None:
    _check_floor(real, other)
  elif train is not None:
    other = train
  else:
    real, other = _halves(real, seed)
  class_names = list(class_names)
  if real.labels is not None:
    class_names = class_names or [str(k) for k in range(int(real.labels.max()) + 1)]
    _check_classes(real, class_names, synthetic)
  n = min(len(synthetic.examples.images), len(other.images))
  about = {**synthetic.about, 'drawn_or_found': len(synthetic.examples.images), 'scored': n}
  judged, other = (x.take(random_positions(len(x.images), n, seed))
                   for x in (synthetic.examples, other))
  num_classes = None if real.labels is None else len(class_names)
  return Comparison(judged, real, other, train, held_out, num_classes, class_names, about, seed)


def _halves(real: Examples, seed: int) -> tuple[Examples, Examples]:
  """The reference and the floor's examples: no image is in both."""
  order = shuffled(len(real.images), seed)
  half = len(order) // 2
  if half < LEAST:
    raise ValueError(f'{real.name}: {len(order)} examples, expected at least {2 * LEAST}: '
                     'half of them are for the floor; or name more by --train_split')
  return real.take(np.sort(order[:half])), real.take(np.sort(order[half:]))


def _check_floor(real: Examples, other: Examples) -> None:
  both = count_shared(real, other)
  if both > len(real.images) / 100:
    raise ValueError(f'{both:,} of {len(real.images):,} images of {real.name} are in '
                     f'{other.name} too: the floor needs real images that the reference has not')


def _check_classes(real: Examples, class_names: Sequence[str], synthetic: Synthetic) -> None:
  if synthetic.examples.labels is not None and (synthetic.num_classes or 0) > len(class_names):
    raise ValueError(f'{synthetic.examples.name}: {synthetic.num_classes} classes, but '
                     f'{real.name} has {len(class_names)}: its labels are of other data')
  assert real.labels is not None
  empty = np.flatnonzero(np.bincount(real.labels, minlength=len(class_names)) == 0)
  if len(empty):
    raise ValueError(f'{real.name}: no examples of class {empty.tolist()}, so no synthetic one '
                     'can be judged; take a larger split, or a data set without the class')
