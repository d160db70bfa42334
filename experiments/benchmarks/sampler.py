r"""Latency of an exported sampler: from numbers in to images on the host.

    python experiments/benchmarks/sampler.py --run=/tmp/quickstart --batch_sizes=1,16,256

On an otherwise idle machine. Each batch size is exported, loaded as a stranger would, and
called many times. Prints a table, then JSON lines.
"""
import json
import pathlib
import sys
import tempfile
import time

from absl import app, flags
import jax
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import experiments
from jaxsynth.synthesis import exported

RUN = flags.DEFINE_string('run', None, "A trained run's --workdir.", required=True)
BATCH_SIZES = flags.DEFINE_list('batch_sizes', '1,16,256', 'Images a call.')
SECONDS = flags.DEFINE_float('seconds', 10., 'Of each batch size.')


def latencies(folder: str, batch_size: int, num_classes: int | None, seconds: float
              ) -> np.ndarray:
  """Seconds of each call, after the first two."""
  sampler = exported.load(folder)
  labels = [] if num_classes is None else [np.arange(batch_size) % num_classes]
  seconds_each: list[float] = []
  begun = time.perf_counter()
  while time.perf_counter() - begun < seconds or len(seconds_each) < 22:
    indices = np.arange(batch_size) + len(seconds_each) * batch_size
    start = time.perf_counter()
    np.asarray(sampler(0, indices, *labels))
    seconds_each.append(time.perf_counter() - start)
  return np.array(seconds_each[2:])


def main(argv: list[str]) -> None:
  del argv
  model = experiments.load(RUN.value)
  print(f'jax {jax.__version__}, {jax.devices()}')
  print(f'{"images":>7}{"median ms":>11}{"99th ms":>9}{"calls":>7}{"images/s":>10}')
  rows = []
  for batch_size in map(int, BATCH_SIZES.value):
    with tempfile.TemporaryDirectory() as folder:
      for name, raw in exported.exported(
          model.run.sample, model.params, model.variables, batch_size=batch_size,
          conditional=model.run.num_classes is not None).items():
        pathlib.Path(folder, name).write_bytes(raw)
      measured = latencies(folder, batch_size, model.run.num_classes, SECONDS.value)
    median, worst = np.percentile(measured, (50, 99))
    rows.append({'batch_size': batch_size, 'median_s': median, 'p99_s': worst,
                 'calls': len(measured), 'images_per_s': batch_size / median})
    print(f'{batch_size:7}{median * 1e3:11.1f}{worst * 1e3:9.1f}{len(measured):7}'
          f'{batch_size / median:10,.0f}')
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)
