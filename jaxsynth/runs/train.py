"""Training in a folder: from its newest checkpoint or from the start, to the last step."""
from collections.abc import Mapping, Sequence
import contextlib
import pathlib
import time
from typing import Any

import jax
import numpy as np

from jaxsynth import checkpoint, data, files, hooks, loop, parallel
from jaxsynth.data import examples, roles, spec as specs
from jaxsynth.data.origin import is_synthetic
from jaxsynth.metrics import features
from jaxsynth.runs import folder as folders, record as records, scores
from jaxsynth.runs.artist import Artist
from jaxsynth.runs.preemption import Preemption
from jaxsynth.runs.record import RunError
from jaxsynth.runs.run import Keys, keys_of, Run
from jaxsynth.runs.settings import Settings
from jaxsynth.tensorboard import TensorBoard
from jaxsynth.types import TrainState

LOOKED_AT = 256  # images, at least, by which data are found not to fit a model


def train(run: Run, source: data.Source, settings: Settings, folder: pathlib.Path, *,
          record: Mapping[str, Any], spec: data.DatasetSpec,
          devices: Sequence[jax.Device] | None = None, began: float | None = None) -> None:
  """Trains a model in a folder; the same call resumes it, and ends with the same bits.

  The folder, `folder.opened`, gets config.json, metrics.jsonl, timings.jsonl, samples/*.png,
  TensorBoard events, checkpoints, with `eval_every` scores.jsonl, and at the end
  synthetic.npz.

  Args:
    run: the model.
    source: what it learns from.
    settings: how.
    folder: of the run, held by this process.
    record: what config.json is to say, `record.record`.
    spec: what `source` is, for the split that scores are taken against.
    devices: by default the first ones, as many as the settings say.
    began: `time.perf_counter()` when the process began, to tell how long the first step took.

  Raises:
    RunError: data that the model cannot learn from, a number of steps that the run has passed
      already, or no split for scores.
    FloatingPointError: a metric or a pixel is not finite.
    checkpoint.CheckpointError: there are checkpoints, and none is whole.
    OSError: something cannot be written; what was finished stays.
    Preempted: SIGTERM came; the step has a checkpoint, and the same call goes on from there.
  """
  devices = jax.devices()[:settings.devices] if devices is None else devices
  looked_at = source.take(np.arange(0, source.size, max(1, source.size // LOOKED_AT)))
  if misfit := run.misfit(looked_at['image']):
    raise RunError(f'{source.name}: {misfit}')
  algorithm = run.algorithm(parallel.axis_name(settings.parallel), settings.accumulate)
  keys = keys_of(settings.seed)
  first = data.to_float(source.take(np.arange(min(source.size, 8))))
  # it runs once: on CPUs compiling takes a third of the time so, and the bits are the same
  quick = {'xla_backend_optimization_level': 1} if devices[0].platform == 'cpu' else None
  state = jax.jit(algorithm.init, compiler_options=quick)(keys.init, first)
  step = parallel.compiled(algorithm.step, settings.parallel, devices, phases=run.phases,
                           steps_per_call=settings.steps_per_call, like=state)
  scored = settings.eval_every or (folder / scores.NAME).exists()
  with contextlib.ExitStack() as stack:
    manager = checkpoint.CheckpointManager(folder / 'checkpoints',
                                           best=scores.BEST if scored else None)
    stack.callback(manager.close)
    restored = manager.restore(state)
    state = step.put_state(state if restored is None else restored)
    start = int(state.step)
    if start > settings.steps or (settings.steps - start) % settings.steps_per_call:
      raise RunError(
          f'--steps={settings.steps} --steps_per_call={settings.steps_per_call}, but the run is at '
          f'step {start} already: expected whole calls from there')
    if start < settings.steps:
      manager.check_room(state)
    folders.prepare(folder)
    for name in ('metrics.jsonl', 'timings.jsonl', scores.NAME):
      files.keep_rows(folder / name, start)
    board = TensorBoard(folder / 'tensorboard', start) if settings.tensorboard else None
    artist = Artist(folder, run, source, settings.seed, keys.samples, board)
    stack.callback(artist.close)
    curve = _curve(source, settings, folder, keys, spec, artist)
    records.write_record(folder, record)
    rows = hooks.Records(folder / 'metrics.jsonl', settings.log_every, also=artist.scalars)

    def save(at_step: int, state: TrainState, values: dict[str, float] | None = None) -> None:
      rows.flush()  # so that no line before a checkpoint is lost
      artist.flush()
      manager.save(at_step, state, values)

    evaluations: list[loop.Hook] = [] if curve is None else [hooks.Every(
        settings.eval_every, settings.steps, lambda at_step, state: save(
            at_step, state, curve(at_step, state)))]
    chores: list[loop.Hook] = [
        rows, hooks.Every(settings.sample_every, settings.steps, artist.show), *evaluations,
        hooks.Every(settings.checkpoint_every, settings.steps, save),
        hooks.Progress(start, settings.steps, settings.batch_size * run.phases,
                       max(50, settings.log_every), folder / 'timings.jsonl',
                       began=time.perf_counter() if began is None else began)]
    batch_at = data.batch_at(source, settings.batch_size, settings.seed, phases=run.phases)
    batches = data.prefetch(
        lambda k: data.to_float(jax.tree.map(
            step.put_batch, parallel.stacked(batch_at, k, settings.steps_per_call))),
        start, stride=settings.steps_per_call)
    stack.callback(batches.close)
    with Preemption(save) as preemption:
      state = loop.run(step.step, state, batches, keys.train, settings.steps,
                       hooks=[*chores, preemption], steps_per_call=settings.steps_per_call)
    artist.synthesize(state, settings.num_synthetic)


def _curve(source: data.Source, settings: Settings, folder: pathlib.Path, keys: Keys,
           spec: data.DatasetSpec, artist: Artist) -> scores.LearningCurve | None:
  """Scores as it learns, if there are to be any.

  Raises:
    RunError: no split to score against, or one that cannot be used.
  """
  if not settings.eval_every:
    return None
  split = settings.eval_split or roles.roles(spec, train=spec.split).validation
  if split is None:
    raise RunError(f'--eval_every: {spec.dataset} has no validation split that is known; name '
                   'one, a folder or an .npz file by --eval_split')
  try:
    # who learns from synthetic images may be held against such
    held = examples.read_real_split(spec, split, synthetic_as_real=is_synthetic(spec))
    net = features.by_name('auto', held.images.shape[1:], specs.are_digits(spec))
    return scores.LearningCurve(folder, held, source, net, settings.eval_samples, settings.seed,
                                keys.scores, artist)
  except (ValueError, OSError, ImportError) as error:
    raise RunError(str(error)) from error
