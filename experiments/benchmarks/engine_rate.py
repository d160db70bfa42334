"""How long a step of a training takes, by what its run wrote in timings.jsonl."""
import json
import math
import pathlib
from typing import Any

# a run writes a line after the first step, every 50 and the last: that has a picture in it
EVERY = 50
FIRST = 2 * EVERY + 1  # steps of the first short run


def measured(run: pathlib.Path) -> dict[str, Any]:
  """The time of a step, compiling and the last picture aside.

  A run that was stopped and went on counts its time anew: no line is held against one of an
  earlier process.

  Args:
    run: its folder.

  Returns:
    `seconds_per_step`, the mean over `seconds`; `steps` of the whole run, and the `minutes` that
    these take at that rate.

  Raises:
    ValueError: a run of too few steps to say.
  """
  lines = (run / 'timings.jsonl').read_text(encoding='utf-8').splitlines()
  rows = [json.loads(line) for line in lines]
  spans = [(b['step'] - a['step'], b['seconds'] - a['seconds']) for a, b in zip(rows, rows[1:-1])
           if b['seconds'] > a['seconds'] and b['step'] % EVERY == 0]
  if not spans:
    raise ValueError(f'{run}: {rows[-1]["step"] if rows else 0} steps say nothing of the time of '
                     f'one, expected at least {FIRST}; take more --minutes')
  steps, seconds = map(sum, zip(*spans))
  each, last = seconds / steps, rows[-1]['step']
  return {'steps': last, 'seconds_per_step': each, 'seconds': seconds, 'minutes': last * each / 60}


def steps_for(seconds: float, rate: dict[str, Any]) -> int:
  """Of a short run that measures over so many seconds at least, at a rate that is known.

  >>> steps_for(10., {'seconds_per_step': .1})
  151
  """
  return EVERY * math.ceil(seconds / rate['seconds_per_step'] / EVERY - 1e-9) + EVERY + 1
