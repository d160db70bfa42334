"""Training in a folder: from its newest checkpoint or from the start, to the last step."""
from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import functools
import os
import pathlib
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth import checkpoint, data, files, hooks, hosts, loop, parallel
from jaxsynth.data import examples, roles, spec as specs
from jaxsynth.data.kinded import kind_of
from jaxsynth.data.origin import is_synthetic
from jaxsynth.metrics import features
from jaxsynth.runs import collapse, folder as folders, private, record as records, scores
from jaxsynth.runs.artist import Artist
from jaxsynth.runs.preemption import Preempted, Preemption
from jaxsynth.runs.record import RunError
from jaxsynth.runs.run import Keys, keys_of, Run
from jaxsynth.runs.settings import Settings
from jaxsynth.tensorboard import TensorBoard
from jaxsynth.types import TrainState

LOOKED_AT = 256  # examples, at least, by which data are found not to fit a model


def train(run: Run, source: data.Source, settings: Settings, folder: pathlib.Path, *,
          record: Mapping[str, Any], spec: data.DatasetSpec,
          devices: Sequence[jax.Device] | None = None, began: float | None = None) -> None:
  """Trains a model in a folder; the same call resumes it, and ends with the same bits.

  The folder, `folder.opened`, gets config.json, metrics.jsonl, timings.jsonl, samples/*.png,
  TensorBoard events, checkpoints, with `eval_every` scores.jsonl, and at the end
  synthetic.npz. Several processes (`jax.distributed`) call this together: each reads its share
  of every batch and writes its part of every checkpoint, the first writes all else.

  Args:
    run: the model.
    source: what it learns from.
    settings: how.
    folder: of the run, held by this process, or by the first of several that share it.
    record: what config.json is to say, `record.record`.
    spec: what `source` is, for the split that scores are taken against.
    devices: by default the first ones, as many as the settings say.
    began: `time.perf_counter()` when the process began, to tell how long the first step took.

  With `settings.on_collapse='rollback'` a training that has collapsed goes back to its newest
  checkpoint from before, with other randomness and lower rates; collapses.jsonl says so.

  Raises:
    RunError: data that the model cannot learn from, a number of steps that the run has passed
      already or that its privacy does not afford, or no split for scores.
    FloatingPointError: a metric or a pixel is not finite.
    collapse.Collapsed: it has collapsed, and is not to go back, or did too often.
    checkpoint.CheckpointError: there are checkpoints, and none is whole.
    OSError: something cannot be written; what was finished stays.
    Preempted: SIGTERM came; the step has a checkpoint, and the same call goes on from there.
    hosts.ProcessError: another process failed.
  """
  devices = jax.devices()[:settings.devices] if devices is None else devices
  began = time.perf_counter() if began is None else began
  while True:
    watch = collapse.Watch(run.signals, settings.on_collapse, folder)
    try:
      return _trained(run, source, settings, folder, record, spec, devices, began, watch)
    except (collapse.Collapsed, hooks.NotFinite) as error:
      if settings.on_collapse != 'rollback':
        raise
      collapsed = error if isinstance(error, collapse.Collapsed) else collapse.Collapsed(
          error.step, collapse.NOT_FINITE, watch.good)
      hosts.first(functools.partial(collapse.roll_back, folder, collapsed, settings))


def _trained(run: Run, source: data.Source, settings: Settings, folder: pathlib.Path,
             record: Mapping[str, Any], spec: data.DatasetSpec, devices: Sequence[jax.Device],
             began: float, watch: collapse.Watch) -> None:
  """Trains until the end or a collapse."""
  processes = {d.process_index for d in devices}
  hosts.everywhere(lambda: _check_fits(run, source))
  attempt = hosts.first(lambda: collapse.attempts(folder))
  private.check(folder, run, settings, attempt)
  lower = settings.on_collapse == 'rollback' or attempt
  algorithm = run.algorithm(parallel.axis_name(settings.parallel), settings.accumulate,
                            collapse.BACKOFF if lower else 1.)
  seed = private.seed_of(folder, run, settings)
  keys = private.keys_with(keys_of(settings.seed), seed, run)
  kind = kind_of(source)
  first = kind.in_model(source.take(np.arange(min(source.size, 8))))
  # it runs once: on CPUs compiling takes a third of the time so, and the bits are the same
  quick = {'xla_backend_optimization_level': 1} if devices[0].platform == 'cpu' else None
  state = jax.jit(algorithm.init, compiler_options=quick)(
      keys.init, private.seen_at_first(first, run))
  step = parallel.compiled(algorithm.step, settings.parallel, devices, phases=run.phases,
                           steps_per_call=settings.steps_per_call, like=state)
  scored = settings.eval_every or hosts.first((folder / scores.NAME).exists)
  with contextlib.ExitStack() as stack:
    manager = checkpoint.CheckpointManager(
        folder / 'checkpoints', best=scores.BEST if scored else None,
        also=lambda steps: _kept(steps, watch, settings))
    stack.push(lambda kind, error, trace: _end(manager, error))
    new = functools.partial(private.released, folder, run, source, settings, keys, state)
    state = step.put_state(_restored(manager, state, attempt, new))
    start = int(state.step)
    if start > settings.steps or (settings.steps - start) % settings.steps_per_call:
      raise RunError(
          f'--steps={settings.steps} --steps_per_call={settings.steps_per_call}, but the run is at '
          f'step {start} already: expected whole calls from there')
    if start < settings.steps:
      hosts.everywhere(lambda: manager.check_room(state))
    hosts.first(lambda: _cut_back(folder, start))
    watch.replay()
    artist = hosts.everywhere(lambda: _artist(folder, run, source, settings, keys, start)
                              if hosts.is_first() else None)
    if artist:
      stack.callback(artist.close)
    curve = hosts.everywhere(
        lambda: _curve(run, source, settings, folder, keys, spec, artist) if artist else None)
    hosts.first(lambda: records.write_record(folder, private.recorded(record, run, settings)))
    # the others hold metrics against infinity too, so that all end together
    rows = hooks.Records(folder / 'metrics.jsonl' if artist else os.devnull, settings.log_every,
                         also=lambda at_step, row: _shown(at_step, row, artist, watch),
                         beside=private.of_metrics(run))

    def save(at_step: int, state: TrainState, values: dict[str, float] | None = None) -> None:
      rows.flush()  # so that no line before a checkpoint is lost
      if artist:
        artist.flush()
      manager.save(at_step, state, values)

    def here(state: TrainState) -> TrainState:
      """What samples are drawn from, in this process alone."""
      return hosts.local(state._replace(opt_state={}))

    def show(at_step: int, state: TrainState) -> None:
      drawn_from = here(state)
      if artist:
        artist.show(at_step, drawn_from)

    def evaluate(at_step: int, state: TrainState) -> None:
      drawn_from = here(state)
      rows.flush()  # what was before it is looked at before it
      scored = hosts.first(lambda: curve(at_step, drawn_from))  # type: ignore[misc]
      watch(at_step, scored)
      save(at_step, state, scored)

    chores: list[loop.Hook] = [rows, hooks.Every(settings.sample_every, settings.steps, show)]
    if settings.eval_every:
      chores.append(hooks.Every(settings.eval_every, settings.steps, evaluate))
    chores.append(hooks.Every(settings.checkpoint_every, settings.steps, save))
    if artist:
      chores.append(hooks.Progress(
          start, settings.steps, settings.batch_size * run.phases, max(50, settings.log_every),
          folder / 'timings.jsonl', began=began))
    batch_at = private.batches_of(run, source, settings, seed,
                                  sorted(processes).index(jax.process_index()), len(processes))
    batches = data.prefetch(
        lambda k: jax.tree.map(
            step.put_batch, parallel.stacked(batch_at, k, settings.steps_per_call)),
        start, stride=settings.steps_per_call)
    stack.callback(batches.close)
    guarded = private.guarded(batches, folder, run, settings, start)
    with Preemption(save) as preemption:
      # values are converted here: what is computed on all processes' devices comes in one order
      state = loop.run(step.step, state, map(kind.in_model, guarded), step.put_key(keys.train),
                       settings.steps, hooks=[*chores, preemption],
                       steps_per_call=settings.steps_per_call)
    drawn_from = here(state)
    hosts.first(lambda: artist.synthesize(drawn_from, settings.num_synthetic) if artist else None)


def _kept(steps: list[int], watch: collapse.Watch, settings: Settings) -> Iterator[int]:
  """Steps whose checkpoints stay: those asked for, and where a collapse would go back to."""
  yield from (step for step in steps if settings.keep_every and step % settings.keep_every == 0)
  if (refuge := collapse.refuge(steps, watch.good, settings)) is not None:
    yield refuge


def _restored(manager: checkpoint.CheckpointManager, like: TrainState, attempt: int,
              new: Callable[[], TrainState]) -> TrainState:
  """The newest state, or a new one; in an attempt of its own if the run went back."""
  restored = manager.restore(like)
  state = new() if restored is None else restored
  return state._replace(attempt=jnp.full_like(state.attempt, attempt)) if attempt else state


def _shown(step: int, row: dict[str, float], artist: Artist | None, watch: collapse.Watch) -> None:
  """Shows a line of metrics to all who look at them."""
  if artist:
    artist.scalars(step, row)
  watch(step, row)


def _check_fits(run: Run, source: data.Source) -> None:
  """Raises `RunError` where some of the examples are none that the model can learn from."""
  if run.guide_step is not None:
    raise RunError(f'--guide_step={run.guide_step}: samples are guided by a checkpoint once the '
                   'run is trained; expected none here')
  looked_at = source.take(np.arange(0, source.size, max(1, source.size // LOOKED_AT)))
  if misfit := run.misfit(looked_at[kind_of(source).name]):
    raise RunError(f'{source.name}: {misfit}')


def _end(manager: checkpoint.CheckpointManager, error: BaseException | None) -> None:
  """Finishes the last checkpoint; not with other processes, if one has failed."""
  together = isinstance(error, (Preempted, collapse.Collapsed, hooks.NotFinite))
  if error is None or together or hosts.count() == 1:
    manager.close()
  else:
    manager.abandon()


def _cut_back(folder: pathlib.Path, start: int) -> None:
  """Readies the folder for a run to go on from a step."""
  folders.prepare(folder)
  for name in ('metrics.jsonl', 'timings.jsonl', scores.NAME):
    files.keep_rows(folder / name, start)


def _artist(folder: pathlib.Path, run: Run, source: data.Source, settings: Settings, keys: Keys,
            start: int) -> Artist:
  board = TensorBoard(folder / 'tensorboard', start) if settings.tensorboard else None
  return Artist(folder, run, source, settings.seed, keys.samples, board)


def _curve(run: Run, source: data.Source, settings: Settings, folder: pathlib.Path, keys: Keys,
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
    net = kind_of(source).features('auto', specs.are_digits(spec))
    classifier = features.mnist_logits() if net.name == 'mnist' else None
    return scores.LearningCurve(folder, held, source, net, settings.eval_samples, settings.seed,
                                keys.scores, artist, classifier, private.of_scores(run))
  except (ValueError, OSError, ImportError) as error:
    raise RunError(str(error)) from error
