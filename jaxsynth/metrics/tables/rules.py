"""Rules that every train row keeps, found in it or given, and who breaks them."""
from collections.abc import Callable, Sequence
import itertools
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxsynth.metrics.score import clopper_pearson, Share
from jaxsynth.metrics.tables import column as columns
from jaxsynth.metrics.tables.column import Column

FEW = 64  # distinct numbers of a column that is looked at as classes are
TELLING = .01  # share of rows that would break a rule if columns were independent
Kind = Literal['range', 'order', 'decides', 'pairs', 'given']
KINDS: dict[Kind, str] = {
    'range': 'a number is between the least and the largest of train',
    'order': 'a number is not above another in any train row',
    'decides': 'a value of the one goes with one value of the other in all of train',
    'pairs': 'the two values are seen together in train',
    'given': 'an expression that was given'}


class Rule(NamedTuple):
  """A rule.

  Attributes:
    name: says it, as `education decides education-num`.
    kind: see `KINDS`. All but `pairs` are thought to hold of any real row; a real row may well be
      the first to have a pair.
    broken: of rows `[N, C]` in float64, which break it, `[N]`. A missing value breaks no rule but
      of `decides` and `pairs`, where it is a value like others.
  """
  name: str
  kind: Kind
  broken: Callable[[np.ndarray], np.ndarray]


class Violations(NamedTuple):
  """Rows that break a rule: of the synthetic ones, and of the holdout."""
  rule: Rule
  synthetic: Share
  holdout: Share


def inferred(train: Any, schema: Sequence[Column]) -> list[Rule]:
  """The rules that all train rows keep, and that say something.

  Ranges of numbers; `a <= b` of two columns of numbers; `a decides b` (a functional dependency)
  and pairs that occur, of columns of classes and of numbers with at most 64 values. A rule that
  less than 1 % of rows would break if its columns were independent says nothing and is left out,
  so are rules of a column that is constant, and of one with fewer than ten rows a value, which
  decides others by chance.

  Args:
    train: rows `[N, C]`.
    schema: their columns.

  Raises:
    ValueError: rows that are not of the schema.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column('child', 'integer'), Column('adult', 'integer')]
  >>> [rule.name for rule in inferred([[1, 30], [40, 70], [30, 35]], schema)]
  ['child from 1 to 40', 'adult from 30 to 70', 'child <= adult']
  """
  x = columns.rows('train', train, schema)
  numbers = [j for j, column in enumerate(schema)
             if not column.discrete and not np.isnan(x[:, j]).all()]
  rules = [_range(x, j, schema) for j in numbers]
  rules += [_order(a, b, schema) for a, b in itertools.permutations(numbers, 2)
            if _ordered(x[:, a], x[:, b])]
  few = {j: values for j in range(len(schema))
         if 1 < len(values := np.unique(x[:, j])) <= max(FEW, len(schema[j].categories) + 1)
         and len(x) >= 10 * len(values)}
  for a, b in itertools.combinations(few, 2):
    rules += _together(x, (a, b), (few[a], few[b]), schema)
  return rules


def violations(rules: Sequence[Rule], synthetic: Any, holdout: Any, schema: Sequence[Column]
               ) -> list[Violations]:
  """How many rows break each rule.

  Args:
    rules: of `inferred`, or of `expressions.rule`.
    synthetic: rows `[M, C]`.
    holdout: rows `[H, C]`, real and not learned from: what is usual.
    schema: their columns.

  Raises:
    ValueError: rows that are not of the schema.
  """
  made, held = columns.rows('synthetic', synthetic, schema), columns.rows(
      'holdout', holdout, schema)
  share = lambda rule, x: clopper_pearson(int(rule.broken(x).sum()), len(x))
  return [Violations(rule, share(rule, made), share(rule, held)) for rule in rules]


def any_broken(rules: Sequence[Rule], rows: Any, schema: Sequence[Column]) -> Share:
  """Rows that break at least one of the rules."""
  x = columns.rows('rows', rows, schema)
  broken = np.zeros(len(x), bool)
  for rule in rules:
    broken |= rule.broken(x)
  return clopper_pearson(int(broken.sum()), len(x))


def _range(x: np.ndarray, j: int, schema: Sequence[Column]) -> Rule:
  low, high = np.nanmin(x[:, j]), np.nanmax(x[:, j])
  return Rule(f'{schema[j].name} from {low:,.10g} to {high:,.10g}', 'range',
              lambda rows: (rows[:, j] < low) | (rows[:, j] > high))


def _order(a: int, b: int, schema: Sequence[Column]) -> Rule:
  return Rule(f'{schema[a].name} <= {schema[b].name}', 'order',
              lambda rows: rows[:, a] > rows[:, b])


def _ordered(a: np.ndarray, b: np.ndarray) -> bool:
  """Whether a <= b in all rows, and would not be so by chance."""
  if (a > b).any():
    return False
  a, b = a[~np.isnan(a)], np.sort(b[~np.isnan(b)])
  return bool(np.searchsorted(b, a).mean() / len(b) >= TELLING)


def _together(x: np.ndarray, pair: tuple[int, int], values: tuple[np.ndarray, np.ndarray],
              schema: Sequence[Column]) -> list[Rule]:
  """That one decides the other, or else that only some of their pairs occur."""
  sizes = [len(v) + 1 for v in values]  # and one for a value that train has not

  def cells(rows: np.ndarray) -> np.ndarray:
    a, b = (_positions(rows[:, j], v) for j, v in zip(pair, values))
    return a * sizes[1] + b
  counts = np.bincount(cells(x), minlength=sizes[0] * sizes[1]).reshape(sizes)
  share = counts / len(x)
  unseen = counts == 0
  if (share.sum(1, keepdims=True) * share.sum(0, keepdims=True))[unseen].sum() < TELLING:
    return []
  broken = lambda rows: unseen.ravel()[cells(rows)]
  first, second = (schema[j].name for j in pair)
  forth, back = ((counts > 0).sum(axis).max() == 1 for axis in (1, 0))
  if forth and back:
    return [Rule(f'{first} and {second} decide each other', 'decides', broken)]
  if forth or back:
    one_way = (first, second) if forth else (second, first)
    return [Rule(' decides '.join(one_way), 'decides', broken)]
  return [Rule(f'{first} with {second}', 'pairs', broken)]


def _positions(x: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Of each value its position among sorted ones (NaN the last of them), or their number."""
  at = np.searchsorted(values, x)
  there = values[np.minimum(at, len(values) - 1)]
  return np.where((there == x) | (np.isnan(there) & np.isnan(x)), at, len(values))
