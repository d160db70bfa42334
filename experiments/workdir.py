"""A run's folder: one run at a time, resumed only by the same configuration."""
from collections.abc import Iterator, Mapping
import contextlib
import json
import pathlib
import shutil
from typing import Any

from absl import app, logging

from build import LATER
from jaxsynth import files

FREE = ('log_every', 'sample_every', 'checkpoint_every', 'num_synthetic', 'tensorboard',
        'eval_every', 'eval_samples', 'eval_split')
BITS = ('devices', 'parallel', 'steps_per_call')
OUTPUTS = ('config.json', 'metrics.jsonl', 'timings.jsonl', 'scores.jsonl', 'synthetic.npz',
           'samples', 'checkpoints', 'tensorboard')


@contextlib.contextmanager
def opened(path: pathlib.Path, *, fresh: bool) -> Iterator[pathlib.Path]:
  """Makes the folder and locks it; what a killed run left half written is removed.

  Args:
    path: of the folder.
    fresh: whether the run in it is removed.

  Raises:
    app.UsageError: not writable, or in use.
  """
  with contextlib.ExitStack() as stack:
    try:
      path.mkdir(parents=True, exist_ok=True)
      stack.enter_context(files.lock(path))
      if fresh:
        _remove(path)
      (path / 'samples').mkdir(exist_ok=True)
      for torn in (*path.glob('.*.aside'), *path.glob('samples/.*.aside')):
        torn.unlink()
    except files.Locked as error:
      raise app.UsageError(f'--workdir: {error}') from error
    except OSError as error:
      raise app.UsageError(f'--workdir={path} cannot be written: {error}') from error
    yield path


def check(path: pathlib.Path, record: Mapping[str, Any]) -> None:
  """Holds `record` against the folder's `config.json`, if it has one.

  Raises:
    app.UsageError: flags or data that would make the run another one.
  """
  if not (path / 'config.json').exists():
    return
  before = json.loads((path / 'config.json').read_text())
  old, new = {**LATER, **before['flags']}, record['flags']
  free = () if _fixes_steps(new) or _fixes_steps(old) else ('steps',)
  changed = [n for n in sorted({*old, *new}) if old.get(n) != new.get(n)]
  lines = [f'\n  --{n}: {old.get(n)!r} before, {new.get(n)!r} now'
           for n in changed if n not in (*FREE, *BITS, *free)]
  lines += [f'\n  data {n}: {x!r} before, {record["data"].get(n)!r} now'
            for n, x in before['data'].items() if x != record['data'].get(n)]
  if lines:
    raise app.UsageError('the run in --workdir was another one:' + ''.join(lines) +
                         '\nName another folder, or start anew with --fresh')
  for name in (n for n in changed if n in BITS):
    logging.warning('--%s: %r before, %r now; bits may differ from a run never stopped',
                    name, old.get(name), new.get(name))
  for name in ('versions', 'platform'):
    if before[name] != record[name]:
      logging.warning('%s: %s before, %s now; bits may differ from a run never stopped',
                      name, before[name], record[name])


def write_config(path: pathlib.Path, record: Mapping[str, Any]) -> None:
  """`config.json`: once the run is known to go on."""
  with files.write_aside(path / 'config.json') as f:
    f.write(json.dumps(record, indent=2).encode() + b'\n')


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
