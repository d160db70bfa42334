"""Times the step of every training that is shipped, on the machine's first device.

    python experiments/benchmarks/steps.py --batch_sizes=own,1024 --dtypes=float32,bfloat16

On an otherwise idle machine. Batches are noise that the device holds, and steps are queued
without waiting for one another, as the training loop queues them, so this is what a training
comes to whose data arrive in time. Beside an H100's images/s stands what plan.py predicts of it.
Prints a line a step, with GFLOP/s as `cost.py` counts them, then a JSON line each.
"""
from collections.abc import Sequence
import json
import pathlib
import statistics
import sys
import time
from typing import Any

from absl import flags
import jax

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import chips
from common import program
import cost
import settings as settings_
import this_machine

FLAGS = flags.FLAGS


def define_flags(values: flags.FlagValues) -> None:
  """Which steps, and how long each is timed."""
  flags.DEFINE_list('models', 'all', 'Programs, flagfiles without .flags, or classifier.',
                    flag_values=values)
  flags.DEFINE_list('batch_sizes', 'own', 'Images a step; own is what the training has.',
                    flag_values=values)
  flags.DEFINE_list('dtypes', 'float32', 'Of the computation.', flag_values=values)
  flags.DEFINE_integer('repeats', 5, 'Of each time, whose median counts.', lower_bound=1,
                       flag_values=values)
  flags.DEFINE_float('seconds', .5, 'That a repeat takes, about.', lower_bound=1e-3,
                     flag_values=values)


def seconds_of(algorithm: Any, shapes: tuple[Any, Any, Any]) -> list[float]:
  """Of a step, once a repeat."""
  state, step = this_machine.started(algorithm, shapes)

  def timed(state: Any, steps: int) -> tuple[Any, float]:
    start = time.perf_counter()
    for _ in range(steps):
      state, _ = step(state)
    jax.block_until_ready(state)
    return state, (time.perf_counter() - start) / steps

  state, _ = timed(state, 2)  # compiles
  state, each = timed(state, 3)
  steps, seconds = max(2, round(FLAGS.seconds / each)), []
  for _ in range(FLAGS.repeats):
    state, each = timed(state, steps)
    seconds.append(each)
  return seconds


def row_of(setting: settings_.Setting, size: int, dtype: str) -> dict[str, Any]:
  """All numbers of one step."""
  algorithm, shapes = settings_.step_of(setting, size, dtype)
  counted = cost.of_step(algorithm.step, shapes)
  seconds = seconds_of(algorithm, shapes)
  middle = statistics.median(seconds)
  kind = jax.devices()[0].device_kind
  on = [chip for chip in chips.CHIPS if chip.name in kind]
  predicted = {chip.name: size / chips.predicted(counted, chip).total for chip in on}
  return {'name': setting.name, 'batch_size': size, 'dtype': dtype, 'device': kind,
          'seconds': middle, 'least': min(seconds), 'most': max(seconds),
          'images_per_s': size / middle, 'gflops': counted.flops / middle / 1e9,
          'predicted_images_per_s': predicted}


def main() -> None:
  shipped = settings_.shipped()[0]
  names = [setting.name for setting in shipped]
  asked: Sequence[str] = names if FLAGS.models == ['all'] else FLAGS.models
  if wrong := sorted(set(asked) - set(names)):
    raise ValueError(f'--models: {wrong}, expected some of {names}')
  if wrong := [size for size in FLAGS.batch_sizes if size != 'own' and not size.isdecimal()]:
    raise ValueError(f'--batch_sizes: {wrong}, expected own, or integers')
  rows = []
  for setting in shipped:
    for size in FLAGS.batch_sizes if setting.name in asked else ():
      for dtype in FLAGS.dtypes:
        row = row_of(setting, setting.config['batch_size'] if size == 'own' else int(size), dtype)
        rows.append(row)
        print(f'{row["name"]:24}{row["batch_size"]:6} {dtype:9}{row["seconds"] * 1e3:9.3f} ms'
              f'{row["images_per_s"]:10.0f} images/s{row["gflops"]:8.0f} GFLOP/s  '
              f'{({k: round(v) for k, v in row["predicted_images_per_s"].items()}) or ""}',
              flush=True)
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  program.run(main, define_flags)
