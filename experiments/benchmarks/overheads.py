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
from typing import Any, TypeVar

from absl import flags
import jax
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import experiments, program
from jaxsynth import checkpoint, data, parallel, runs
from jaxsynth.data.kinded import kind_of
from jaxsynth.runs.artist import Artist
from jaxsynth.tensorboard import TensorBoard

FAMILY = experiments.program('mnist_dcgan')
FLAGS = flags.FLAGS
Name = TypeVar('Name')


def define_flags(values: flags.FlagValues) -> None:
  """The flags of the experiment, and of the timing."""
  FAMILY.define_flags(values)
  values.set_default('workdir', '/nonexistent')  # the flag is required; nothing is kept
  flags.DEFINE_integer('rounds', 12, 'Turns of each.', lower_bound=1, flag_values=values)
  flags.DEFINE_list('fused', '1,8,32', 'Steps in one call.', flag_values=values)


def opened(config: Mapping[str, Any]) -> tuple[data.Source, runs.Run]:
  """The data and the model that the flags name."""
  source = data.open_dataset(data.DatasetSpec.of(config))
  return source, FAMILY.build(config, runs.About(
      source.image_shape, source.num_classes, name=source.name, kind=kind_of(source)))


def clocked(f: Callable) -> float:
  """Seconds of one call, to its end."""
  start = time.perf_counter()
  jax.block_until_ready(f())
  return time.perf_counter() - start


class Steps:
  """A run's step on batches, `fused` of them a call."""

  def __init__(self, config: dict, batches, fused: int = 1):
    source, run = opened(config)
    algorithm = run.algorithm(parts=config['accumulate'])
    self._compiled = parallel.compiled(algorithm.step, 'jit', jax.devices()[:1],
                                       phases=run.phases, steps_per_call=fused)
    self._key, self._batches = jax.random.key(0), batches
    self.state = self._compiled.put_state(jax.jit(algorithm.init)(
        self._key, data.to_float(source.take(np.arange(8)))))
    jax.block_until_ready(self())

  def __call__(self):
    self.state, metrics = self._compiled.step(self.state, next(self._batches), self._key)
    return metrics


def batches_of(config: Mapping[str, Any]) -> Callable[[int], Mapping[str, Any]]:
  """Step to batch, as the experiment has them."""
  source, run = opened(config)
  return data.batch_at(source, config['batch_size'], 0, phases=run.phases)


def constant(config: dict, fused: int = 1):
  """One batch on the device, for ever."""
  batch = data.to_float(jax.tree.map(jax.device_put, dict(batches_of(config)(0))))
  if fused > 1:
    batch = jax.tree.map(lambda x: jax.device_put(np.stack([x] * fused)), batch)
  while True:
    yield batch


def pipeline(config: dict):
  """The experiment's own batches."""
  batch_at = batches_of(config)
  return data.prefetch(lambda k: data.to_float(jax.tree.map(jax.device_put, dict(batch_at(k)))))


def by_turns(cases: Mapping[Name, Callable], rounds: int) -> dict[Name, list[float]]:
  """Seconds of every case, one call each by turns."""
  seconds: dict[Name, list[float]] = {name: [] for name in cases}
  for _ in range(rounds):
    for name, case in cases.items():
      seconds[name].append(clocked(case))
  return seconds


def chores(config: dict, folder: pathlib.Path, steps: Steps) -> dict[str, float]:
  """Seconds of one grid, one drawing of --num_synthetic images, and one checkpoint."""
  source, run = opened(config)
  (folder / 'samples').mkdir()
  board = TensorBoard(folder / 'tensorboard') if config['tensorboard'] else None
  artist = Artist(folder, run, source, config['seed'], jax.random.key(1), board)
  manager = checkpoint.CheckpointManager(folder / 'checkpoints')
  host: Callable = functools.partial(jax.tree.map, np.asarray)
  try:
    artist.show(0, steps.state)  # compiles
    seconds = {'grid': min(clocked(lambda i=i: artist.show(i, steps.state)) for i in (1, 2, 3)),
               'line of metrics': min(clocked(lambda i=i: artist.scalars(i, {'loss': 1.}))
                                      for i in (1, 2, 3)),
               'synthetic.npz': clocked(
                   lambda: artist.synthesize(steps.state, config['num_synthetic']))}
    begun = [clocked(lambda i=i: manager.save(i, steps.state)) for i in (1, 2)]
    manager.close()
    seconds['checkpoint, until training goes on'] = min(begun)
    seconds['copy of the state to the host'] = clocked(lambda: host(steps.state))
    return seconds
  finally:
    artist.close()


def main() -> None:
  config = experiments.recorded(FAMILY.define_flags, FLAGS)
  tiny = {**config, 'generator_width': 4, 'discriminator_width': 4, 'batch_size': 8}
  rows = []

  pair = {'constant batch': Steps(config, constant(config)),
          'pipeline': Steps(config, pipeline(config))}
  seconds = {name: statistics.median(s) for name, s in by_turns(pair, FLAGS.rounds).items()}
  for name, s in seconds.items():
    rows.append({'case': name, 'median_s': s, 'of_constant': s / seconds['constant batch']})
    print(f'{name:36}{s:9.4f} s  {s / seconds["constant batch"]:6.3f} of a constant batch')

  for title, networks in (('article', config), ('tiny', tiny)):
    cases = {k: Steps(networks, constant(networks, k), k) for k in map(int, FLAGS.fused)}
    rounds = FLAGS.rounds if title == 'tiny' else max(2, FLAGS.rounds // 4)
    for k, times in by_turns(cases, rounds).items():
      each = statistics.median(times) / k
      rows.append({'case': f'{title}, {k} a call', 'median_s': each, 'rounds': rounds})
      print(f'{f"{title}, {k} steps a call":36}{each:9.5f} s a step')

  step = seconds['pipeline']
  intervals = {'grid': 'sample_every', 'line of metrics': 'log_every',
               'checkpoint, until training goes on': 'checkpoint_every'}
  with tempfile.TemporaryDirectory() as folder:
    for name, s in chores(config, pathlib.Path(folder), pair['pipeline']).items():
      steps_between = config[intervals.get(name, 'steps')]
      share = s / step / steps_between if steps_between else 0.
      rows.append({'case': name, 's': s, 'share_of_run': share})
      print(f'{name:36}{s:9.4f} s  {share:7.3%} of a run')
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
  rows.append({'case': 'peak', 'peak_mb': peak})
  print(f'{"most memory held":36}{peak:9.0f} MB')
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  program.run(main, define_flags)
