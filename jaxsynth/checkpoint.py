"""Checkpoints of a run: asynchronous, verified, restorable on any devices.

Orbax is known here and in `stored.py` alone.
"""
from collections.abc import Callable, Iterable, Iterator, Mapping
import contextlib
import os
import pathlib
import shutil
from typing import Any, NamedTuple

from absl import logging
import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers as policies

from jaxsynth import files, hosts
from jaxsynth.digests import digests
from jaxsynth.ema import averaged_players
from jaxsynth.files import CheckpointError
from jaxsynth.stored import (
    AVERAGES, DAMAGED, empty, FILES, is_news, ITEMS, load_averaged, load_state, reader, verified)
from jaxsynth.types import TrainState, Tree

__all__ = ('CheckpointError', 'CheckpointManager', 'digests', 'load_averaged', 'load_state')


class _Saved(NamedTuple):
  """What is being written: it is read back before it counts."""
  step: int
  trees: Mapping[str, Tree]  # item -> arrays of its shapes and dtypes
  digests: Mapping[str, dict[str, str]]  # item -> those of its leaves


class CheckpointManager:
  """Saves and restores a `TrainState`, and the averaged players beside it.

  A checkpoint holds three items: `state`, `generator` (the averaged players, which load
  without the rest; its name is from when all models were GANs) and `digest` (a hash of every
  leaf: Orbax restores flipped bytes without a word). Each is read back, by the next `save`,
  `wait` or `close`, before those that it replaces are removed.

  Args:
    directory: of the checkpoints, of any name; made if missing.
    keep: how many of the newest are kept, at least 2, so that there is one to fall
      back on; until the newest is read back there is one more.
    best: name of the metric whose best checkpoint is kept too, or `None`.
    also: of the steps with a checkpoint, those that are kept too.
    lower_is_better: the sense of `best`.

  Raises:
    ValueError: `keep` below 2.
    OSError: the directory cannot be made.
  """

  def __init__(self, directory: str | os.PathLike, *, keep: int = 2,
               best: str | None = None, lower_is_better: bool = True,
               also: Callable[[list[int]], Iterable[int]] = lambda steps: ()):
    if keep < 2:
      raise ValueError(f'keep={keep}: expected at least 2')
    self._best, self._keep, self._also = best, keep, also
    self._directory = pathlib.Path(directory).absolute()
    self._directory.mkdir(parents=True, exist_ok=True)
    self._saved: _Saved | None = None
    self._stack = contextlib.ExitStack()
    self._name = self._stack.enter_context(files.plainly_named(self._directory))
    logging.get_absl_logger().addFilter(is_news)  # once, however many managers there are
    self._manager = ocp.CheckpointManager(
        self._name, item_names=ITEMS,
        options=ocp.CheckpointManagerOptions(
            preservation_policy=policies.LatestN(None),  # all: see wait
            best_fn=None if best is None else lambda metrics: metrics[best],
            best_mode='min' if lower_is_better else 'max',
            cleanup_tmp_directories=True))

  def steps(self) -> list[int]:
    """Steps with a checkpoint, in order."""
    return sorted(self._manager.all_steps())

  def save(self, step: int, state: TrainState,
           metrics: Mapping[str, float] | None = None) -> None:
    """Copies the state to the host and writes it in the background, each process its part.

    Args:
      step: `state.step`; a step already saved is left as it is.
      state: may be donated once this returns.
      metrics: must hold `best`, if that was named.

    Raises:
      ValueError: `best` is missing from the metrics.
      OSError: it cannot be written, or the save before this one failed.
    """
    if self._best is not None and metrics is not None and self._best not in metrics:
      raise ValueError(f'metrics {sorted(metrics)}: expected {self._best!r} among them')
    self.wait()
    if step in self._manager.all_steps():
      return
    hosts.everywhere(lambda: self.check_room(state))
    held = jax.tree.map(_held, state)
    # these are read without a target, which of arrays divided between processes Orbax cannot do
    trees = {'state': held, AVERAGES: jax.tree.map(
        np.asarray, hosts.local(averaged_players(held)))}
    digest = {item: digests(tree) for item, tree in trees.items()}
    with self._written(step):
      self._manager.save(step, metrics=metrics, force=True, args=ocp.args.Composite(
          **{item: ocp.args.StandardSave(tree) for item, tree in trees.items()},
          digest=ocp.args.JsonSave(digest)))
    self._saved = _Saved(step, {item: empty(tree) for item, tree in trees.items()}, digest)

  def check_room(self, state: TrainState) -> None:
    """Raises `OSError` where the disk has no room for a checkpoint."""
    leaves = jax.tree.leaves((state, averaged_players(state)))
    files.check_room(self._directory, sum(x.size * x.dtype.itemsize for x in leaves),
                     'a checkpoint')

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
    state = self._newest('state', empty(like))
    return None if state is None else jax.tree.map(np.asarray, state)

  def best_step(self) -> int | None:
    """The step whose `best` metric is best, or `None`."""
    return None if self._best is None else self._manager.best_step()

  def _newest(self, item: str, target: Tree) -> Tree | None:
    steps = self.steps()
    for step in reversed(steps):
      try:
        tree = self._verified(step, item, target)
      except DAMAGED as error:
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
    def rename() -> None:
      for step in steps:
        aside = self._directory / f'damaged-{step}'
        if aside.exists():  # it was damaged once before, and then saved again
          shutil.rmtree(aside)
        (self._directory / str(step)).rename(aside)
    hosts.first(rename)
    self._manager.reload()

  def wait(self) -> None:
    """Until the last save is on disk and was read back; then what it replaces is removed.

    Raises:
      OSError: it cannot be written, or read.
    """
    saved, self._saved = self._saved, None
    if saved is None:
      return
    with self._written(saved.step):
      self._manager.wait_until_finished()
    try:
      for item, tree in saved.trees.items():
        self._verified(saved.step, item, tree, saved.digests[item])
    except DAMAGED as error:
      self._put_aside([saved.step])
      raise OSError(f'{self._directory}: the checkpoint of step {saved.step} cannot be read back '
                    f'({error}): it is now damaged-{saved.step}; is the disk sound?') from error
    with self._written(saved.step):
      # what is damaged later is known without Orbax, whose futures outlive their loop if it fails
      hosts.first(lambda: files.note_digests(self._directory / str(saved.step), FILES))
    kept = {*self.steps()[-self._keep:], self.best_step(), *self._also(self.steps())}
    for step in self.steps():
      if step not in kept:
        self._manager.delete(step)

  @contextlib.contextmanager
  def _written(self, step: int) -> Iterator[None]:
    """Errors of writing as those of the system: tensorstore's are of many kinds."""
    try:
      yield
    except Exception as error:
      text = str(error).replace(str(self._name), str(self._directory))
      raise OSError(f'{self._directory}: the checkpoint of step {step} cannot be written '
                    f'({text[:500]}); has its disk room?') from error

  def _verified(self, step: int, item: str, target: Tree,
                written: dict[str, str] | None = None) -> Tree:
    """As `stored.verified`; other processes read too, each by itself."""
    with contextlib.ExitStack() as stack:
      manager = self._manager if hosts.count() == 1 else stack.enter_context(reader(self._name))
      return verified(manager, self._directory, step, item, target, written)

  def close(self) -> None:
    """Finishes saving, as `wait` does, and lets go of the directory."""
    with self._stack:
      try:
        self.wait()
      finally:
        self._manager.close()

  def abandon(self) -> None:
    """Lets go of the directory without a word to other processes, one of which has failed."""
    self._saved = None
    self._stack.close()


def _held(x: Any) -> Any:
  """A leaf that no donation touches: a copy on the host.

  One on devices of several processes stays as it is: Orbax copies every process's part before
  it returns.
  """
  return x if isinstance(x, jax.Array) and not x.is_fully_addressable else np.array(x)
