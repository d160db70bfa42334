"""The rows of a table as examples."""
import pathlib

from absl import logging
import numpy as np

from jaxsynth.data.kinded import KindSource
from jaxsynth.data.tables import embedded, splits
from jaxsynth.data.tables.reading import read_table
from jaxsynth.data.tables.table import Table
from jaxsynth.kinds import row_kind


def table_source(dataset: str, split: str = 'train', *, schema: str | None = None,
                 label_column: str | None = None, unseen: str = 'refuse',
                 like: tuple[str, str] | None = None) -> KindSource:
  """The rows of a split; what a model sees of them is fitted on train.

  Args:
    dataset: a file, see `reading.read_table`, or a table of `embedded`.
    split: see `splits.positions`.
    schema: a file of JSON, see `reading.read_table`.
    label_column: as there.
    unseen: as there.
    like: the table of which `dataset` is another part, and the split of it that is learned from.

  Raises:
    FileNotFoundError, ValueError, ImportError: as `read_table`, `splits.positions`,
      `row_kind.fit` and `embedded`.

  >>> source = table_source('breast_cancer', 'test')
  >>> source.size, source.kind.shape, source.class_names
  (132, (30,), ('malignant', 'benign'))
  """
  first = like[0] if like else dataset
  whole = (embedded.embedded(first, label_column) if first in embedded.NAMES else
           read_table(first, schema=schema, label_column=label_column, unseen=unseen))
  name = pathlib.Path(dataset).name
  if len(whole.rows) < 2:
    raise ValueError(f'{name}: one row; expected at least 2, to learn from and to be judged by')
  for note in whole.notes:
    logging.info('%s: %s', pathlib.Path(first).name, note)
  learned = like[1] if like else split
  learned = 'all' if learned.split('[')[0] == 'all' else 'train'
  settings = row_kind.fit(whole.rows[splits.positions(len(whole.rows), learned)], whole.schema,
                          name)
  part = whole if like is None else read_table(dataset, schema=schema, like=whole, unseen=unseen)
  return _source(part, settings, splits.positions(len(part.rows), split), name)


def _source(table: Table, settings: dict, positions: np.ndarray, name: str) -> KindSource:
  names = table.names or None
  count = None if table.labels is None else len(table.names)
  settings = settings if table.label is None else {**settings, 'label': list(table.label)}
  kind = row_kind.of_settings(settings, count, names)
  return KindSource(np.ascontiguousarray(table.rows[positions]),
                    None if table.labels is None else table.labels[positions], count, name, kind,
                    names)
