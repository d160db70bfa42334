"""Checkpoints of a run: asynchronous, verified, restorable on any devices.

The only file that knows Orbax.
"""
from collections.abc import Callable, Mapping
import hashlib
import os
import pathlib
import shutil
from typing import Any

from absl import logging
import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers as policies

from jaxsynth.ema import averaged
from jaxsynth.files import CheckpointError
from jaxsynth.types import PerPlayer, TrainState, Tree

AVERAGES = 'generator'  # its name on disk
ITEMS = ('state', AVERAGES, 'digest')


def digests(tree: Tree) -> dict[str, str]:
  """SHA-256 of every leaf's dtype, shape and bytes, by its path.

  It does not depend on how the leaves are laid out over devices.
  """
  def leaf_digest(leaf: Any) -> str:
    x = np.ascontiguousarray(leaf)
    return hashlib.sha256(f'{x.dtype}{x.shape}'.encode() + x.tobytes()).hexdigest()
  paths, _ = jax.tree_util.tree_flatten_with_path(tree)
  return {jax.tree_util.keystr(path): leaf_digest(leaf) for path, leaf in paths}


def averaged_players(state: TrainState) -> Mapping[str, PerPlayer]:
  """What sampling needs: the averaged players where there are any, or all."""
  params, variables = averaged(state)
  names = state.ema.get('params', params)
  return {'params': {p: params[p] for p in names},
          'variables': {p: variables[p] for p in names}}


class CheckpointManager:
  """Saves and restores a `TrainState`, and the averaged players beside it.

  A checkpoint holds three items: `state`, `generator` (the averaged players, which load
  without the rest; its name is from when all models were GANs) and `digest` (a hash of every
  leaf: Orbax restores flipped bytes without a word).

  Args:
    directory: of the checkpoints; made if missing.
    keep: how many of the newest are kept, at least 2, so that there is one to fall
      back on.
    best: name of the metric whose best checkpoint is kept too, or `None`.
    lower_is_better: the sense of `best`.

  Raises:
    ValueError: `keep` below 2.
  """

  def __init__(self, directory: str | os.PathLike, *, keep: int = 2,
               best: str | None = None, lower_is_better: bool = True):
    if keep < 2:
      raise ValueError(f'keep={keep}: expected at least 2')
    self._best = best
    self._directory = pathlib.Path(directory).absolute()
    kept: list[policies.PreservationPolicy] = [policies.LatestN(keep)]
    if best is not None:
      kept.append(policies.BestN(get_metric_fn=lambda metrics: metrics[best], n=1,
                                 reverse=lower_is_better,
                                 keep_checkpoints_without_metrics=False))
    self._manager = ocp.CheckpointManager(
        self._directory, item_names=ITEMS,
        options=ocp.CheckpointManagerOptions(
            preservation_policy=policies.AnyPreservationPolicy(kept),
            # only so that metrics are read back; the policy alone decides what is kept
            best_fn=None if best is None else lambda metrics: metrics[best],
            best_mode='min' if lower_is_better else 'max',
            cleanup_tmp_directories=True))

  def steps(self) -> list[int]:
    """Steps with a checkpoint, in order."""
    return sorted(self._manager.all_steps())

  def save(self, step: int, state: TrainState,
           metrics: Mapping[str, float] | None = None) -> None:
    """Copies the state to the host and writes it in the background.

    Args:
      step: `state.step`; a step already saved is left as it is.
      state: may be donated once this returns.
      metrics: must hold `best`, if that was named.

    Raises:
      ValueError: `best` is missing from the metrics.
      OSError: the save before this one failed.
    """
    if self._best is not None and metrics is not None and self._best not in metrics:
      raise ValueError(f'metrics {sorted(metrics)}: expected {self._best!r} among them')
    if step in self._manager.all_steps():
      return
    host = jax.tree.map(_to_host, state)
    averages = averaged_players(host)
    digest = {'state': digests(host), AVERAGES: digests(averages)}
    self._manager.save(step, metrics=metrics, args=ocp.args.Composite(
        **{'state': ocp.args.StandardSave(host), AVERAGES: ocp.args.StandardSave(averages),
           'digest': ocp.args.JsonSave(digest)}))

  def restore(self, like: TrainState) -> TrainState | None:
    """The newest whole checkpoint, or `None` if there is none at all.

    A checkpoint that is torn, or whose digest differs, is reported and passed over
    for the one before, and renamed `damaged-STEP`, so that its step is saved again.

    Args:
      like: a state of the same tree, shapes and dtypes, say a new one.

    Returns:
      The state in host memory: the step places it, on however many devices.

    Raises:
      CheckpointError: there are checkpoints, and none is whole.
    """
    target = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), like)
    state = self._newest('state', target)
    return None if state is None else jax.tree.map(np.asarray, state)

  def best_step(self) -> int | None:
    """The step whose `best` metric is best, or `None`."""
    return None if self._best is None else self._manager.best_step()

  def _newest(self, item: str, target: Tree) -> Tree | None:
    steps = self.steps()
    for step in reversed(steps):
      try:
        tree = _verified(self._manager, step, item, target)
      except Exception as error:  # Orbax raises many kinds; all mean: not whole
        logging.error('CHECKPOINT %d IN %s CANNOT BE USED, trying the one before: %s',
                      step, self._directory, repr(error)[:300])
        continue
      self._put_aside([s for s in steps if s > step])
      return tree
    if steps:
      raise CheckpointError(f'{self._directory}: none of the checkpoints {steps} is whole; '
                            'bring a copy back, or start anew')
    return None

  def _put_aside(self, steps: list[int]) -> None:
    for step in steps:
      aside = self._directory / f'damaged-{step}'
      if aside.exists():  # it was damaged once before, and then saved again
        shutil.rmtree(aside)
      (self._directory / str(step)).rename(aside)
    self._manager.reload()

  def wait(self) -> None:
    """Until every save is on disk."""
    self._manager.wait_until_finished()

  def close(self) -> None:
    """Finishes saving and lets go of the directory."""
    self._manager.close()


def load_averaged(directory: str | os.PathLike, step: int | None = None
                  ) -> tuple[PerPlayer, PerPlayer]:
  """Params and variables of the averaged players, without the rest of the state.

  Args:
    directory: of the checkpoints.
    step: which; by default the newest that is whole.

  Returns:
    `params, variables`, nested dictionaries of numpy arrays, for `Objective.sample`.

  Raises:
    FileNotFoundError: no checkpoint there, or none of that step.
    CheckpointError: none is whole.
  """
  tree = _load(directory, step, AVERAGES, None)
  return tree['params'], tree['variables']


def load_state(directory: str | os.PathLike, like: TrainState, step: int | None = None
               ) -> TrainState:
  """A whole state to look at, of a run that may be going on: nothing there is changed.

  Args:
    directory: as `load_averaged`'s.
    like: a state of the same tree, or its shapes (`jax.eval_shape`).
    step: as `load_averaged`'s.

  Raises:
    FileNotFoundError, CheckpointError: as `load_averaged`.
  """
  target = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), like)
  return jax.tree.map(np.asarray, _load(directory, step, 'state', target))


def _load(directory: str | os.PathLike, step: int | None, item: str, target: Tree) -> Tree:
  path = pathlib.Path(directory).absolute()
  if not path.is_dir():
    raise FileNotFoundError(f'{path}: no such folder of checkpoints')
  with ocp.CheckpointManager(
      path, item_names=ITEMS,
      options=ocp.CheckpointManagerOptions(read_only=True)) as manager:
    steps = sorted(manager.all_steps(), reverse=True)
    wanted = steps if step is None else [s for s in steps if s == step]
    if not wanted:
      raise FileNotFoundError(f'{path}: no checkpoint {"" if step is None else step}, '
                              f'only {steps[::-1]}')
    for candidate in wanted:
      try:
        return _verified(manager, candidate, item, target)
      except Exception as error:  # as above
        logging.error('%s %d IN %s CANNOT BE USED: %s', item.upper(), candidate, path,
                      repr(error)[:300])
  raise CheckpointError(f'{path}: no {item} of {wanted} is whole')


def _verified(manager: ocp.CheckpointManager, step: int, item: str, target: Tree) -> Tree:
  """One item of one checkpoint, its digest compared."""
  args: Callable = ocp.args.StandardRestore
  restored = manager.restore(step, args=ocp.args.Composite(
      **{item: args(target), 'digest': ocp.args.JsonRestore()}))
  read, written = digests(restored[item]), restored['digest'][item]
  if read != written:
    names = sorted(k for k in {*read, *written} if read.get(k) != written.get(k))
    raise CheckpointError(f'checkpoint {step}: {len(names)} of {len(written)} leaves of '
                          f'{item} differ from their digest, first {names[0]}')
  return restored[item]


def _to_host(x: Any) -> np.ndarray:
  """A leaf as a host array; every process has a whole copy of what is replicated."""
  if isinstance(x, jax.Array) and not x.is_fully_addressable:
    x = x.addressable_data(0)
  return np.array(x)
