"""Which parts of a mixture's parameters are of which column of a table."""
from typing import Any, NamedTuple

from jax import Array
import jax.numpy as jnp
import numpy as np

NUMBERS = ('number', 'integer', 'date')  # types whose near values are alike
BETWEEN = -.9  # of a continuous column, what is below is missing


class Segments(NamedTuple):
  """The parts, each in the order of the columns.

  Attributes:
    sizes: how many values each discrete column may take.
    lines: the columns of numbers of which there are few.
    ends: of each of these, where one value ends and the next begins, in normal scores.
    continuous: the columns of any numbers.
    classes: sizes of the categorical distributions: of columns of classes and, 2 each, of whether
      numbers are missing, where they may be; discrete columns first, then the label, then
      continuous ones.
  """
  sizes: tuple[int, ...]
  lines: tuple[int, ...]
  ends: tuple[tuple[float, ...], ...]
  continuous: tuple[int, ...]
  classes: tuple[int, ...]

  def split(self, x: Array) -> list[Array]:
    """`[n, V]` of all classes as `[n, size]` of each categorical distribution."""
    return jnp.split(x, np.cumsum(self.classes)[:-1], 1) if self.classes else []

  def lacks(self, x: Array) -> Array:
    """1 where a number of a continuous column is missing, else 0: float32 `[n]`."""
    return (x < BETWEEN).astype(jnp.float32)


def segments_of(layout: Any, num_classes: int | None = None) -> Segments:
  """The parts of a layout and a label.

  Args:
    layout: a `kinds.row_layout.Layout`.
    num_classes: of the labels, or `None`.
  """
  columns = layout.columns
  lines = tuple(i for i in layout.discrete if columns[i].type in NUMBERS)
  classes = [2 if i in lines else columns[i].size for i in layout.discrete
             if i not in lines or columns[i].missing]
  classes += [] if num_classes is None else [num_classes]
  classes += [2 for i in layout.continuous if columns[i].missing]
  # the first end of numbers that may be missing parts those that are
  ends = tuple(tuple(layout.reach * x for x in columns[i].ends[int(columns[i].missing):])
               for i in lines)
  return Segments(tuple(columns[i].size for i in layout.discrete), lines, ends, layout.continuous,
                  tuple(classes))
