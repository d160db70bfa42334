r"""Trains a DCGAN and writes synthetic images.

    python experiments/mnist_dcgan.py \
        --flagfile=experiments/flags/quickstart.flags --workdir=/tmp/quickstart

Into --workdir go config.json, metrics.jsonl, timings.jsonl, samples/*.png, TensorBoard
events, checkpoints, with --eval_every scores.jsonl, and at the end synthetic.npz. The same
command resumes a run that was stopped, and ends with the same bits as one never stopped.
"""
import clock  # first: it says when

import pathlib

from absl import app, flags
import jax
import numpy as np

import build
import data_options
from jaxsynth import checkpoint, data, files, hooks, loop
from jaxsynth.types import TrainState
import options
import outputs
import scorer
import startup
import workdir

for _module in (data_options, options):
  flags.adopt_module_key_flags(_module)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  config = options.config()
  startup.quiet()
  devices = startup.take_devices(config['devices'])
  if options.FLAGS.compilation_cache:
    startup.keep_compiled()
  startup.keep_memory()
  try:
    source = build.source(config)
  except (ValueError, OSError, ImportError) as error:
    raise app.UsageError(str(error)) from error
  record = outputs.record(config, source, devices)
  try:
    with workdir.opened(pathlib.Path(options.FLAGS.workdir),
                        fresh=options.FLAGS.fresh) as folder:
      workdir.check(folder, record)
      train(record, source, devices, folder)
  except checkpoint.CheckpointError as error:
    raise app.UsageError(f'{error}: --fresh') from error
  except FloatingPointError as error:
    raise SystemExit(f'{error}\nThe checkpoints before it stay.') from error
  except OSError as error:
    raise SystemExit(f'{error}\nThe same command goes on from the last checkpoint.') from error
  print(f'done: {folder}')


def train(record: dict, source: data.Source, devices: list[jax.Device],
          folder: pathlib.Path) -> None:
  """The run, from its newest checkpoint or from the start."""
  config = record['flags']
  run = build.build(config, source.image_shape, source.num_classes)
  compiled = build.compiled(config, run, devices)
  key, key_init, key_draw = jax.random.split(jax.random.key(config['seed']), 3)
  at = data.batch_at(source, config['batch_size'], config['seed'], phases=run.phases)
  first = data.to_float(source.take(np.arange(min(source.size, 8))))
  state = jax.jit(run.algorithm.init)(key_init, first)

  scored = config['eval_every'] or (folder / scorer.NAME).exists()
  manager = checkpoint.CheckpointManager(folder / 'checkpoints',
                                         best=scorer.BEST if scored else None)
  restored = manager.restore(state)
  state = compiled.state(state if restored is None else restored)
  start, steps, fused = int(state.step), config['steps'], config['steps_per_call']
  if start > steps or (steps - start) % fused:
    raise app.UsageError(f'--steps={steps} --steps_per_call={fused}, but the run is at step '
                         f'{start} already: expected whole calls from there')
  workdir.write_config(folder, record)
  for name in ('metrics.jsonl', 'timings.jsonl', scorer.NAME):
    files.keep_rows(folder / name, start)
  artist = outputs.Artist(folder, config, run, source, key_draw, start)
  records = hooks.Records(folder / 'metrics.jsonl', config['log_every'], also=artist.scalars)

  def save(step: int, state: TrainState, scores: dict[str, float] | None = None) -> None:
    records.flush()  # so that no line before a checkpoint is lost
    artist.flush()
    manager.save(step, state, scores)

  evaluations: list[loop.Hook] = []
  if config['eval_every']:
    try:
      score = scorer.Scorer(folder, config, source, artist)
    except (ValueError, OSError) as error:
      raise app.UsageError(str(error)) from error
    evaluations.append(hooks.Every(config['eval_every'], steps,
                                   lambda step, state: save(step, state, score(step, state))))

  chores: list[loop.Hook] = [
      records, hooks.Every(config['sample_every'], steps, artist.show), *evaluations,
      hooks.Every(config['checkpoint_every'], steps, save),
      hooks.Progress(start, steps, config['batch_size'] * run.phases,
                     max(50, config['log_every']), folder / 'timings.jsonl',
                     began=clock.START)]
  batches = data.prefetch(
      lambda k: data.to_float(jax.tree.map(compiled.batch, stacked(at, k, fused))),
      start, stride=fused)
  try:
    state = loop.run(compiled.step, state, batches, key, steps, hooks=chores, steps_per_call=fused)
    artist.synthesize(state)
  finally:
    batches.close()
    artist.close()
    manager.close()


def stacked(at, k: int, n: int) -> dict[str, np.ndarray]:
  """Batch `k`, or batches `k` to `k + n - 1` stacked."""
  if n == 1:
    return dict(at(k))
  each = [at(i) for i in range(k, k + n)]
  return {name: np.stack([batch[name] for batch in each]) for name in each[0]}


if __name__ == '__main__':
  app.run(main)
