"""Hooks of the loop: records, progress, pictures."""
from collections.abc import Callable
import json
import os
import resource
import sys
import time
from typing import Any

import jax
import numpy as np
import tqdm

from jaxsynth.types import Metrics, TrainState


class NotFinite(FloatingPointError):
  """A metric is not finite.

  Attributes:
    step: of its line.
  """

  def __init__(self, step: int, what: str):
    super().__init__(f'step {step}: {what}')
    self.step = step


class Records:
  """Metrics as JSON lines, fetched from the device several at a time.

  A line holds nothing of the clock: the same run writes the same file.

  Args:
    path: appended to.
    every: steps between lines.
    fetch: lines fetched together.
    also: called with each `(step, row)`, say `TensorBoard.scalars`.
    beside: `step -> row`, what else a line holds.

  Raises (when a line is fetched):
    NotFinite: a metric is not finite; the lines before it are written.
  """

  def __init__(self, path: str | os.PathLike, every: int = 10, fetch: int = 10,
               also: Callable[[int, dict[str, float]], None] | None = None,
               beside: Callable[[int], dict[str, float]] = lambda step: {}):
    self._beside = beside
    self._file = open(path, 'a', encoding='utf-8')
    self._every, self._fetch, self._also = every, fetch, also
    self._pending: list[tuple[int, Metrics]] = []

  def __call__(self, step: int, state: TrainState, metrics: Metrics) -> None:
    if step % self._every == 0:
      self._pending.append((step, metrics))
    if len(self._pending) >= self._fetch:
      self.flush()

  def flush(self) -> None:
    """Fetches and writes what is pending."""
    rows, self._pending = jax.device_get(self._pending), []
    for step, metrics in rows:
      row = {name: float(np.float32(x)) for name, x in sorted(metrics.items())}
      bad = sorted(name for name, x in row.items() if not np.isfinite(x))
      if bad:
        self._file.flush()
        raise NotFinite(step, f'{", ".join(f"{b} = {row[b]}" for b in bad)}; lower the learning '
                        'rates, or train in float32')
      row |= self._beside(step)
      self._file.write(json.dumps({'step': step, **row}) + '\n')
      if self._also:
        self._also(step, row)
    self._file.flush()

  def close(self) -> None:
    try:
      if sys.exc_info()[0] is not NotFinite:
        self.flush()
    finally:
      self._file.close()


class Progress:
  """A bar on a terminal, plain lines in a log: images/s, losses, time left.

  After the first steps one line says how long the whole run takes on this machine.

  Args:
    start: steps done before.
    num_steps: steps of the whole run.
    batch_size: images a step.
    every: steps between plain lines, and between new losses on the bar.
    timings: a path for JSON lines of wall-clock figures, or `None`.
    stream: standard error by default.
    began: `time.perf_counter()` when the process began, to tell how long the first
      step took to come; now by default.
  """

  def __init__(self, start: int, num_steps: int, batch_size: int, every: int = 50,
               timings: str | os.PathLike | None = None, stream: Any = None,
               began: float | None = None):
    self._stream = sys.stderr if stream is None else stream
    self._num_steps, self._batch_size, self._every = num_steps, batch_size, every
    self._timings = timings and open(timings, 'a', encoding='utf-8')
    self._bar = tqdm.tqdm(
        total=num_steps, initial=start, unit='step', file=self._stream,
        dynamic_ncols=True, disable=not self._stream.isatty())
    self._last = time.perf_counter()
    self._start = self._last if began is None else began
    self._step = self._last_step = start
    self._first, self._estimated = True, False

  def __call__(self, step: int, state: TrainState, metrics: Metrics) -> None:
    self._bar.update(step - self._step)
    self._step = step
    if self._first or step % self._every == 0 or step == self._num_steps:
      self._report(step, metrics)

  def _report(self, step: int, metrics: Metrics) -> None:
    values = jax.device_get({p: x for p, x in metrics.items() if p.endswith('/loss')})
    losses = '  '.join(f'{p.removesuffix("/loss")} {x:.3f}' for p, x in values.items())
    now = time.perf_counter()
    seconds = (now - self._last) / (step - self._last_step)
    rate, left = self._batch_size / seconds, seconds * (self._num_steps - step)
    # the first step was compiled first: its rate says nothing of the run
    pace = f'after {now - self._start:.1f} s' if self._first else f'{rate:.0f} images/s'
    self._bar.set_postfix_str(f'{pace}  {losses}')
    if self._bar.disable:
      eta = '' if self._first else f'  {_clock(left)} left'
      print(f'step {step}/{self._num_steps}  {losses}  {pace}{eta}', file=self._stream,
            flush=True)
    if not self._first and not self._estimated and step < self._num_steps:
      self._estimated = True
      self._bar.write(f'this run takes about {_clock(now - self._start + left)} minutes on this '
                      'machine, pictures and scores aside', file=self._stream)
    if self._timings:
      row = {'step': step, 'seconds': round(now - self._start, 3),
             'seconds_per_step': round(seconds, 5), 'images_per_second': round(rate, 1),
             'peak_memory_mb': round(_peak_memory())}
      self._timings.write(json.dumps(row) + '\n')
      self._timings.flush()
    self._last, self._last_step, self._first = now, step, False

  def close(self) -> None:
    self._bar.close()
    if self._timings:
      self._timings.close()


def _clock(seconds: float) -> str:
  """Minutes and seconds, as 3:05."""
  return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'


def _peak_memory() -> float:
  """The process's largest resident size so far, MiB."""
  unit = 2 ** 20 if sys.platform == 'darwin' else 2 ** 10
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


class Every:
  """Calls `f(step, state)` every so many steps, and after the last one.

  Args:
    every: steps between calls; 0 for the last alone.
    num_steps: the last step.
    f: must be done with the state when it returns.
  """

  def __init__(self, every: int, num_steps: int, f: Callable[[int, TrainState], None]):
    self._every, self._num_steps, self._f = every, num_steps, f

  def __call__(self, step: int, state: TrainState, metrics: Metrics) -> None:
    if step == self._num_steps or self._every and step % self._every == 0:
      self._f(step, state)

  def close(self) -> None:
    pass
