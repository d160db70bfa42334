"""Rules of rows that a person writes down."""
import ast
from collections.abc import Callable, Sequence
import itertools
import operator
import re
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics.tables.column import Column
from jaxsynth.metrics.tables.rules import Rule

ARITHMETIC: dict[type, Any] = {ast.Add: operator.add, ast.Sub: operator.sub,
                               ast.Mult: operator.mul, ast.Div: operator.truediv}
ORDER: dict[type, Any] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne}
JOINED: dict[type, Any] = {ast.And: np.logical_and, ast.Or: np.logical_or}
MARK = '_column_in_back_quotes_'
Values = Callable[[np.ndarray], Any]  # of rows [N, C] a number, or [N]


def rule(text: str, schema: Sequence[Column]) -> Rule:
  """A rule as an expression of columns that is true of every row that can be.

  It has names of columns (in back quotes where they are no Python names), numbers, texts,
  `+ - * /`, comparisons, `in (...)`, `and`, `or` and `not`. Columns of classes are compared with
  texts, by `<` in the order of their categories. A row breaks no rule of a column that it lacks.

  Args:
    text: say `` `capital-gain` == 0 or `capital-loss` == 0 ``.
    schema: the columns of the rows.

  Raises:
    ValueError: another expression, a name that no column has, or a text that is no category.

  >>> from jaxsynth.kinds.columns import Column
  >>> schema = [Column('low', 'number'), Column('kind', 'category', ('a', 'b'))]
  >>> rule("low > 0 or kind == 'a'", schema).broken(np.array([[-1., 0], [-1, 1], [np.nan, 1]]))
  array([False,  True, False])
  """
  quoted = re.findall('`([^`]*)`', text)
  places = itertools.count()
  plain = re.sub('`[^`]*`', lambda _: f'{MARK}{next(places)}', text)
  try:
    tree = ast.parse(plain.strip(), mode='eval').body
  except SyntaxError as error:
    raise ValueError(f'rule {text!r}: {error.msg}; expected an expression like age >= 18, names '
                     'that are not plain in `back quotes`') from None
  parser = _Parser(text, schema, quoted, set())
  keeps = parser.truth(tree)
  columns = sorted(parser.used)

  def broken(rows: np.ndarray) -> np.ndarray:
    with np.errstate(divide='ignore', invalid='ignore'):
      kept = np.broadcast_to(keeps(rows), len(rows))
    return ~kept & ~np.isnan(rows[:, columns]).any(1)
  return Rule(text.strip(), 'given', broken)


class _Parser(NamedTuple):
  """Of the nodes of one expression, functions of rows; it notes which columns were used."""
  text: str
  schema: Sequence[Column]
  quoted: Sequence[str]
  used: set[int]

  def truth(self, node: ast.AST) -> Values:
    """Of what is true or false of a row."""
    match node:
      case ast.UnaryOp(ast.Not(), operand):
        part = self.truth(operand)
        return lambda rows: np.logical_not(part(rows))
      case ast.BoolOp(op, values):
        return _joined(JOINED[type(op)], [self.truth(value) for value in values])
      case ast.Compare(left, ops, comparators):
        sides = [left, *comparators]
        return _joined(np.logical_and, [
            self.comparison(a, op, b) for a, op, b in zip(sides, ops, sides[1:])])
    raise self.error(node, 'something that is true or false, as age >= 18')

  def comparison(self, a: ast.AST, op: ast.cmpop, b: ast.AST) -> Values:
    """Of two sides, texts only beside a column of classes."""
    match op, b:
      case ast.In() | ast.NotIn(), ast.Tuple(members) | ast.List(members):
        inside = _joined(np.logical_or, [self.comparison(a, ast.Eq(), x) for x in members])
        return inside if isinstance(op, ast.In) else lambda rows: np.logical_not(inside(rows))
    if type(op) not in ORDER:
      raise self.error(b, '< <= > >= == != or in (...)')
    left, right, apply = self.side(a, b), self.side(b, a), ORDER[type(op)]
    return lambda rows: apply(left(rows), right(rows))

  def side(self, node: ast.AST, other: ast.AST) -> Values:
    """Of one side: of classes and their texts the positions among the categories."""
    if isinstance(node, ast.Name) and self.column(node)[1].discrete:
      if not _is_text(other):
        raise self.error(other, f'a text in quotes beside {self.column(node)[1].name}, as its '
                         'values are')
      j = self.column(node)[0]
      return lambda rows: rows[:, j]
    if not _is_text(node):
      return self.number(node)
    if not (isinstance(other, ast.Name) and self.column(other)[1].discrete):
      raise self.error(node, 'texts beside a column of classes alone')
    classes, value = self.column(other)[1].categories, ast.literal_eval(node)
    if value not in classes:
      raise self.error(node, f'one of {", ".join(classes)}')
    position = classes.index(value)
    return lambda rows: position

  def number(self, node: ast.AST) -> Values:
    """Of arithmetic."""
    match node:
      case ast.Name() if not self.column(node)[1].discrete:
        j = self.column(node)[0]
        return lambda rows: rows[:, j]
      case ast.Constant(int() | float() as value):
        return lambda rows: value
      case ast.UnaryOp(ast.USub(), operand):
        part = self.number(operand)
        return lambda rows: -part(rows)
      case ast.BinOp(left, op, right) if type(op) in ARITHMETIC:
        a, b, apply = self.number(left), self.number(right), ARITHMETIC[type(op)]
        return lambda rows: apply(a(rows), b(rows))
    raise self.error(node, 'a number, a column of numbers, or + - * / of them')

  def column(self, node: ast.Name) -> tuple[int, Column]:
    """The column that a node names, and its place."""
    name = self.name(node)
    for j, column in enumerate(self.schema):
      if column.name == name:
        self.used.add(j)
        return j, column
    raise self.error(node, f'a column: {", ".join(column.name for column in self.schema)}')

  def name(self, node: ast.Name) -> str:
    """As it was written."""
    return self.quoted[int(node.id[len(MARK):])] if node.id.startswith(MARK) else node.id

  def error(self, node: ast.AST, expected: str) -> ValueError:
    """That a part was not expected."""
    text = self.name(node) if isinstance(node, ast.Name) else ast.unparse(node)
    return ValueError(f'rule {self.text!r}: {text}, expected {expected}')


def _is_text(node: ast.AST) -> bool:
  return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _joined(join: Any, parts: Sequence[Values]) -> Values:
  return lambda rows: join.reduce([np.broadcast_to(part(rows), len(rows)) for part in parts])
