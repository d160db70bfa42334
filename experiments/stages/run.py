"""Runs a stage where its result does not hold, in processes that end with this one."""
from collections.abc import Sequence
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import jaxsynth
from common.program import PREEMPTED
from stages import record as records
from stages.stage import Args, Stage

TAIL = 12  # lines of a log that a failure shows
CHILD = pathlib.Path(__file__).with_name('child.py')
PATIENCE = 10  # seconds that a stopped program has to end


class Failed(RuntimeError):
  """A stage did; the message says which, how, and what to do."""


def execute(stage: Stage, out: pathlib.Path, *, rerun: bool = False) -> dict[str, Any]:
  """Runs the stage unless its result holds.

  Args:
    stage: what to run.
    out: the pipeline's folder.
    rerun: whether it is run anyway, from nothing.

  Returns:
    Its record.

  Raises:
    Failed: it could not be run, or did not succeed.
  """
  if stage.why_not:
    return _absent(stage, out)
  _ready(stage, out)
  now, record = records.settings(stage, out), records.read(out, stage.name)
  if record is not None and record['status'] == 'not applicable':
    record = None
  why = reason(record, now, out)
  if record is not None and not why and not rerun:
    changed = '' if record['code'] == records.code() else (
        f'; the code has changed since, --rerun={stage.name} redoes it')
    say(stage.name, f'unchanged, skipped{changed}')
    return record
  begun = records.read(out, stage.name, 'begun')
  on = _clear(stage, out, begun or record, now, rerun)
  starts = begun['starts'] + 1 if begun and on else 1
  say(stage.name, 'redone, as asked' if rerun else why or (
      'taken up again' if starts > 1 else 'to do'))
  records.write(out, stage.name, {**now, 'starts': starts}, 'begun')
  records.forget(out, stage.name)
  start = time.monotonic()
  rejected = _run(stage, out)
  try:
    left = records.left(stage, out)
  except OSError as error:
    raise Failed(str(error)) from error
  seconds = round(time.monotonic() - start, 1)
  record = {**now, 'status': 'rejected' if rejected else 'done', 'shown': [
      shown(args) for args in stage.commands], 'outputs': left, 'seconds': seconds,
      'starts': starts, 'code': records.code(), 'version': jaxsynth.__version__}
  records.write(out, stage.name, record)
  records.forget(out, stage.name, 'begun')
  say(stage.name, f'{record["status"]} ({seconds:.0f} s)')
  return record


def _absent(stage: Stage, out: pathlib.Path) -> dict[str, Any]:
  say(stage.name, f'does not apply: {stage.why_not}')
  record = {'status': 'not applicable', 'why': stage.why_not, 'about': dict(stage.about),
            'outputs': {}, 'shown': []}
  records.write(out, stage.name, record)
  return record


def reason(record: dict[str, Any] | None, now: dict[str, Any], out: pathlib.Path) -> str:
  """Why a result does not hold, or nothing; what was spoilt is removed."""
  if record is None:
    return ''
  why = records.difference(record, now)
  if why:
    return why
  bad = records.spoilt(record, out)
  for name in bad:
    (out / name).unlink(missing_ok=True)
  return f'{bad[0]} is missing or was changed' if bad else ''


def _ready(stage: Stage, out: pathlib.Path) -> None:
  for name in stage.reads:
    before = records.read(out, name)
    if before is None or any(not (out / p).is_file() for p in before['outputs']):
      raise Failed(f'{stage.name} reads what {name} leaves, and that is not there: run {name} '
                   'too (--stages)')


def _clear(stage: Stage, out: pathlib.Path, before: dict[str, Any] | None, now: dict[str, Any],
           rerun: bool) -> bool:
  """Whether an earlier start is gone on with; else what it left is out of the way."""
  if not rerun:
    if before is None:
      return False
    if not records.difference(before, now) or (
        stage.keeps and records.goes_on(before, now, stage.keeps)):
      return True
  for name in stage.owns:
    if stage.keeps and not rerun and (out / name).exists():
      n = 1 + len(list(out.glob(f'replaced/{name}-*')))
      (out / f'replaced/{name}-{n}').parent.mkdir(parents=True, exist_ok=True)
      (out / name).rename(out / f'replaced/{name}-{n}')
      say(stage.name, f'what was there is now {out}/replaced/{name}-{n}')
    else:
      shutil.rmtree(out / name, ignore_errors=True)
  return False


def _run(stage: Stage, out: pathlib.Path) -> bool:
  """Runs the commands; whether one rejected what it wrote."""
  log, rejected = out / f'logs/{stage.name}.log', False
  log.parent.mkdir(exist_ok=True)
  for args in stage.commands:
    print(f'  {shown(args)}', flush=True)
    where = log.stat().st_size if log.exists() else 0
    start = time.monotonic()
    code = call(command(args), log)
    if code and code == stage.rejection:
      rejected = True
    elif code == PREEMPTED:
      raise Failed(f'{_tail(log, where)}\n{stage.name} was stopped by SIGTERM; the same command '
                   'goes on')
    elif code:
      tail = _tail(log, where)
      how = f'was stopped by {signal.Signals(-code).name}' if code < 0 else f'exit code {code}'
      rescue = (f' To throw its result away and start anew: --rerun={stage.name}.'
                if stage.keeps else '')
      raise Failed(f'{tail}\n{stage.name} failed ({how}) after {time.monotonic() - start:.0f} s; '
                   f'its log is {log}.{rescue} By itself it is run by\n  {shown(args)}')
  return rejected


def _tail(log: pathlib.Path, where: int) -> str:
  with open(log, 'rb') as f:
    f.seek(where)
    text = f.read().decode(errors='replace')
  lines = [line.rsplit('\r', 1)[-1] for line in re.sub(r'\r+\n', '\n', text).splitlines()[1:]]
  return '\n'.join(f'  | {line}' for line in [x for x in lines if x.strip()][-TAIL:])


def command(args: Args) -> list[str]:
  """A program of experiments/, in this Python."""
  return [sys.executable, str(records.PROGRAMS / args[0]), *args[1:]]


def shown(args: Args) -> str:
  """The command as one would type it here."""
  python, script, *rest = command(args)
  near = os.path.relpath(script)
  return shlex.join([python, script if near.startswith('..') else near, *rest])


def call(argv: Sequence[str], log: pathlib.Path) -> int:
  """Runs a Python program to its end, its output behind the log's; it is stopped when this is."""
  with open(log, 'ab') as f:
    f.write(f'$ {shlex.join(argv)}\n'.encode())
    f.flush()
    child = subprocess.Popen([argv[0], str(CHILD), str(os.getpid()), *argv[1:]],
                             stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT)
    try:
      return child.wait()
    finally:
      if child.poll() is None:
        child.terminate()
        try:
          child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
          child.kill()
          child.wait()


def say(name: str, text: str) -> None:
  """A line about a stage."""
  print(f'{name + ":":12} {text}', flush=True)
