"""The columns of a table as two kinds of things: numbers that flow, and classes that are masked."""
from collections.abc import Sequence
from typing import Any, NamedTuple

from jax import Array
import jax.numpy as jnp
import numpy as np

NUMBERS = ('number', 'integer', 'date')  # types whose near values are alike
BETWEEN = -.9  # of a number that may be missing, what is below is
PRESENT = .1, .9  # middle and half of the range of one that is there


class Parts(NamedTuple):
  """Which column is what. Make one with `parts_of`.

  Attributes:
    layout: a `kinds.row_layout.Layout`.
    classes: places, among the layout's discrete columns, of those that are classes: `E` of them.
    numbers: columns that are numbers: `M` of them.
    gaps: places in `numbers` of those that may be missing: `G` of them.
  """
  layout: Any
  classes: tuple[int, ...]
  numbers: tuple[int, ...]
  gaps: tuple[int, ...]

  @property
  def sizes(self) -> tuple[int, ...]:
    """How many classes each of the `D = E + G` has; whether a number is missing is two."""
    columns = self.layout.columns
    return (*(columns[self.layout.discrete[i]].size for i in self.classes), *(2 for _ in self.gaps))

  def split(self, rows: Array) -> tuple[Array, Array, Array]:
    """Rows `[B, C]` as a model sees them, as numbers, whether each is there, and codes.

    Returns:
      float32 `[B, M]`, normal scores, 0 where missing; float32 `[B, M]`, 1 or 0; int32 `[B, D]`.

    Raises:
      ValueError: another number of columns.
    """
    if rows.ndim != 2 or rows.shape[1] != len(self.layout.columns):
      raise ValueError(f'rows {list(rows.shape)}: expected [B, {len(self.layout.columns)}]')
    x, middle, half = rows[:, np.array(self.numbers, int)], *self._range()
    lacks = (x < BETWEEN) & self._may_lack()[None]
    numbers = jnp.where(lacks, 0, (x - middle[None]) / half[None] * self.layout.reach)
    codes = self.layout.codes(rows)[:, np.array(self.classes, int)]
    gaps = lacks[:, np.array(self.gaps, int)].astype(jnp.int32)
    return numbers, 1 - lacks.astype(jnp.float32), jnp.concatenate([codes, gaps], 1)

  def joined(self, numbers: Array, codes: Array) -> Array:
    """Rows of numbers `[n, M]` and codes `[n, D]`, each column within the model's range."""
    middle, half = self._range()
    x = jnp.clip(numbers / self.layout.reach, -1, 1) * half[None] + middle[None]
    of = {column: x[:, i] for i, column in enumerate(self.numbers)}
    for i, place in enumerate(self.gaps):
      column = self.numbers[place]
      of[column] = jnp.where(codes[:, len(self.classes) + i] == 1, -1., of[column])
    for i, place in enumerate(self.classes):
      column = self.layout.discrete[place]
      at = jnp.asarray(self.layout.columns[column].positions, jnp.float32)
      of[column] = at[codes[:, i]]
    return jnp.stack([of[i] for i in range(len(self.layout.columns))], 1)

  def _may_lack(self) -> np.ndarray:
    return np.array([self.layout.columns[i].missing for i in self.numbers], bool)

  def _range(self) -> tuple[np.ndarray, np.ndarray]:
    """The middle and half of the range of each number that is there, `[M]`."""
    lacks = self._may_lack()
    return (np.where(lacks, PRESENT[0], 0).astype(np.float32),
            np.where(lacks, PRESENT[1], 1).astype(np.float32))


def parts_of(layout: Any, most_atoms: int) -> Parts:
  """Takes numbers of which there are few for classes, and others for numbers.

  A column with a value that most rows have, as 0, has an atom that no density has; as one of the
  classes it is learned exactly.

  Args:
    layout: a `kinds.row_layout.Layout`.
    most_atoms: distinct values of a column of numbers up to which these are classes.
  """
  columns = layout.columns

  def is_class(i: int) -> bool:
    return bool(columns[i].size) and (
        columns[i].type not in NUMBERS or columns[i].size <= most_atoms)
  numbers = tuple(i for i in range(len(columns)) if not is_class(i))
  return Parts(layout, tuple(place for place, i in enumerate(layout.discrete) if is_class(i)),
               numbers, tuple(k for k, i in enumerate(numbers) if columns[i].missing))


def one_hots(codes: Array, sizes: Sequence[int]) -> Array:
  """Codes `[B, D]` side by side as one-hot: float32 `[B, sum(sizes)]`.

  >>> one_hots(jnp.array([[1, 0]]), (2, 3)).tolist()
  [[0.0, 1.0, 1.0, 0.0, 0.0]]
  """
  if not sizes:
    return jnp.zeros((len(codes), 0))
  of = np.repeat(np.arange(len(sizes)), sizes)
  value = np.concatenate([np.arange(size) for size in sizes])
  return (jnp.take(codes, of, 1) == value[None]).astype(jnp.float32)
