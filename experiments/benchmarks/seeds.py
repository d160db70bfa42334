"""How classifiers of several seeds train fastest in one process: vmap, lax.map or by turns.

    python experiments/benchmarks/seeds.py --seeds=3 --steps=40

Real digits (mnist5k), the network and batch size of `experiments/downstream.py`. Every way
trains once to compile and then by turns; prints seconds a step of all seeds together, and
last one JSON line a way.
"""
import json
import pathlib
import statistics
import sys
import time
import typing

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import machine
from jaxsynth import data
from jaxsynth.downstream.train import Recipe, Together, trained

SEEDS = flags.DEFINE_integer('seeds', 3, 'How many.', lower_bound=1)
STEPS = flags.DEFINE_integer('steps', 40, 'A training.', lower_bound=1)
ROUNDS = flags.DEFINE_integer('rounds', 3, 'Trainings of each way.', lower_bound=1)


def main(argv: list[str]) -> None:
  del argv
  machine.keep_compiled()
  machine.keep_memory()
  source, seeds = data.mnist5k('train'), range(SEEDS.value)
  ways = typing.get_args(Together)

  def train(way: Together, steps: int) -> float:
    recipe = Recipe(steps, together=way)
    start = time.perf_counter()
    trained([source] * len(seeds), seeds, recipe)
    return time.perf_counter() - start

  # a training of one step costs what is not steps: tracing, compiling or reading what is compiled
  seconds: dict[str, list[float]] = {way: [] for way in ways}
  for way in ways:
    for steps in (1, STEPS.value):
      train(way, steps)  # compiles
  for _ in range(ROUNDS.value):
    for way in ways:
      once = train(way, 1)
      seconds[way].append((train(way, STEPS.value) - once) / max(1, STEPS.value - 1))
  rows = [{'name': way, 'seeds': len(seeds), 'median_s': statistics.median(s), 'min_s': min(s)}
          for way, s in seconds.items()]
  for row in rows:
    print(f'{row["name"]:8}{row["median_s"]:9.4f} s a step of {len(seeds)} seeds')
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)
