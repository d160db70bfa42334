r"""Says what the columns of a table are, or writes synthetic rows as such a table.

    python experiments/table.py --dataset=adult.csv --label_column=income --out=adult.json
    python experiments/table.py --synthetic=/tmp/adult/run --num=100000 --out=synthetic.csv

The first prints the type of each column, as it was inferred or is given by --schema, what is
missing, and what of the file is left out; --out gets it as JSON, to be changed by hand and given
to any program as --schema. The second writes the rows of a run's --workdir, an .npz file or a
prepared tfds folder as a csv: columns, their order and words are those of the file that was
learned from.
"""
import json
import pathlib

from absl import flags
import numpy as np

from common import dataset_flags, experiments, paths, program, seeds
from jaxsynth import files
from jaxsynth.data.tables import embedded
from jaxsynth.data.tables.reading import read_table
from jaxsynth.data.tables.table import Table
from jaxsynth.data.tables.writing import write_csv
from jaxsynth.evaluation.synthetic import read_synthetic
from jaxsynth.kinds import columns
from jaxsynth.kinds.columns import Column

FLAGS = flags.FLAGS


def define_flags(values: flags.FlagValues) -> None:
  """The table, or the synthetic set, and where what is said of it goes."""
  dataset_flags.define(values)
  paths.define('synthetic', None, "A run's --workdir, an .npz file or a prepared tfds folder, to "
               'be written as a csv.', values)
  paths.define('synthetic_split', None, 'Of a tfds folder; by default train.', values)
  flags.DEFINE_integer('num', None, 'Synthetic rows; a run draws as many as it has not. By default '
                       'what is there.', lower_bound=1, flag_values=values)
  paths.define('out', None, 'File of the schema, or of the synthetic rows.', values)
  seeds.define(values, 'Of which rows, where --num are fewer than there are.')
  flags.register_multi_flags_validator(
      ['synthetic', 'out'], lambda f: f['synthetic'] is None or f['out'] is not None,
      '--synthetic: name the csv by --out', flag_values=values)


def main() -> None:
  if FLAGS.synthetic is not None:
    synthetic = read_synthetic(
        FLAGS.synthetic, split=FLAGS.synthetic_split, num=FLAGS.num, seed=FLAGS.seed or 0,
        load_run=experiments.load).examples
    if synthetic.kind is None:
      raise ValueError(f'--synthetic={FLAGS.synthetic}: images, and no rows of a table')
    write_csv(FLAGS.out, synthetic.kind, synthetic.values, synthetic.labels)
    program.done(pathlib.Path(FLAGS.out))
    return
  name = FLAGS.dataset
  table = (embedded.embedded(name, FLAGS.label_column) if name in embedded.NAMES else
           read_table(name, schema=FLAGS.schema, label_column=FLAGS.label_column,
                      unseen=FLAGS.unseen))
  print(f'{name}: {len(table.rows):,} rows, {len(table.schema)} columns' + (
      '' if table.labels is None else f' and a label of {len(table.names)} classes'))
  for j, column in enumerate(table.schema):
    print(f'  {column.name:24}{column.type:10}{said(column, table.rows[:, j])}')
  for line in (*labels(table), *(f'note: {note}' for note in table.notes)):
    print(f'  {line}')
  if FLAGS.out is not None:
    with files.write_aside(pathlib.Path(FLAGS.out)) as f:
      f.write(schema_text(table).encode())
    program.done(pathlib.Path(FLAGS.out))


def said(column: Column, values: np.ndarray) -> str:
  """What there is in a column."""
  there = values[~np.isnan(values)]
  lacking = len(values) - len(there)
  if column.discrete:
    text = f'{len(column.categories)} classes'
  elif column.type == 'date':
    days = (there[[there.argmin(), there.argmax()]].astype(int) + columns.EPOCH).astype(str)
    text = ' to '.join(days)
  else:
    text = f'{there.min():g} to {there.max():g}, {len(np.unique(there)):,} values'
  return text + (f', {lacking:,} missing' if lacking else '')


def labels(table: Table) -> list[str]:
  """The classes of the label, and how many rows each has."""
  if table.labels is None:
    return []
  counts = np.bincount(table.labels, minlength=len(table.names))
  shares = ', '.join(f'{name} {n:,}' for name, n in zip(table.names, counts))
  return [f'{table.label.name if table.label else "label":24}label     {shares}']


def schema_text(table: Table) -> str:
  """The schema as JSON, a line a column; the label stands where the file has it."""
  entries = columns.to_json(table.schema)
  if table.label is not None:
    entries.insert(table.label.place, {'name': table.label.name, 'type': 'category',
                                       'categories': list(table.names)})
  return '[\n' + ',\n'.join(' ' + json.dumps(entry) for entry in entries) + '\n]\n'


if __name__ == '__main__':
  program.run(main, define_flags)
