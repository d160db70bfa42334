"""A peer's side of the race: steps on demand, timed where they run.

The parent writes a number of steps on a line; the peer answers with as many seconds,
as JSON. Standard library only, so that it runs in every peer's environment.
"""
from collections.abc import Callable
import json
import resource
import sys
import time


def serve(peer: str, step: Callable[[], object], warm_up: int = 3, **more: object) -> None:
  """Runs `step`, which ends when its work has, until standard input closes."""
  for _ in range(warm_up):
    step()
  _say({'peer': peer, **more})
  for line in sys.stdin:
    seconds = []
    for _ in range(int(line)):
      start = time.perf_counter()
      step()
      seconds.append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _say({'seconds': seconds, 'peak_mb': memory / (1024 if sys.platform != 'darwin' else 2**20)})


def _say(message: dict) -> None:
  sys.stdout.write('\n' + json.dumps(message) + '\n')
  sys.stdout.flush()
