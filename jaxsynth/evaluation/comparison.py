"""The sets of an evaluation: what is judged, and the real data it is held against."""
from collections.abc import Sequence
import functools
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data import DatasetSpec
from jaxsynth.data.classes import listed
from jaxsynth.data.examples import (
    aligned, check_alike, check_disjoint, count_shared, Examples, most_shared, random_positions,
    read_real_split, shuffled)
from jaxsynth.data.kinded import kind_of
from jaxsynth.data.roles import Roles
from jaxsynth.evaluation.synthetic import Synthetic
from jaxsynth.kinds.kind import Kind

LEAST = 100  # examples of a set


class Comparison(NamedTuple):
  """All sets that an evaluation looks at, of examples of one shape.

  Attributes:
    synthetic: what is judged.
    real: the reference of every distance.
    other: more real examples, for the floor: they stand where the synthetic ones do, and are
      as many.
    train: what the generator learned from, or `None` where that is not known.
    held_out: real examples that nothing learned from, for the floor of memorisation.
    num_classes: of the real data, or `None` without labels.
    class_names: a name each: labels of all sets are positions in this list.
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

  @property
  def kind(self) -> Kind:
    """What the examples of all sets are."""
    return kind_of(self.real)


def read_comparison(synthetic: Synthetic, spec: DatasetSpec, roles: Roles, seed: int = 0, *,
                    synthetic_as_real: bool = False, unseen_floor: bool = False) -> Comparison:
  """Reads the real splits that a synthetic set is compared with.

  Args:
    synthetic: what is judged.
    spec: of the real data.
    roles: its splits: `test` is the reference, `train` what was learned from.
    seed: of what is drawn.
    synthetic_as_real: whether the real data may be a set that this library has drawn.
    unseen_floor: whether the floor is of `roles.validation`, and not of `roles.train`, since the
      features have learned from that.

  Raises:
    ValueError, OSError, ImportError: as `read_real_split` and `compare`.
  """
  read = functools.partial(read_real_split, spec, synthetic_as_real=synthetic_as_real)
  real = read(roles.test)
  train, held_out = (read(split) if split else None for split in (roles.train, roles.validation))
  other = held_out if unseen_floor else None
  return compare(synthetic, real, other=other, train=train, held_out=held_out, seed=seed)


def compare(synthetic: Synthetic, real: Examples, class_names: Sequence[str] = (), *,
            other: Examples | None = None, train: Examples | None = None,
            held_out: Examples | None = None, seed: int = 0) -> Comparison:
  """Checks that sets can be compared, and takes as many synthetic as other real examples.

  Args:
    synthetic: what is judged.
    real: the reference.
    class_names: all classes, in the order of the reference's labels; by default its own, or
      those of another real set that has more. Labels of other sets are brought into this order
      by the names of their classes.
    other: real examples for the floor; by default the training set, and where none is known
      half of the reference.
    train: what the generator learned from.
    held_out: real examples that nothing learned from.
    seed: of which examples are taken.

  Raises:
    ValueError: a set of fewer than 100 examples or of another shape, a reference that was
      learned from or lacks a class, or sets whose classes do not fit.
  """
  given = [x for x in (synthetic.examples, real, other, train, held_out) if x is not None]
  for examples in given:
    if examples.values.shape[1:] != real.values.shape[1:]:
      raise ValueError(
          f'{examples.name}: {kind_of(examples).plural} of {list(examples.values.shape[1:])}, '
          f'the real ones of {real.name} are {list(real.values.shape[1:])}; --image_size, '
          '--channels and --fit bring real images and folders to one shape')
    check_alike(examples, real)
  for examples in given:
    if len(examples.values) < LEAST:
      raise ValueError(f'{examples.name}: {len(examples.values)} examples, expected at least '
                       f'{LEAST}; scores of fewer say nothing')
  if train is not None:
    check_disjoint(real, train)
  if class_names and real.class_names is None:
    real = real._replace(class_names=tuple(class_names))
  extra = [x for x in (other, train, held_out) if x is not None]
  (real, *extra, judged), given_names = aligned(real, *extra, synthetic.examples, names=class_names)
  names, moved = list(given_names), iter(extra)
  other, train, held_out = (None if x is None else next(moved) for x in (other, train, held_out))
  if other is not None:
    _check_floor(real, other)
  elif train is not None:
    other = train
  else:
    real, other = _halves(real, seed)
  if real.labels is not None:
    _check_classes(real, names)
  n = min(len(judged.values), len(other.values))
  about = {**synthetic.about, 'drawn_or_found': len(judged.values), 'scored': n}
  judged, other = (x.take(random_positions(len(x.values), n, seed)) for x in (judged, other))
  num_classes = None if real.labels is None else len(names)
  return Comparison(judged, real, other, train, held_out, num_classes, names, about, seed)


def _halves(real: Examples, seed: int) -> tuple[Examples, Examples]:
  """The reference and the floor's examples: no image is in both."""
  order = shuffled(len(real.values), seed)
  half = len(order) // 2
  if half < LEAST:
    raise ValueError(f'{real.name}: {len(order)} examples, expected at least {2 * LEAST}: '
                     'half of them are for the floor; or name more by --train_split')
  return real.take(np.sort(order[:half])), real.take(np.sort(order[half:]))


def _check_floor(real: Examples, other: Examples) -> None:
  both = count_shared(real, other)
  if both > most_shared(real):
    raise ValueError(f'{both:,} of {len(real.values):,} images of {real.name} are in '
                     f'{other.name} too: the floor needs real images that the reference has not')


def _check_classes(real: Examples, names: Sequence[str]) -> None:
  assert real.labels is not None
  counts = np.bincount(real.labels, minlength=len(names))
  empty = [name for name, n in zip(names, counts) if not n]
  if empty:
    there = [name for name, n in zip(names, counts) if n]
    raise ValueError(f'{real.name}: no examples of {listed(empty)}, so no synthetic one can be '
                     f'judged; it has {listed(there)}, and the sets together {listed(names)}: '
                     'take a larger split, or data sets without the class')
