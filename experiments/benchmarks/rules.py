"""Times the rules against Pillow, which draws the same things as one would by hand.

    python experiments/benchmarks/rules.py

On an otherwise idle machine. Both take turns; ours are a block on each core, as data sets are
drawn, with everything that is known of the images, and Pillow is one thread. Prints a table of
images a second and of the largest memory of ours after a few and after many blocks, then JSON
lines.
"""
from collections.abc import Callable
import json
import pathlib
import resource
import statistics
import sys
import time
from typing import Any

from absl import flags
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import program
import pillow_rules
import planned
from jaxsynth.rules.distributions import Choice, Integers, Uniform
from jaxsynth.rules.scenes import Scenes, scenes
from jaxsynth.rules.shapes import Shapes, shapes
from jaxsynth.runs.ruled import of_rule

FLAGS = flags.FLAGS
CROWD = Shapes(image_size=(64, 64), count=Integers(5, 5), radius=Uniform(.1, .3),
               noise=Uniform(0, 8))
STREET = Scenes(weather=Choice(('clear',)))
# title, our rule, Pillow's, images of a turn of each
CASES: tuple[tuple[str, Any, Callable[[np.random.Generator], Any], int, int], ...] = (
    ('one shape, 28x28', shapes(Shapes()), lambda rng: pillow_rules.shape(Shapes(), rng),
     16384, 1000),
    ('five shapes, 64x64, noise', shapes(CROWD), lambda rng: pillow_rules.shape(CROWD, rng),
     2048, 300),
    ('a street, 120x160', scenes(STREET), lambda rng: pillow_rules.scene(STREET, rng), 128, 40))


def define_flags(values: flags.FlagValues) -> None:
  """How often."""
  flags.DEFINE_integer('repeats', 3, 'Turns.', lower_bound=1, flag_values=values)
  flags.DEFINE_integer('block', 32, 'Images computed together.', lower_bound=1,
                       flag_values=values)


def memory_mb() -> float:
  """Most memory that this process has held."""
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
  rows = []
  for title, rule, by_hand, ours, pillows in CASES:
    stream = of_rule('timed', rule).streamer(0, block=FLAGS.block)

    def draw(num: int, stream: Any = stream) -> None:
      for piece in stream(0, num):
        del piece
    draw(FLAGS.block)  # compiles
    draw(8 * FLAGS.block)
    few = memory_mb()
    times: dict[str, list[float]] = {'ours': [], 'pillow': []}
    for turn in range(FLAGS.repeats):
      start = time.perf_counter()
      draw(ours)
      times['ours'].append(ours / (time.perf_counter() - start))
      rng, start = np.random.default_rng(turn), time.perf_counter()
      for _ in range(pillows):
        by_hand(rng)
      times['pillow'].append(pillows / (time.perf_counter() - start))
    speed = {name: statistics.median(x) for name, x in times.items()}
    rows.append({'title': title, **speed, 'ratio': speed['ours'] / speed['pillow'],
                 'mb_few': few, 'mb_many': memory_mb(), 'images': ours, 'times': times})
  print(planned.table(['picture', 'images/s', 'Pillow', 'ratio', 'MB, few', 'many'], [
      [row['title'], f'{row["ours"]:,.0f}', f'{row["pillow"]:,.0f}', f'{row["ratio"]:.1f}',
       f'{row["mb_few"]:,.0f}', f'{row["mb_many"]:,.0f}'] for row in rows]))
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  program.run(main, define_flags)
