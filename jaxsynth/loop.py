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
        hooks: Sequence[Hook] = (), ahead: int = 2) -> TrainState:
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
    ahead: steps in flight, at least 1.

  Returns:
    The state after `num_steps`.
  """
  if jax.default_backend() == 'cpu' and jax.device_count() > 1:
    ahead = 0
  flying: deque[Metrics] = deque()
  with contextlib.ExitStack() as stack:
    for hook in hooks:
      stack.callback(hook.close)
    for step, batch in zip(range(int(state.step) + 1, num_steps + 1), batches):
      state, metrics = step_fn(state, batch, key)
      flying.append(metrics)
      if len(flying) > ahead:
        jax.block_until_ready(flying.popleft())
      for hook in hooks:
        hook(step, state, metrics)
    jax.block_until_ready(state)
  return state
