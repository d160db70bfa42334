"""A run's folder: one run at a time, resumed only by the same configuration."""
from collections.abc import Iterator, Mapping
import contextlib
import json
import pathlib
import shutil
from typing import Any

from absl import app, logging
import jax

from jaxsynth import files

FREE = ('steps', 'log_every', 'sample_every', 'checkpoint_every', 'num_synthetic',
        'tensorboard')
BITS = ('devices', 'parallel', 'steps_per_call', 'global_batch_norm')
OUTPUTS = ('config.json', 'metrics.jsonl', 'timings.jsonl', 'synthetic.npz', 'samples',
           'checkpoints', 'tensorboard')


@contextlib.contextmanager
def opened(path: pathlib.Path, record: Mapping[str, Any], *, fresh: bool
           ) -> Iterator[pathlib.Path]:
  """Locks the folder, checks it against `record`, and writes `config.json`.

  Process 0 does; the others of a run on several hosts use what it made.

  Args:
    path: of the folder; made if missing.
    record: what `config.json` is to hold; its `'flags'` must fit the run's before.
    fresh: whether a run in the folder is removed.

  Raises:
    app.UsageError: not writable, in use, or holding a run of other flags.
  """
  if jax.process_index():
    yield path
    return
  try:
    path.mkdir(parents=True, exist_ok=True)
    with files.lock(path):
      if fresh:
        _remove(path)
      config = path / 'config.json'
      if config.exists():
        check(json.loads(config.read_text())['flags'], record['flags'])
      (path / 'samples').mkdir(exist_ok=True)
      with files.write_aside(config) as f:
        f.write(json.dumps(record, indent=2).encode() + b'\n')
      yield path
  except files.Locked as error:
    raise app.UsageError(f'--workdir: {error}') from error
  except (PermissionError, NotADirectoryError, FileExistsError) as error:
    raise app.UsageError(f'--workdir={path} cannot be written: {error}') from error


def check(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
  """Refuses flags that would make the run another one; warns of other bits."""
  free = [] if _fixes_steps(now) or _fixes_steps(before) else ['steps']
  names = sorted(set(before) | set(now))
  changed = [n for n in names if before.get(n) != now.get(n)]
  refused = [n for n in changed if n not in (*FREE[1:], *BITS, *free)]
  if refused:
    lines = ''.join(f'\n  --{n}: {before.get(n)!r} before, {now.get(n)!r} now' for n in refused)
    raise app.UsageError(f'the run in --workdir has other flags:{lines}\nName another '
                         'folder, or start anew with --fresh')
  for name in (n for n in changed if n in BITS):
    logging.warning('--%s: %r before, %r now; bits may differ from a run never stopped',
                    name, before.get(name), now.get(name))


def _fixes_steps(flags: Mapping[str, Any]) -> bool:
  """Whether the learning rate depends on how long the run is."""
  return flags.get('schedule', 'constant') != 'constant'


def _remove(path: pathlib.Path) -> None:
  for name in OUTPUTS:
    target = path / name
    if target.is_dir():
      shutil.rmtree(target)
    else:
      target.unlink(missing_ok=True)
