"""Checkpoints that lie there: read by one process or by several, and verified."""
from collections.abc import Callable
import os
import pathlib
from typing import Any

from absl import logging
import jax
import numpy as np
import orbax.checkpoint as ocp

from jaxsynth import files, hosts
from jaxsynth.digests import digests
from jaxsynth.files import CheckpointError
from jaxsynth.types import PerPlayer, TrainState, Tree

AVERAGES = 'generator'  # its name on disk
ITEMS = ('state', AVERAGES, 'digest')
FILES = 'digest/files.json'  # of a checkpoint that was read back
# as this process sees it, or as another one does
DAMAGED = (CheckpointError, hosts.ProcessError)


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
  return jax.tree.map(np.asarray, _load(directory, step, 'state', empty(like)))


def _load(directory: str | os.PathLike, step: int | None, item: str, target: Tree) -> Tree:
  path = pathlib.Path(directory).absolute()
  if not path.is_dir():
    raise FileNotFoundError(f'{path}: no such folder of checkpoints')
  with files.plainly_named(path) as name, reader(name) as manager:
    steps = sorted(manager.all_steps(), reverse=True)
    wanted = steps if step is None else [s for s in steps if s == step]
    if not wanted:
      raise FileNotFoundError(f'{path}: no checkpoint {"" if step is None else step}, '
                              f'only {steps[::-1]}')
    for candidate in wanted:
      try:
        return verified(manager, path, candidate, item, target)
      except DAMAGED as error:
        logging.error('%s %d IN %s CANNOT BE USED: %s', item.upper(), candidate, path,
                      repr(error)[:300])
  raise CheckpointError(f'{path}: no {item} of {wanted} is whole')


def reader(name: str | os.PathLike) -> ocp.CheckpointManager:
  """Reads a directory, in this process alone whatever others there are."""
  logging.get_absl_logger().addFilter(is_news)
  here = jax.process_index()
  alone = ocp.options.MultiprocessingOptions(
      primary_host=here, active_processes={here}, barrier_sync_key_prefix=f'reader{here}')
  return ocp.CheckpointManager(name, item_names=ITEMS, options=ocp.CheckpointManagerOptions(
      read_only=True, multiprocessing_options=(
          alone if jax.process_count() > 1 else ocp.options.MultiprocessingOptions())))


def verified(manager: ocp.CheckpointManager, directory: pathlib.Path, step: int, item: str,
              target: Tree, written: dict[str, str] | None = None) -> Tree:
  """One item of one checkpoint, its digest compared with the one there, or with `written`.

  Raises:
    CheckpointError, hosts.ProcessError: it is not whole, as some process sees it.
  """
  def read() -> Tree:
    args: Callable = ocp.args.StandardRestore
    try:
      files.check_digests(directory / str(step), FILES, (f'{item}/', 'digest/'))
      restored = manager.restore(step, args=ocp.args.Composite(
          **{item: args(target), 'digest': ocp.args.JsonRestore()}))
      there, here = restored['digest'][item], digests(restored[item])
    except CheckpointError:
      raise
    except Exception as error:  # Orbax raises many kinds; all mean: not whole
      raise CheckpointError(f'checkpoint {step}: {error!r}') from error
    if here != there or written not in (None, there):
      names = sorted(k for k in {*here, *there} if here.get(k) != there.get(k)) or ['the digest']
      raise CheckpointError(f'checkpoint {step}: {len(names)} of {len(there)} leaves of '
                            f'{item} differ from their digest, first {names[0]}')
    return restored[item]
  return hosts.everywhere(read)


def empty(tree: Tree) -> Tree:
  """Arrays of the same shapes and dtypes."""
  return jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), tree)


def is_news(line: Any) -> bool:
  """Whether a line of the log is none of Orbax's on what we know: errors that it raises too, and
  that a directory is only read."""
  return 'orbax' not in line.pathname or not (
      line.exc_info or line.funcName.endswith('init__') and 'read' in str(line.msg))
