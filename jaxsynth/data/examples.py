"""Named examples and labels in memory: what is scored, trained on and tested with."""
from collections.abc import Sequence
import hashlib
from typing import NamedTuple

import numpy as np

from jaxsynth.data import classes
from jaxsynth.data.batches import ENDLESS, Source
from jaxsynth.data.kinded import kind_of, of_kind
from jaxsynth.data.opening import open_dataset
from jaxsynth.data.origin import check_real
from jaxsynth.data.spec import DatasetSpec, is_path
from jaxsynth.kinds.kind import Kind


class Examples(NamedTuple):
  """Examples and their labels, by the name that messages and pages call them.

  Attributes:
    name: say `'mnist/test'`.
    values: `[N, ...]`, as on disk: uint8 `[N, H, W, C]` of images.
    labels: int32 `[N]`, or `None`.
    class_names: of the labels, in their order; `None` where they are their own names.
    kind: what they are; `None` for images.
  """
  name: str
  values: np.ndarray
  labels: np.ndarray | None = None
  class_names: tuple[str, ...] | None = None
  kind: Kind | None = None

  @property
  def images(self) -> np.ndarray:
    """The values of examples that are images."""
    return self.values

  def take(self, positions: np.ndarray) -> 'Examples':
    """The examples at these positions."""
    return self._replace(values=self.values[positions],
                         labels=None if self.labels is None else self.labels[positions])


def aligned(*sets: Examples, names: Sequence[str] = (), whose: str = 'the list of classes'
            ) -> tuple[list[Examples], classes.Names]:
  """The sets with labels that are positions in one list of classes, compared by name.

  A set that lacks classes keeps the others' numbers. Sets without labels stay as they are.

  Args:
    *sets: with labels or without.
    names: of all classes, where they are known.
    whose: has these, for messages.

  Returns:
    The sets, and the list; it is empty where no set has labels.

  Raises:
    ValueError: a label that no class has; or `names`, or without them every set, lacks
      classes that another has; it says what two of them have.

  >>> pixels = np.zeros((2, 1, 1, 1), np.uint8)
  >>> sets, names = aligned(Examples('test', pixels, np.array([0, 1]), ('cat', 'fox')),
  ...                       Examples('train', pixels, np.array([0, 1]), ('cat', 'dog', 'fox')))
  >>> sets[0].labels.tolist(), names
  ([0, 2], ('cat', 'dog', 'fox'))
  """
  lists: list[tuple[str, Sequence[str]]] = [(whose, tuple(names))] if names else []
  there = [list(names)] if names else []
  occurring: dict[int, tuple[np.ndarray, list[str]]] = {}
  for i, x in enumerate(sets):
    if x.labels is not None:
      values, labels = np.unique(x.labels, return_inverse=True)
      if values[0] < 0 or x.class_names and values[-1] >= len(x.class_names):
        raise ValueError(f'{x.name}: labels in [{values[0]}, {values[-1]}], expected ' + (
            f'[0, {len(x.class_names)}), positions among {classes.listed(x.class_names)}'
            if x.class_names else 'at least 0'))
      names_there = [x.class_names[k] if x.class_names else str(k) for k in values.tolist()]
      occurring[i] = labels.reshape(-1), names_there
      lists.append((x.name, x.class_names or names_there))
      there.append(names_there)
  if not lists:
    return list(sets), ()
  every = classes.shared(lists, by_first=bool(names), needed=there)
  return [x if i not in occurring else x._replace(
      labels=classes.moved(*occurring[i], every), class_names=every)
      for i, x in enumerate(sets)], every


def read_split(spec: DatasetSpec, split: str | None) -> Examples:
  """A whole split in memory, or the folder or .npz file that stands for one.

  Args:
    spec: of the data set; its own split does not count.
    split: which; `None` for all of a data set without splits.

  Returns:
    The examples.

  Raises:
    ValueError, OSError, ImportError: as `open_dataset`; or images that are plainly not in
      [0, 255].

  >>> examples = read_split(DatasetSpec('mnist5k'), 'test')
  >>> examples.name, len(examples.values), len(examples.class_names)
  ('mnist5k/test', 500, 10)
  """
  spec = spec._replace(split=None)
  spec = spec.of_split(split) if split else spec
  source = open_dataset(spec)
  if source.size >= ENDLESS:
    raise ValueError(f'{spec.title}/{spec.split}: it has no end; name a part, as '
                     f'{spec.split}[:10000]')
  batch = source.take(np.arange(source.size))
  name = spec.title + ('' if not split or is_path(split) else f'/{split}')
  kind = kind_of(source)
  return Examples(name, kind.checked(batch[kind.name], name), batch.get('label'),
                  classes.names_of(source) or None, kind)


def read_real_split(spec: DatasetSpec, split: str | None, *, synthetic_as_real: bool = False
                    ) -> Examples:
  """As `read_split`, of real images: what synthetic ones are held against.

  Args:
    spec: as `read_split`'s.
    split: as `read_split`'s.
    synthetic_as_real: whether a data set that this library has drawn will do.

  Raises:
    ValueError: it was drawn by this library.
    As `read_split`.
  """
  if not synthetic_as_real:
    check_real(spec.of_split(split) if split else spec)
  return read_split(spec, split)


def source_of(examples: Examples, num_classes: int | None = None) -> Source:
  """The examples as what is trained on.

  Args:
    examples: in memory.
    num_classes: of their labels; by default the largest and one.

  >>> source_of(Examples('x', np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 2]))).num_classes
  3
  """
  kind, labels = kind_of(examples), examples.labels
  if labels is not None:
    labels = np.asarray(labels, np.int32)
    num_classes = int(labels.max()) + 1 if num_classes is None else num_classes
  return of_kind(examples.values, labels, None if labels is None else num_classes, examples.name,
                 kind)


def image_digests(examples: Examples) -> np.ndarray:
  """A SHA-256 of each example: equal for equal images."""
  return np.array([hashlib.sha256(value.tobytes()).hexdigest() for value in examples.values])


def count_shared(a: Examples, b: Examples) -> int:
  """How many examples of `a` are in `b`, number by number."""
  return int(np.isin(image_digests(a), image_digests(b)).sum())


def check_disjoint(reference: Examples, train: Examples) -> None:
  """Refuses a reference of which more than 1 % was learned from; of rows that may well be equal
  by chance more than 99 %.

  Raises:
    ValueError: it says how many images both have.
  """
  both, plural = count_shared(reference, train), kind_of(reference).plural
  if both > most_shared(reference):
    raise ValueError(f'{both:,} of {len(reference.values):,} {plural} of {reference.name} are in '
                     f'{train.name} too: the reference must be {plural} that nothing learned '
                     'from; see --real_split and --train_split')


def check_alike(examples: Examples, others: Examples) -> None:
  """Refuses two sets whose numbers do not mean the same.

  Raises:
    ValueError: it says whose they are.
  """
  kinds = [kind_of(x) for x in (examples, others)]
  if kinds[0].meaning != kinds[1].meaning:
    of = [', '.join(kind.columns) for kind in kinds]
    raise ValueError(f'{examples.name}: {kinds[0].plural} of {of[0]}, and those of {others.name} '
                     f'are of {of[1]}; names, types and classes must be the same, in one order: '
                     'say them by the same --schema and --label_column')


def most_shared(reference: Examples) -> float:
  """How many examples of a set may be in another, before they are taken to be one set."""
  return len(reference.values) * (.99 if kind_of(reference).repeats else .01)


def shuffled(n: int, seed: int) -> np.ndarray:
  """Positions 0 to `n - 1` in an order that the seed gives."""
  return np.random.Generator(np.random.Philox(seed)).permutation(n)


def random_positions(n: int, most: int, seed: int = 0) -> np.ndarray:
  """At most `most` of `n` positions, without replacement, rising; of endless data the first.

  >>> random_positions(3, 9).tolist()
  [0, 1, 2]
  """
  return np.arange(most) if n >= ENDLESS else np.sort(shuffled(n, seed)[:most])
