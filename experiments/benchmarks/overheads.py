"""What a run costs besides its steps: data, calls, grids, logs and checkpoints.

    python experiments/benchmarks/overheads.py

Times, by turns: the step on one constant batch and on the real pipeline; K steps in
one call, for the article's networks and for tiny ones; and each chore of the
experiment once. Prints tables, and last one JSON line a row.
"""
from collections.abc import Callable, Mapping
import functools
import json
import pathlib
import resource
import statistics
import sys
import tempfile
import time
from typing import TypeVar

from absl import app, flags
import jax
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import build  # noqa: E402
from jaxsynth import checkpoint, data  # noqa: E402
import options  # noqa: E402
import outputs  # noqa: E402
import startup  # noqa: E402

Name = TypeVar('Name')
ROUNDS = flags.DEFINE_integer('rounds', 12, 'Turns of each.', lower_bound=1)
PER_CALL = flags.DEFINE_list('fused', '1,8,32', 'Steps in one call.')


def clocked(f: Callable) -> float:
  """Seconds of one call, to its end."""
  start = time.perf_counter()
  jax.block_until_ready(f())
  return time.perf_counter() - start


class Steps:
  """A run's step on batches, `fused` of them a call."""

  def __init__(self, config: dict, batches, fused: int = 1):
    source = build.source(config)
    run = build.build(config, source.image_shape, source.num_classes)
    self._compiled = build.compiled({**config, 'steps_per_call': fused}, run, jax.devices()[:1])
    self._key, self._batches = jax.random.key(0), batches
    self.state = self._compiled.state(jax.jit(run.algorithm.init)(
        self._key, data.to_float(source.take(np.arange(8)))))
    self()

  def __call__(self):
    self.state, metrics = self._compiled.step(self.state, next(self._batches), self._key)
    return metrics


def constant(config: dict, fused: int = 1):
  """One batch on the device, for ever."""
  source = build.source(config)
  batch = data.to_float(jax.tree.map(
      jax.device_put, dict(data.batch_at(source, config['batch_size'], 0)(0))))
  if fused > 1:
    batch = jax.tree.map(lambda x: jax.device_put(np.stack([x] * fused)), batch)
  while True:
    yield batch


def pipeline(config: dict):
  """The experiment's own batches."""
  at = data.batch_at(build.source(config), config['batch_size'], 0)
  return data.prefetch(lambda k: data.to_float(jax.tree.map(jax.device_put, dict(at(k)))), 0)


def by_turns(cases: Mapping[Name, Callable], rounds: int) -> dict[Name, list[float]]:
  """Seconds of every case, one call each by turns."""
  seconds: dict[Name, list[float]] = {name: [] for name in cases}
  for _ in range(rounds):
    for name, case in cases.items():
      seconds[name].append(clocked(case))
  return seconds


def chores(config: dict, folder: pathlib.Path, steps: Steps) -> dict[str, float]:
  """Seconds of one grid, one drawing of --num_synthetic images, and one checkpoint."""
  source = build.source(config)
  run = build.build(config, source.image_shape, source.num_classes)
  (folder / 'samples').mkdir()
  artist = outputs.Artist(folder, config, run, source, jax.random.key(1), 0)
  manager = checkpoint.CheckpointManager(folder / 'checkpoints')
  host: Callable = functools.partial(jax.tree.map, np.asarray)
  try:
    artist.show(0, steps.state)  # compiles
    found = {'grid': min(clocked(lambda i=i: artist.show(i, steps.state)) for i in (1, 2, 3)),
             'line of metrics': min(clocked(lambda i=i: artist.scalars(i, {'loss': 1.}))
                                    for i in (1, 2, 3)),
             'synthetic.npz': clocked(lambda: artist.synthesize(steps.state))}
    begun = [clocked(lambda i=i: manager.save(i, steps.state)) for i in (1, 2)]
    manager.close()
    found['checkpoint, until training goes on'] = min(begun)
    found['copy of the state to the host'] = clocked(lambda: host(steps.state))
    return found
  finally:
    artist.close()


def main(argv: list[str]) -> None:
  del argv
  startup.quiet()
  startup.keep_compiled()
  startup.keep_memory()
  config = options.config()
  tiny = {**config, 'generator_width': 4, 'discriminator_width': 4, 'batch_size': 8}
  rows = []

  pair = {'constant batch': Steps(config, constant(config)),
          'pipeline': Steps(config, pipeline(config))}
  seconds = {name: statistics.median(s) for name, s in by_turns(pair, ROUNDS.value).items()}
  for name, s in seconds.items():
    rows.append({'case': name, 'median_s': s, 'of_constant': s / seconds['constant batch']})
    print(f'{name:36}{s:9.4f} s  {s / seconds["constant batch"]:6.3f} of a constant batch')

  for title, own in (('article', config), ('tiny', tiny)):
    cases = {k: Steps(own, constant(own, k), k) for k in map(int, PER_CALL.value)}
    rounds = ROUNDS.value if title == 'tiny' else max(2, ROUNDS.value // 4)
    for k, found in by_turns(cases, rounds).items():
      each = statistics.median(found) / k
      rows.append({'case': f'{title}, {k} a call', 'median_s': each, 'rounds': rounds})
      print(f'{f"{title}, {k} steps a call":36}{each:9.5f} s a step')

  step = seconds['pipeline']
  every = {'grid': 'sample_every', 'line of metrics': 'log_every',
           'checkpoint, until training goes on': 'checkpoint_every'}
  with tempfile.TemporaryDirectory() as folder:
    for name, s in chores(config, pathlib.Path(folder), pair['pipeline']).items():
      share = s / step / config[every[name]] if name in every else s / step / config['steps']
      rows.append({'case': name, 's': s, 'share_of_run': share})
      print(f'{name:36}{s:9.4f} s  {share:7.3%} of a run')
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
  rows.append({'case': 'peak', 'peak_mb': peak})
  print(f'{"most memory held":36}{peak:9.0f} MB')
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  flags.FLAGS.set_default('workdir', '/nonexistent')  # the flag is required; nothing is kept
  app.run(main)
