r"""How long a table takes from its file to what a model sees, and in how much memory.

    python experiments/benchmarks/tables.py --table=adult.data --schema=adult.json \
        --label_column=income --rows=1000000

The rows of --table are repeated, with the numbers of the first column of whole numbers changed a
little, until there are --rows; the file is written to a temporary folder. Reading, fitting the
quantiles, and encoding to what a model sees and back are timed one after the other in a process of
their own, whose memory is that of the whole process less what it took before the file was opened.
"""
from collections.abc import Iterator
import csv
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from absl import app, flags
import jax
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from jaxsynth.data.tables import texts
from jaxsynth.data.tables.reading import given_schema, read_table
from jaxsynth.kinds import row_kind

FLAGS = flags.FLAGS
BLOCK = 65_536  # rows that are encoded at a time


def define_flags(values: flags.FlagValues) -> None:
  """The table and its size."""
  flags.DEFINE_string('table', None, 'A file of rows.', flag_values=values, required=True)
  flags.DEFINE_string('schema', None, 'What its columns are.', flag_values=values)
  flags.DEFINE_string('label_column', None, 'The label.', flag_values=values)
  flags.DEFINE_integer('rows', 1_000_000, 'Of the file that is read.', lower_bound=2,
                       flag_values=values)
  flags.DEFINE_bool('timed', False, 'Time --table as it is, in this process.', flag_values=values)


def repeated(rows: int) -> Iterator[list[str]]:
  """The rows of the table over and over, the first of their whole numbers a little larger."""
  names = [x['name'] for x in given_schema(FLAGS.schema)] if FLAGS.schema else None
  file = texts.opened(FLAGS.table, names)
  yield list(file.names)
  whole = [row for piece in texts.pieces(file) for row in zip(*piece.columns)]
  place = next(j for j, cell in enumerate(whole[0]) if cell.strip().isdigit())
  for i in range(rows):
    row = list(whole[i % len(whole)])
    row[place] = str(int(row[place]) + i // len(whole) % 7)
    yield row


def memory() -> float:
  """The most that this process has had, MB."""
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed() -> dict[str, float]:
  """Seconds of each stage, and memory."""
  seconds: dict[str, float] = {}
  before, start = memory(), (time.perf_counter(), time.process_time())

  def lap(name: str) -> None:
    nonlocal start
    now = time.perf_counter(), time.process_time()
    seconds[name], seconds[f'{name} cpu'] = now[0] - start[0], now[1] - start[1]
    start = now
  table = read_table(FLAGS.table, schema=FLAGS.schema, label_column=FLAGS.label_column)
  lap('read')
  read = memory()
  kind = row_kind.of_settings(row_kind.fit(table.rows, table.schema))
  lap('fit')
  blocks = range(0, len(table.rows), BLOCK)
  encode, decode = (jax.jit(f) for f in (kind.to_model, kind.to_disk))
  some = encode(table.rows[:BLOCK])
  jax.block_until_ready((some, decode(some)))
  lap('compile')
  seen = [encode(table.rows[i:i + BLOCK]) for i in blocks]
  jax.block_until_ready(seen)
  lap('to_model')
  for x in seen:
    jax.block_until_ready(decode(x))
  lap('to_disk')
  return {'rows': len(table.rows), **seconds, 'read_mb': read - before,
          'whole_mb': memory() - before, 'table_mb': table.rows.nbytes / 2 ** 20}


def main(_: list[str]) -> None:
  if FLAGS.timed:
    print(json.dumps(timed()))
    return
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, 'rows.csv')
    with open(path, 'w', newline='', encoding='utf-8') as f:
      csv.writer(f).writerows(repeated(FLAGS.rows))
    size = path.stat().st_size / 2 ** 20
    given = [f'--{name}={FLAGS[name].value}' for name in ('schema', 'label_column')
             if FLAGS[name].value]
    result = json.loads(subprocess.run(
        [sys.executable, __file__, f'--table={path}', '--timed', *given], check=True, text=True,
        stdout=subprocess.PIPE).stdout)
  stages = [name.removesuffix(' cpu') for name in result if name.endswith(' cpu')]
  print(f'{result["rows"]:,} rows, csv of {size:.0f} MB, jax {jax.__version__}, '
        f'{jax.devices()[0].device_kind}, numpy {np.__version__}')
  for name in stages:
    x, rate = result[name], result['rows'] / result[name] / 1e6 * 60
    print(f'{name:10}{x:8.2f} s, of them {result[f"{name} cpu"]:.2f} s of CPUs' + (
        '' if name == 'compile' else f'{rate:10.1f} million rows a minute'))
  print(f'memory: {result["read_mb"]:.0f} MB to read, {result["read_mb"] / size:.2f} times the csv '
        f'({result["table_mb"]:.0f} MB of it are the rows); {result["whole_mb"]:.0f} MB in all, '
        f'{result["whole_mb"] / size:.2f} times')


if __name__ == '__main__':
  define_flags(FLAGS)
  app.run(main)
