"""The for-loop, with hooks."""
from collections import deque
from collections.abc import Callable, Iterable, Sequence
import contextlib
from typing import Any, Protocol

import jax
from jax import Array

from jaxsynth.types import Metrics, TrainState


class Hook(Protocol):
  """Called after every step; `close` once, at the end or on an error."""

  def __call__(self, step: int, state: TrainState, metrics: Metrics) -> None: ...

  def close(self) -> None: ...


def run(step_fn: Callable[[TrainState, Any, Array], tuple[TrainState, Metrics]],
        state: TrainState, batches: Iterable[Any], key: Array, num_steps: int, *,
        hooks: Sequence[Hook] = (), ahead: int = 2, steps_per_call: int = 1) -> TrainState:
  """Trains up to step `num_steps`, from wherever `state` is.

  Steps are dispatched up to `ahead` of the device, so it never waits for Python.
  On CPUs of several devices every step is waited for: collectives of steps in
  flight together dead-lock there.

  Args:
    step_fn: compiled step; it may donate its state.
    state: where to start; `state.step` says how far it is.
    batches: an iterator that begins with batch `state.step`.
    key: the run's base key.
    num_steps: where to stop.
    hooks: called with `(step, state, metrics)`, `step` counting from 1; the state
      is theirs only until they return.
    ahead: calls in flight, at least 1.
    steps_per_call: of a scanned step; hooks are called once a call.

  Returns:
    The state after `num_steps`.

  Raises:
    ValueError: the steps left are not whole calls, or the batches run out before.
  """
  start = int(state.step)
  if (num_steps - start) % steps_per_call:
    raise ValueError(f'{num_steps - start} steps from {start} to {num_steps} are not whole '
                     f'calls of {steps_per_call}')
  if jax.default_backend() == 'cpu' and jax.device_count() > 1:
    ahead = 0
  flying: deque[Metrics] = deque()
  with contextlib.ExitStack() as stack:
    for hook in hooks:
      stack.callback(hook.close)
    calls = range(start + steps_per_call, num_steps + 1, steps_per_call)
    for step, batch in zip(calls, batches):
      state, metrics = step_fn(state, batch, key)
      flying.append(metrics)
      if len(flying) > ahead:
        jax.block_until_ready(flying.popleft())
      for hook in hooks:
        hook(step, state, metrics)
    jax.block_until_ready(state)
  if int(state.step) != num_steps:
    raise ValueError(f'the batches ran out at step {int(state.step)} of {num_steps}; '
                     'expected an iterator without end, or as long as the run')
  return state
