"""The tables of a study, with their labels among the columns."""
from typing import NamedTuple

import numpy as np

from jaxsynth.data.examples import aligned, check_alike, check_disjoint, Examples, random_positions
from jaxsynth.data.kinded import kind_of
from jaxsynth.kinds import columns, row_kind
from jaxsynth.kinds.columns import Column, Schema

LEAST = 30  # rows of a table


class Tables(NamedTuple):
  """What is judged, and what by: rows float32 `[N, C]` with the label where the file has it.

  Attributes:
    synthetic: what is judged.
    train: what was learned from.
    test: rows from the same source that nothing learned from.
    schema: of all three.
    label: which column the label is, or `None`.
  """
  synthetic: np.ndarray
  train: np.ndarray
  test: np.ndarray
  schema: Schema
  label: int | None


def whole_tables(synthetic: Examples, train: Examples, test: Examples) -> Tables:
  """Puts the tables together.

  Args:
    synthetic: rows, with labels if the others have them.
    train: real rows.
    test: real rows that are not in train, but for those that are equal by chance.

  Raises:
    ValueError: examples that are no rows, fewer than 30, of other columns, or without the labels
      of the others; or test and train are the same rows.

  >>> from jaxsynth.data import DatasetSpec
  >>> from jaxsynth.data.examples import read_split
  >>> train, test = (read_split(DatasetSpec('breast_cancer'), x) for x in ('train', 'test'))
  >>> tables = whole_tables(train, train, test)
  >>> tables.test.shape[1], tables.schema[tables.label].categories
  (31, ('malignant', 'benign'))
  """
  sets = [synthetic, train, test]
  for examples in sets:
    if kind_of(examples).name != row_kind.NAME:
      raise ValueError(f'{examples.name}: {kind_of(examples).plural}, expected rows of a table')
    if len(examples.values) < LEAST:
      raise ValueError(f'{examples.name}: {len(examples.values)} rows, expected at least {LEAST}')
    check_alike(examples, train)
  lacking = [x.name for x in sets if x.labels is None]
  if 0 < len(lacking) < 3:
    raise ValueError(f'{", ".join(lacking)}: no labels, and the others have them; name the column '
                     'that the label is by --label_column')
  check_disjoint(test, train)
  settings = kind_of(train).settings
  schema = columns.of_json(settings['schema'])
  # a value may be missing in any of the sets
  lacks = np.logical_or.reduce([np.isnan(x.values).any(0) for x in sets])
  schema = tuple(column._replace(missing=column.missing or bool(missing))
                 for column, missing in zip(schema, lacks))
  if lacking:
    return Tables(synthetic.values, train.values, test.values, schema, None)
  sets, names = aligned(*sets, names=train.class_names or ())
  title, place = settings.get('label') or ('label', len(schema))
  schema = (*schema[:place], Column(title, 'category', tuple(names)), *schema[place:])
  made, learned, held = (np.insert(x.values, place, np.asarray(x.labels), 1) for x in sets)
  return Tables(made, learned, held, schema, place)


def independent(train: np.ndarray, size: int, seed: int = 0) -> np.ndarray:
  """Rows whose columns are drawn each by itself: right in each, and in nothing else.

  Args:
    train: rows `[N, C]`.
    size: how many.
    seed: of the draws.

  >>> independent(np.array([[1., 5.], [1., 5.]]), 3).tolist()
  [[1.0, 5.0], [1.0, 5.0], [1.0, 5.0]]
  """
  rng = np.random.default_rng(seed)
  return np.stack([rng.choice(values, size) for values in train.T], 1)


def some(rows: np.ndarray, most: int, seed: int = 0) -> np.ndarray:
  """At most so many of the rows, drawn at random."""
  return rows[random_positions(len(rows), most, seed)]
