"""Peers in processes of their own, run by turns so that all meet the same machine."""
from collections.abc import Mapping, Sequence
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import NamedTuple

from absl import logging

PEERS = pathlib.Path(__file__).parent / 'peers'
DROPPED = ('OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE')  # would slow a peer's NumPy


class Result(NamedTuple):
  """What one runner did.

  Attributes:
    seconds: of each step.
    about: what it said of itself: `peer`, with versions, and perhaps `flops` a step.
    peak_mb: most memory that its process has held, MB.
  """
  seconds: list[float]
  about: dict
  peak_mb: float


def environment(folder: pathlib.Path, requirements: Sequence[str]) -> str:
  """The Python of a virtual environment that has `requirements`; made if missing."""
  python = folder / 'bin' / 'python'
  if not (folder / 'complete').exists():
    print(f'installing {" ".join(requirements)} in {folder}', flush=True)
    subprocess.run([sys.executable, '-m', 'venv', '--clear', folder], check=True)
    subprocess.run([python, '-m', 'pip', 'install', '--quiet', *requirements], check=True)
    (folder / 'complete').touch()
  return str(python)


def race(commands: Mapping[str, Sequence[str]], steps: int,
         pause: float = 0.) -> dict[str, Result]:
  """Times `steps` steps of every runner, one step each by turns.

  Args:
    commands: name to program, each of which calls `peers/serve.py`. One that does not
      start is left out, with a warning.
    steps: how many.
    pause: seconds of rest between turns.

  Returns:
    Name to `Result`.
  """
  env = {k: v for k, v in os.environ.items() if k not in DROPPED}
  runners = {name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    text=True, env=env) for name, command in commands.items()}
  try:
    about = {name: _heard(runner) for name, runner in runners.items()}
    for name in [n for n, greeting in about.items() if greeting is None]:
      logging.warning('%s did not start: %s', name, ' '.join(commands[name]))
      del about[name]
    seconds: dict[str, list[float]] = {name: [] for name in about}
    peak = dict.fromkeys(about, 0.)
    for _ in range(steps):
      for name in about:
        runner = runners[name]
        assert runner.stdin
        runner.stdin.write('1\n')
        runner.stdin.flush()
        answer = _heard(runner)
        if answer is None:
          raise RuntimeError(f'{name} stopped: {" ".join(commands[name])}')
        seconds[name] += answer['seconds']
        peak[name] = answer['peak_mb']
        time.sleep(pause)
    return {name: Result(seconds[name], about[name] or {}, peak[name]) for name in about}
  finally:
    for runner in runners.values():
      runner.kill()
      runner.communicate()


def _heard(runner: subprocess.Popen) -> dict | None:
  """The next line that is JSON; peers may print others."""
  assert runner.stdout
  for line in runner.stdout:
    if line.startswith('{'):
      return json.loads(line)
  return None
