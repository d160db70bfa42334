"""A private run in its folder: its batches, what it has spent, and what its files say of it."""
from collections.abc import Callable, Iterable, Mapping
import functools
import pathlib
from typing import Any

import jax
import jax.numpy as jnp

from jaxsynth import data, hosts
from jaxsynth.data import poisson_batches
from jaxsynth.keys import of_seed
from jaxsynth.privacy import ledger
from jaxsynth.runs.record import RunError
from jaxsynth.runs.run import Keys, Run
from jaxsynth.runs.settings import Settings
from jaxsynth.types import Batch, TrainState

EPSILON = 'privacy/epsilon'
NOT_COVERED = ('scores are computed from real examples without noise; the privacy of the run does '
               'not cover them')


def seed_of(folder: pathlib.Path, run: Run, settings: Settings) -> int:
  """The seed of a run's batches and noise: of a private one a secret, kept in the folder."""
  return hosts.first(lambda: ledger.secret(folder)) if run.private else settings.seed


def keys_with(keys: Keys, seed: int, run: Run) -> Keys:
  """The keys of a run, of a private one with that of its secret for its steps or its release."""
  if run.privacy is not None:
    keys = keys._replace(train=of_seed(seed))
  return keys._replace(release=of_seed(seed)) if run.private else keys


def seen_at_first(batch: Batch, run: Run) -> Batch:
  """What parameters are initialised by: of a private run shapes alone."""
  return batch if run.privacy is None else jax.tree.map(jnp.zeros_like, batch)


def batches_of(run: Run, source: data.Source, settings: Settings, seed: int, process_index: int,
               process_count: int) -> Callable[[int], Mapping[str, Any]]:
  """`k -> batch` of a run: shuffled epochs, of a private one by Poisson sampling."""
  shared: dict[str, Any] = {'phases': run.phases, 'process_index': process_index,
                            'process_count': process_count}
  if run.privacy is None:
    return data.batch_at(source, settings.batch_size, seed, **shared)
  budget = run.privacy.budget
  return poisson_batches.batch_at(source, budget.selection(run.phases), budget.rows, seed, **shared)


def guarded(batches: Iterable[Batch], folder: pathlib.Path, run: Run, settings: Settings,
            start: int) -> Iterable[Batch]:
  """The batches, of a private run each once its steps are in the ledger.

  Raises:
    RunError: the run would pass its budget.
  """
  if run.privacy is None or not hosts.is_first():
    return batches
  stretch = max(settings.checkpoint_every, settings.steps_per_call)
  try:
    book = ledger.Ledger(folder, run.privacy.budget, settings.steps, stretch)
  except ledger.LedgerError as error:
    raise RunError(str(error)) from error
  return book.guarded(batches, start, settings.steps_per_call)


def released(folder: pathlib.Path, run: Run, source: data.Source, settings: Settings, keys: Keys,
             state: TrainState) -> TrainState:
  """A new state with what the run takes of the whole data; it is in the ledger before."""
  if run.release is None:
    return state
  if run.release.promise is not None:
    promise = run.release.promise(source.size)
    hosts.first(lambda: ledger.note(folder, settings.steps, promise))
  take = functools.partial(run.release.take, source, keys.release, state.variables)
  return state._replace(variables=hosts.everywhere(take))


def recorded(record: Mapping[str, Any], run: Run, settings: Settings) -> dict[str, Any]:
  """A run's record, of a private one with what it promises."""
  if run.privacy is not None:
    return {**record, 'privacy': run.privacy.guarantee(settings.steps).to_json()}
  if run.release is not None and run.release.promise is not None:
    return {**record, 'privacy': run.release.promise(record['data']['size']).to_json()}
  return dict(record)


def of_metrics(run: Run) -> Callable[[int], dict[str, float]]:
  """What lines of metrics.jsonl say besides: epsilon that is spent."""
  plan, release = run.privacy, run.release
  if plan is not None:
    return lambda step: {EPSILON: plan.budget.about(step)}
  if release is None or release.promise is None:
    return lambda step: {}
  spent = release.promise(1).epsilon  # of data of any size, at once
  return lambda step: {EPSILON: spent}


def of_scores(run: Run) -> Callable[[int], dict[str, Any]]:
  """What lines of scores.jsonl say besides."""
  spent = of_metrics(run)
  return lambda step: {**spent(step), 'privacy/covers': NOT_COVERED} if run.private else {}


def check(folder: pathlib.Path, run: Run, settings: Settings, attempt: int) -> None:
  """Holds that a private run keeps to its budget, and takes no step again with other noise.

  Raises:
    RunError: it would pass its budget, or it went back, or would.
  """
  if run.privacy is None:
    return
  if not run.privacy.budget.affords(settings.steps):
    raise RunError(
        f'--steps={settings.steps} comes to epsilon {run.privacy.budget.after(settings.steps):.4g},'
        f' and the budget is {run.privacy.budget.epsilon:.4g}: expected fewer steps; what is '
        'spent cannot be had back, so the run stops there')
  if attempt or settings.on_collapse == 'rollback':
    raise RunError(
        f'{folder}: a private run does not go back: steps taken again with other noise tell more '
        'of the same examples, and what they cost is in no budget; leave --on_collapse=rollback '
        'out, and begin another run with other settings')
