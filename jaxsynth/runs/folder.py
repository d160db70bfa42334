"""A run's folder: one run at a time, and nothing half written in it."""
from collections.abc import Iterator
import contextlib
import pathlib
import shutil

from jaxsynth import files
from jaxsynth.privacy import ledger
from jaxsynth.runs.record import RunError

OUTPUTS = ('config.json', 'metrics.jsonl', 'timings.jsonl', 'scores.jsonl', 'collapses.jsonl',
           'canaries.json', 'synthetic.npz', 'samples', 'checkpoints', 'tensorboard')


@contextlib.contextmanager
def opened(path: pathlib.Path, *, fresh: bool = False) -> Iterator[pathlib.Path]:
  """Makes the folder and locks it; a run that is in it stays as it is.

  Args:
    path: of the folder.
    fresh: whether the run in it is removed.

  Raises:
    RunError: not writable, in use, or to be removed and private, with epsilon spent.
  """
  with contextlib.ExitStack() as stack:
    try:
      path.mkdir(parents=True, exist_ok=True)
      stack.enter_context(files.lock(path))
      if fresh:
        _check_unspent(path)
        _remove(path)
    except files.Locked as error:
      raise RunError(f'--workdir: {error}') from error
    except OSError as error:
      raise RunError(f'--workdir={path} cannot be written: {error}') from error
    yield path


def prepare(path: pathlib.Path) -> None:
  """Readies the folder for a run to go on in it: what a killed one left half written goes."""
  (path / 'samples').mkdir(exist_ok=True)
  for torn in (*path.glob('.*.aside'), *path.glob('samples/.*.aside')):
    torn.unlink()


def _check_unspent(path: pathlib.Path) -> None:
  if last := ledger.line(path):
    raise RunError(
        f'--fresh: the run in {path} has spent epsilon {last["epsilon"]:.4g} of its data, which '
        'removing it would not give back; name another folder, and count what both have spent')


def _remove(path: pathlib.Path) -> None:
  for name in OUTPUTS:
    target = path / name
    if target.is_dir():
      shutil.rmtree(target)
    else:
      target.unlink(missing_ok=True)
