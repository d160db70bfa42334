"""The flags and the program that every family of models shares."""
from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import pathlib
import sys
import time
from typing import Any

from absl import flags
import jax
import jax.numpy as jnp
import optax

from common import (
    clock, dataset_flags, errors, experiments, machine, paths, privacy_flags, processes, program,
    seed_runs, seeds)
from jaxsynth import data, hosts, parallel, runs
from jaxsynth.data import canaries
from jaxsynth.data.kinded import kind_of
from jaxsynth.files import CheckpointError
from jaxsynth.runs import folder as folders, record as records
from jaxsynth.runs.train import train

Build = Callable[[Mapping[str, Any], runs.About], runs.Run]
DTYPES = {'float32': jnp.float32, 'bfloat16': jnp.bfloat16}
positive = dataset_flags.positive


def define(values: flags.FlagValues) -> None:
  """Defines the flags of the data, the run, the optimizers' schedule, and the devices."""
  dataset_flags.define(values)
  number, choice, yes = flags.DEFINE_integer, flags.DEFINE_enum, flags.DEFINE_bool
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  paths.define('workdir', None, 'Folder of all outputs; made if missing.', values, required=True)
  yes('fresh', False, 'Remove the run in --workdir and start anew.', flag_values=values)
  seeds.define(values, 'Of everything random.')
  seed_runs.define(values)

  number('steps', 3000, 'Steps of the whole run.', **at_least(1))
  number('batch_size', 64, 'Images a step, all devices together.', **at_least(1))
  number('accumulate', 1, 'Parts that a step takes its batch in, to save memory; not where the '
         'loss of a batch is no mean over examples, as with batch normalisation.', **at_least(1))
  choice('schedule', 'constant', ['constant', 'cosine'], 'Of all learning rates, over --steps.',
         flag_values=values)
  flags.DEFINE_float('ema_decay', 0.99, 'Of the averaged model.', upper_bound=1, **at_least(0))
  number('canaries', 0, 'Random examples of which a coin plants each into the data or not, for '
         'evaluate.py --audit; canaries.json says which. 0 for none.', **at_least(0))
  yes('conditional', False, 'Give the model the label.', flag_values=values)
  choice('dtype', 'float32', ['float32', 'bfloat16'], 'Of the computation.', flag_values=values)

  choice('parallel', 'jit', ['jit', *parallel.MANY], 'How steps compile; fsdp '
         'divides the state over the devices too.',
         flag_values=values)
  number('devices', 1, 'How many, of all processes together; on CPU they are virtual.',
         **at_least(1))
  processes.define(values)
  number('steps_per_call', 1, 'Steps fused into one compiled call; intervals must be multiples '
         'of it.', **at_least(1))
  yes('compilation_cache', True, 'Keep compiled programs between runs.', flag_values=values)

  number('log_every', 10, 'Steps between lines of metrics.jsonl.', **at_least(1))
  number('sample_every', 200, 'Steps between sample grids; 0: at the end.', **at_least(0))
  number('checkpoint_every', 500, 'Steps between checkpoints; the last step always has one.',
         **at_least(1))
  number('keep_every', 0, 'Steps between checkpoints that stay, a multiple of --checkpoint_every; '
         '0 for the two newest alone.', **at_least(0))
  number('eval_every', 0, 'Steps between lines of scores.jsonl, each with a checkpoint, of '
         'which the best is kept; 0 for none.', **at_least(0))
  number('eval_samples', 2000, 'Synthetic images that are scored.', **at_least(200))
  paths.define('eval_split', None, 'Real images that they are scored against: a split, a folder or '
               'an .npz file; by default the validation split.', values)
  yes('tensorboard', True, 'Write event files.', flag_values=values)
  choice('on_collapse', 'warn', ['warn', 'stop', 'rollback'], 'What is done when the metrics say '
         'that it learns no more: a warning, an end, or going back with lower rates.',
         flag_values=values)
  number('num_synthetic', 1000, 'Images of synthetic.npz; 0: none.', **at_least(0))
  privacy_flags.define(values)
  flags.register_validator('ema_decay', lambda x: x < 1, 'expected less than 1',
                           flag_values=values)
  flags.register_multi_flags_validator(
      ['devices', 'parallel'], lambda f: f['devices'] == 1 or f['parallel'] != 'jit',
      '--devices above 1 needs --parallel=pmap, sharded or fsdp', flag_values=values)
  flags.register_multi_flags_validator(
      ['devices', 'batch_size', 'accumulate'],
      lambda f: f['batch_size'] % (f['devices'] * f['accumulate']) == 0,
      '--batch_size must be a multiple of --devices times --accumulate', flag_values=values)
  flags.register_multi_flags_validator(
      ['keep_every', 'checkpoint_every'], lambda f: f['keep_every'] % f['checkpoint_every'] == 0,
      '--keep_every must be a multiple of --checkpoint_every', flag_values=values)
  flags.register_multi_flags_validator(
      ['steps_per_call', 'steps', 'log_every', 'sample_every', 'checkpoint_every', 'eval_every'],
      lambda f: not any(f[name] % f['steps_per_call'] for name in f),
      '--steps, --log_every, --sample_every, --checkpoint_every and --eval_every must be '
      'multiples of --steps_per_call', flag_values=values)


def rate(peak: float, config: Mapping[str, Any]) -> float | optax.Schedule:
  """A learning rate that starts at `peak` and goes as `--schedule` says."""
  return peak if config['schedule'] == 'constant' else optax.cosine_decay_schedule(
      peak, config['steps'])


def between(first: float, last: float, config: Mapping[str, Any]) -> float | optax.Schedule:
  """A number that goes from one value to another as learning rates go to 0."""
  share = rate(1., config)
  return (lambda step: last + (first - last) * share(step)) if callable(share) else first


def main(define_flags: Callable[[flags.FlagValues], None], build: Build) -> None:
  """Trains what `build` makes of the flags.

  Args:
    define_flags: the family's flags, `define` among them.
    build: `(flags by name, about the data) -> Run`.
  """
  name = pathlib.Path(build.__code__.co_filename).stem
  program.run(lambda: _main(name, experiments.recorded(define_flags, flags.FLAGS), build),
              define_flags)


def _main(experiment: str, config: dict[str, Any], build: Build) -> None:
  workdir, given = pathlib.Path(flags.FLAGS.workdir), flags.FLAGS
  processes.check_same({**config, 'fresh': given.fresh, 'num_seeds': given.num_seeds})
  devices = machine.take_devices(config['devices'], config['parallel'], processes.job())
  began, seeds_ = clock.START, []
  for seed, path in seed_runs.folders(workdir, config['seed'], given.num_seeds):
    with _explained(path):
      train_in(path, experiment, {**config, 'seed': seed}, build, devices, fresh=given.fresh,
               began=began)
    began = time.perf_counter()
    seeds_.append(seed)
  if hosts.is_first():
    if len(seeds_) > 1:
      print(seed_runs.line_of(seed_runs.report(workdir, seeds_)))
    print(f'done: {workdir}')


@contextlib.contextmanager
def _explained(path: pathlib.Path) -> Iterator[None]:
  """Errors of a training as messages that say what stays and what to do."""
  try:
    yield
  except CheckpointError as error:
    raise CheckpointError(f'{error}: --fresh') from error
  except FloatingPointError as error:
    raise SystemExit(f'{error}\nThe checkpoints before it stay.') from error
  except runs.collapse.Collapsed as error:
    raise SystemExit(f'{error}\nThe checkpoints before it stay; --on_collapse=rollback goes back '
                     f'to one, with lower rates, {runs.collapse.MOST} times at most') from error
  except runs.Preempted as error:
    print(f'{error}; the same command goes on', file=sys.stderr)
    raise SystemExit(program.PREEMPTED) from error
  except KeyboardInterrupt as error:
    raise SystemExit(f'stopped; {_next(path)}') from error
  except OSError as error:
    if not _steps(path):  # nothing was trained: a path or a data set is wrong
      raise
    raise SystemExit(f'{errors.message(error)}\n{_next(path)}') from error


def _steps(path: pathlib.Path) -> list[int]:
  """Of the checkpoints in a run's folder, rising."""
  return sorted(int(x.name) for x in path.glob('checkpoints/*') if x.name.isdigit())


def _next(path: pathlib.Path) -> str:
  steps = _steps(path)
  return (f'the same command goes on from the checkpoint of step {steps[-1]}' if steps else
          'there was no checkpoint yet, so the same command starts anew')


def train_in(path: pathlib.Path, experiment: str, config: dict[str, Any], build: Build,
             devices: Sequence[jax.Device], *, fresh: bool = False,
             began: float = clock.START) -> None:
  """Trains what `build` makes of the flags in a folder, or goes on with the run in it.

  Args:
    path: the folder; made if missing.
    experiment: name of the program that `build` is of.
    config: all its flags but those of the folder, as JSON holds them.
    build: `(flags by name, about the data) -> Run`.
    devices: as many as the flags say.
    fresh: whether a run in the folder is removed first.
    began: when, to tell how long the first step took.

  Raises:
    runs.RunError: another run is in the folder, or in use.
    As `jaxsynth.runs.train.train`.
  """
  settings, spec = runs.Settings.of(config), data.DatasetSpec.of(config)
  config = {**config, **spec.places}
  source, record = hosts.everywhere(lambda: _opened(path, experiment, config, spec, devices, fresh))
  hosts.check_same({f'data {name}': x for name, x in record['data'].items() if name != 'name'})
  kind = kind_of(source)
  run = build(config, runs.About(kind.shape, source.num_classes,
                                 parallel.axis_name(settings.parallel), source.name, kind))
  run = privacy_flags.applied(run, config, settings, source, None if fresh else path)
  with contextlib.ExitStack() as stack:
    hosts.everywhere(lambda: stack.enter_context(folders.opened(path, fresh=fresh))
                     if hosts.is_first() else None)
    processes.check_shared(path)
    before = hosts.first(lambda: (records.read_record(path) if (path / records.NAME).exists()
                                  else None))
    if before is not None:
      records.check_same_run(before, record, experiments.config_of(before))
      record['data'].update(before['data'])  # data that were moved keep their name
    hosts.first(lambda: canaries.write(path, source))
    train(run, source, settings, path, record=record, spec=spec, devices=devices,
          began=began)


def _opened(path: pathlib.Path, experiment: str, config: dict[str, Any], spec: data.DatasetSpec,
            devices: Sequence[jax.Device], fresh: bool) -> tuple[data.Source, dict[str, Any]]:
  """The data, and what config.json is to say."""
  there = not fresh and (path / records.NAME).exists()
  source = records.open_data(spec, records.read_record(path) if there else None)
  return (canaries.planted(source, config['canaries'], config['seed']),
          records.record(experiment, config, source, devices))
