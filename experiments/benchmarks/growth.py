"""How the article's step grows with batch size and width: a table and a plot.

    python experiments/benchmarks/growth.py --figure=experiments/figures/growth.png

Prints images/s, FLOPs a step (XLA's count) and memory, and last one JSON line a row.
"""
import json
import pathlib
import statistics
import sys

from absl import app, flags
import race

BATCH_SIZES = flags.DEFINE_list('batch_sizes', '16,64,256,1024', 'Images a step.')
WIDTHS = flags.DEFINE_list('widths', '32,64,128,256', 'Channels of both networks.')
STEPS = flags.DEFINE_integer('steps', 3, 'Timed steps of each.', lower_bound=1)
FIGURE = flags.DEFINE_string('figure', None, 'PNG to write; needs matplotlib.')


def measure(width: int, batch: int) -> dict:
  """One setting, in a process of its own, so that memory is its own."""
  command = [sys.executable, str(race.PEERS / 'jaxsynth_dcgan.py'),
             f'--width={width}', f'--batch={batch}', '--warm_up=1']
  seconds, about, peak_mb = race.race({'jaxsynth': command}, STEPS.value)['jaxsynth']
  median = statistics.median(seconds)
  return {'width': width, 'batch': batch, 'median_s': median, 'min_s': min(seconds),
          'images_per_s': batch / median, 'gflop_per_step': about['flops'] / 1e9,
          'gflops': about['flops'] / median / 1e9, 'peak_mb': peak_mb}


def draw(rows: list[dict], path: pathlib.Path) -> None:
  """Images/s against batch size, a line for each width."""
  try:
    import matplotlib
  except ImportError as error:
    raise SystemExit("--figure needs matplotlib: pip install 'jaxsynth[report]'") from error
  matplotlib.use('Agg')
  from matplotlib import pyplot as plt
  figure, axes = plt.subplots(figsize=(5, 3.2), layout='constrained')
  for width in sorted({row['width'] for row in rows}):
    line = [row for row in rows if row['width'] == width]
    axes.plot([r['batch'] for r in line], [r['images_per_s'] for r in line], 'o-',
              label=f'width {width}')
  axes.set(xscale='log', yscale='log', xlabel='batch size', ylabel='images/s')
  batches = sorted({row['batch'] for row in rows})
  axes.set_xticks(batches, [str(b) for b in batches])
  axes.minorticks_off()
  axes.grid(alpha=0.3)
  axes.legend(frameon=False, ncols=4, loc='lower center', bbox_to_anchor=(0.5, 1),
              columnspacing=1, handlelength=1.2)
  figure.savefig(path, dpi=120)


def main(argv: list[str]) -> None:
  del argv
  rows = []
  print(f'{"width":>6}{"batch":>7}{"median s":>10}{"images/s":>10}{"GFLOP/step":>12}'
        f'{"GFLOP/s":>9}{"MB":>7}')
  for width in map(int, WIDTHS.value):
    for batch in map(int, BATCH_SIZES.value):
      row = measure(width, batch)
      rows.append(row)
      print(f'{width:6}{batch:7}{row["median_s"]:10.4f}{row["images_per_s"]:10.0f}'
            f'{row["gflop_per_step"]:12.2f}{row["gflops"]:9.0f}{row["peak_mb"]:7.0f}',
            flush=True)
  if FIGURE.value:
    draw(rows, pathlib.Path(FIGURE.value).expanduser())
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)
