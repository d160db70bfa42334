"""What classes are called: a label is a position in a list of names, and names are compared."""
from collections.abc import Sequence
import functools
from typing import Any
import unicodedata

from absl import logging
import numpy as np

Names = tuple[str, ...]
LISTED = 20  # names that a message lists


def numbered(n: int | None) -> Names:
  """The names of classes that are called by their numbers.

  >>> numbered(3)
  ('0', '1', '2')
  """
  return tuple(map(str, range(n or 0)))


def names_of(source: Any) -> Names:
  """The names of a source's classes: its `class_names`, or numbers; none without labels."""
  return tuple(getattr(source, 'class_names', None) or numbered(source.num_classes))


def ordered(names: Sequence[str]) -> list[str]:
  """Names in the order of their labels: sorted, numbers as numbers.

  >>> ordered(['10', '9', '1']), ordered(['b', 'a10', 'a9'])
  (['1', '9', '10'], ['a10', 'a9', 'b'])
  """
  return sorted(names, key=lambda x: (int(x), x)) if are_numbers(names) else sorted(names)


def are_numbers(names: Sequence[str]) -> bool:
  """Whether all names are whole numbers: classes that nobody has named."""
  return all(name.isascii() and name.isdigit() for name in names)


def by_value(labels: np.ndarray, who: str) -> tuple[np.ndarray, Names]:
  """Labels of no known classes: each value that occurs is one, called by its number.

  Args:
    labels: integers `[N]`, at least 0.
    who: has them, for the warning where numbers are left out.

  Returns:
    Labels int32 `[N]` in [0, K), and the K values as names, rising: the map from one to the
    other.

  >>> labels, names = by_value(np.array([5, 3, 5]), 'birds.npz')
  >>> labels.tolist(), names
  ([1, 0, 1], ('3', '5'))
  """
  values, positions = np.unique(labels, return_inverse=True)
  names = tuple(map(str, values.tolist()))
  if len(values) <= values[-1]:
    _warn(f'{who}: of the labels 0 to {values[-1]} only {listed(names)} occur; its classes are '
          f'these {len(names)}, called by these numbers')
  return positions.reshape(-1).astype(np.int32), names


def integers(labels: Any, n: int, who: str) -> np.ndarray:
  """Labels as an array, if they are integers, one an image.

  Args:
    labels: whatever was given for them.
    n: how many images there are.
    who: has them, for messages.

  Raises:
    ValueError: they are not; it says how those of other libraries become so.

  >>> integers([[3], [5]], 2, 'x')
  Traceback (most recent call last):
  ValueError: x: labels int64[2, 1], expected integers [2], one an image; labels.reshape(-1) are
  """
  labels = np.asarray(labels)
  whole = np.issubdtype(labels.dtype, np.integer)
  if labels.shape == (n,) and whole:
    return labels
  if labels.shape == (n, 1) and whole:
    hint = '; labels.reshape(-1) are'
  elif labels.ndim == 2 and len(labels) == n:
    hint = '; of one-hot labels labels.argmax(1) are'
  elif labels.shape == (n,) and labels.dtype.kind in 'USO':
    hint = ('; class_names, labels = numpy.unique(labels, return_inverse=True) makes them, and '
            'names beside them')
  elif labels.shape == (n,) and labels.dtype.kind in 'fb':
    hint = '; labels.astype(int) are'
  else:
    hint = ''
  raise ValueError(f'{who}: labels {labels.dtype}{list(labels.shape)}, expected integers [{n}], '
                   f'one an image{hint}')


def named(labels: np.ndarray, num_classes: int | None, class_names: Sequence[str] | None, who: str
          ) -> tuple[np.ndarray, int, str, Names | None]:
  """Checked labels, how many classes they are of, whose, and what those are called.

  Args:
    labels: integers `[N]`.
    num_classes: how many classes there are, where they are known to have no names.
    class_names: their names; with neither, see `by_value`.
    who: has them, for messages.

  Returns:
    What follows the images in `Arrays`: labels int32 `[N]`, the number of classes, `who`, and
    the names, `None` where they are the numbers from 0.

  Raises:
    ValueError: a label out of range, or a name that comes twice.

  >>> named(np.array([1, 3]), None, None, 'birds.npz')
  (array([0, 1], dtype=int32), 2, 'birds.npz', ('1', '3'))
  """
  n = num_classes if class_names is None else len(class_names)
  if labels.min() < 0 or n is not None and labels.max() >= n:
    raise ValueError(f'{who}: labels in [{labels.min()}, {labels.max()}], expected ' +
                     ('at least 0' if n is None else f'[0, {n})'))
  if n is None:
    labels, class_names = by_value(labels, who)
  names = None if class_names is None else tuple(map(str, class_names))
  plain = [_plain(name) for name in names or ()]
  if len(set(plain)) < len(plain):
    raise ValueError(f'{who}: classes {listed(names or ())}, expected each name once')
  return (labels.astype(np.int32), len(names) if names is not None else n or 0, who,
          None if names == numbered(len(plain)) else names)


def occurring(labels: np.ndarray, names: Sequence[str], who: str) -> tuple[np.ndarray, Names]:
  """Labels without the classes that have no example.

  Args:
    labels: integers `[N]` in [0, K).
    names: of the K classes.
    who: has them, for the warning where there are such classes.

  >>> labels, names = occurring(np.array([2, 0]), ('cat', 'dog', 'fox'), 'birds')
  >>> labels.tolist(), names
  ([1, 0], ('cat', 'fox'))
  """
  there = np.unique(labels)
  if len(there) == len(names):
    return labels, tuple(names)
  empty = [name for k, name in enumerate(names) if k not in there]
  _warn(f'{who}: no examples of {listed(empty)}; its classes are the other {len(there)}')
  return np.searchsorted(there, labels).astype(np.int32), tuple(names[k] for k in there)


def places(names: Sequence[str], among: Sequence[str]) -> list[int | None]:
  """Where each name stands in a list; `None` where it does not.

  Numbers are equal as numbers. Where all names are numbers and none of the list is one, they
  are positions in it: classes that nobody has named.

  >>> places(['07', '1'], ['1', '2', '7']), places(['cat', 'owl'], ['cat', 'dog'])
  ([2, 0], [0, None])
  >>> places(['0', '2'], ['cat', 'dog'])
  [0, None]
  """
  if _are_positions(names, among):
    return [int(name) if int(name) < len(among) else None for name in names]
  at = {_plain(name): k for k, name in enumerate(among)}
  return [at.get(_plain(name)) for name in names]


def shared(lists: Sequence[tuple[str, Sequence[str]]], *, by_first: bool = False,
           needed: Sequence[Sequence[str]] | None = None) -> Names:
  """The list of names that has the classes of all sets.

  It is one of the sets' own, the first that will do; those that are names go before numbers.

  Args:
    lists: `(set, names of its classes)`, of one set at least.
    by_first: whether it must be that of the first set.
    needed: of each set, the classes that have examples; all of them by default.

  Raises:
    ValueError: no set has the classes of all; it says what two of them have.

  >>> shared([('test', ['cat', 'fox']), ('train', ['cat', 'dog', 'fox'])])
  ('cat', 'dog', 'fox')
  """
  every = [(who, there) for (who, _), there in zip(lists, needed or [x for _, x in lists])]
  misfits = lambda names: [x for x in every if None in places(x[1], names)]
  candidates = lists[:1] if by_first else sorted(lists, key=lambda x: are_numbers(x[1]))
  who, names = min(candidates, key=lambda x: len(misfits(x[1])))
  if other := misfits(names):
    raise ValueError(
        f'the classes of {who} and {other[0][0]} do not fit: {who} has {listed(names)}; '
        f'{other[0][0]} has {listed(other[0][1])}. Classes are compared by name, and '
        f'{who if by_first else "one set"} must have all: call the same class by the same name, '
        'or leave out the classes that the other has not')
  for other_name, numbers in every:
    if _are_positions(numbers, names):
      _warn(f'{other_name}: its classes {listed(numbers)} have no names; they are taken for '
            f'positions among those of {who}: {listed(names)}')
  return tuple(names)


def moved(labels: np.ndarray, names: Sequence[str], among: Sequence[str]) -> np.ndarray:
  """Labels of the classes `names` as positions in the list `among`, which has them all.

  >>> moved(np.array([0, 1]), ['cat', 'fox'], ['cat', 'dog', 'fox']).tolist()
  [0, 2]
  """
  return np.array(places(names, among), np.int32)[labels]


def listed(names: Sequence[str]) -> str:
  """Names in a message.

  >>> listed(['cat', 'dog'])
  'cat, dog'
  """
  more = f' and {len(names) - LISTED:,} more' if len(names) > LISTED else ''
  return ', '.join(names[:LISTED]) + more


def _are_positions(names: Sequence[str], among: Sequence[str]) -> bool:
  return are_numbers(names) and not any(are_numbers([name]) for name in among)


def _plain(name: str) -> str:
  """A name as it is compared: letters with accents may be written in two ways, as on macOS."""
  return str(int(name)) if are_numbers([name]) else unicodedata.normalize('NFC', name)


@functools.lru_cache(maxsize=256)
def _warn(text: str) -> None:
  """Says it once, however often the data are opened."""
  logging.warning('%s', text)
