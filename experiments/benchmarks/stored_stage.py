"""A stage of `engines.py`: run in a process of its own, its numbers kept once they are whole."""
from collections.abc import Callable, Mapping, Sequence
import json
import pathlib
import signal
import sys
import tempfile
from typing import Any

from common.program import PREEMPTED
from jaxsynth import files
from stages import run as runner

PEAK = pathlib.Path(__file__).with_name('peak.py')
TAIL = 2000  # characters of a log that a failure shows
Result = Callable[[], Mapping[str, Any]]


def read(folder: pathlib.Path, name: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
  """What a stage has left, `None` where it is not finished.

  Args:
    folder: of the stage.
    name: of the stage.
    settings: what it depends on, as JSON holds it.

  Raises:
    ValueError: it was run with other settings.
  """
  path = folder / f'{name}.json'
  if not path.exists():
    return None
  kept = json.loads(path.read_text(encoding='utf-8'))
  before, now = kept.pop('settings'), json.loads(json.dumps(settings))
  if changed := [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]:
    lines = ''.join(f'\n  {key}: {before.get(key)!r} before, {now.get(key)!r} now'
                    for key in changed)
    raise ValueError(f'{path} is of other settings:{lines}\nName another folder by --out, or '
                     f'remove {folder}')
  return kept


def run(folder: pathlib.Path, name: str, settings: Mapping[str, Any], script: pathlib.Path,
        args: Sequence[str], result: Result | None = None) -> dict[str, Any]:
  """Runs a program to its end, and keeps its numbers as `NAME.json` of the folder.

  Args:
    folder: of the stage; made if missing. The log of the program is in it.
    name: of the stage.
    settings: kept beside the numbers.
    script: the program.
    args: its arguments.
    result: the numbers, once the program has ended; by default it is given `--result=FILE`, and
      FILE is read as JSON.

  Returns:
    The numbers, with `peak_mb`, the most memory that the process held.

  Raises:
    SystemExit: the program failed; what it finished stays.
  """
  folder.mkdir(parents=True, exist_ok=True)
  log = folder / f'{name}.log'
  with tempfile.TemporaryDirectory() as scratch:
    peak, numbers = pathlib.Path(scratch, 'peak'), pathlib.Path(scratch, 'numbers')
    more = [] if result else [f'--result={numbers}']
    code = call([sys.executable, str(PEAK), str(peak), str(script), *args, *more], log)
    if code:
      raise SystemExit(_failure(folder, name, log, code))
    left = result() if result else json.loads(numbers.read_text(encoding='utf-8'))
    left = {**left, 'peak_mb': float(peak.read_text(encoding='utf-8'))}
  with files.write_aside(folder / f'{name}.json') as f:
    f.write(json.dumps({**left, 'settings': settings}, indent=1, allow_nan=False).encode() + b'\n')
  return left


def call(command: Sequence[str], log: pathlib.Path) -> int:
  """Runs it; it ends with this process. Its exit code."""
  return runner.call(command, log)


def _failure(folder: pathlib.Path, name: str, log: pathlib.Path, code: int) -> str:
  how = (f'was stopped by {signal.Signals(-code).name}' if code < 0 else
         'was stopped by SIGTERM' if code == PREEMPTED else f'failed, exit code {code}')
  tail = log.read_text(encoding='utf-8', errors='replace')[-TAIL:]
  return (f'{tail}\n{folder.name}: {name} {how}; its log is {log}. What was finished stays, and '
          'the same command goes on')
