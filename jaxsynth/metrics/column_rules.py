"""Rules between columns, as Low <= Close, and where they are broken."""
from collections.abc import Sequence
import operator
import re
from typing import NamedTuple

import numpy as np

SIGNS = {'<=': operator.le, '>=': operator.ge, '<': operator.lt, '>': operator.gt,
         '==': operator.eq}


class Rule(NamedTuple):
  """Sides, columns by name or numbers, with a sign between each two: `a <= b <= c`.

  Attributes:
    text: as it was written.
    sides: two at least; names of columns, or numbers.
    signs: keys of `SIGNS`, one fewer.
  """
  text: str
  sides: tuple[str | float, ...]
  signs: tuple[str, ...]


def parsed(text: str, columns: Sequence[str]) -> Rule:
  """A rule as a person writes it.

  Args:
    text: as `'Low<=Open'`, `'Low <= Close <= High'` or `'Volume>=0'`.
    columns: names that there are.

  Raises:
    ValueError: no sign, or a side that is neither a column nor a number.

  >>> parsed('Low <= Open', ['Low', 'Open']).sides
  ('Low', 'Open')
  """
  parts = re.split('(<=|>=|==|<|>)', text)
  sides = [part.strip() for part in parts[::2]]
  if len(sides) < 2:
    raise ValueError(f'--rule={text}: expected columns or numbers with <=, <, ==, > or >= between '
                     'them, as Low<=High')
  return Rule(text, tuple(side if side in columns else _number(side, text, columns)
                          for side in sides), tuple(parts[1::2]))


def broken(rule: Rule, values: np.ndarray, columns: Sequence[str], tolerance: float = 0.
           ) -> np.ndarray:
  """Where the rule does not hold: bool, as the values without their last axis.

  Args:
    rule: of these columns.
    values: `[..., C]`; what is not a number breaks every rule.
    columns: names, C of them.
    tolerance: by which sides may be wrong, as a share of the larger one: what float32 rounds.
      `<` and `>` take what is equal within it for fulfilled too, unless it is 0.

  >>> broken(parsed('low<=high', ['low', 'high']), np.array([[1., 2.], [2., 1.]]), ['low', 'high'])
  array([False,  True])
  """
  x = np.asarray(values, np.float64)
  side = lambda s: x[..., list(columns).index(s)] if isinstance(s, str) else np.full(
      x.shape[:-1], s)
  wrong = np.zeros(x.shape[:-1], bool)
  for left, sign, right in zip(rule.sides, rule.signs, rule.sides[1:]):
    a, b = side(left), side(right)
    near = np.abs(a - b) <= tolerance * np.maximum(np.abs(a), np.abs(b)) if tolerance else False
    wrong |= ~(SIGNS[sign](a, b) | near)
  return wrong


def _number(text: str, rule: str, columns: Sequence[str]) -> float:
  try:
    return float(text)
  except ValueError:
    raise ValueError(f'--rule={rule}: {text!r} is neither a number nor a column; there are '
                     f'{", ".join(columns)}') from None
