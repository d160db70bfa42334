"""What the baselines of tables share: the label as a column, numbers that are random, rounding."""
from collections.abc import Callable, Sequence

import numpy as np

from jaxsynth.kinds import columns
from jaxsynth.kinds.columns import Column
from jaxsynth.kinds.kind import Kind

Arrays = tuple[np.ndarray, np.ndarray | None]
OfTable = Callable[..., np.ndarray]


def of_source(drawn: OfTable, values: np.ndarray, labels: np.ndarray | None, kind: Kind, num: int,
              seed: int, *, within_classes: bool = False) -> Arrays:
  """Rows and labels by a baseline that sees the label as the last of the columns.

  Args:
    drawn: `(table, schema, num, seed) -> [num, C]`; with a `target`, which column is the label,
      if it works `within_classes`.
    values: `[N, C]`, as on disk.
    labels: integers `[N]`, or `None`.
    kind: of rows, with the labels' classes.
    num: rows to draw.
    seed: of which.
    within_classes: whether `drawn` is to know which column is the label.

  Returns:
    float32 `[num, C]`, and int32 `[num]` or `None`.
  """
  schema = columns.of_json(kind.settings['schema'])
  if labels is None:
    return drawn(values, schema, num, seed), None
  classes = kind.fields['label'].num_classes or 0
  schema = (*schema, Column(_free('label', schema), 'category', tuple(map(str, range(classes)))))
  both = drawn(np.concatenate([values, np.asarray(labels, np.float32)[:, None]], 1), schema, num,
               seed, **({'target': len(schema) - 1} if within_classes else {}))
  return np.ascontiguousarray(both[:, :-1]), both[:, -1].astype(np.int32)


def _free(name: str, schema: Sequence[Column]) -> str:
  return _free(f'{name}_', schema) if name in [column.name for column in schema] else name


def generator(num: int, seed: int) -> np.random.Generator:
  """Random numbers of a seed.

  Raises:
    ValueError: nothing is to be drawn.
  """
  if num < 1:
    raise ValueError(f'num={num}: expected at least 1 row to draw')
  return np.random.Generator(np.random.Philox(seed))


def whole(values: np.ndarray, column: Column) -> np.ndarray:
  """Values between those that there were, rounded where the column is of whole numbers or days.

  >>> whole(np.array([1.4]), Column('n', 'integer')), whole(np.array([1.4]), Column('x', 'number'))
  (array([1.]), array([1.4]))
  """
  return values if column.type == 'number' else np.round(values)
