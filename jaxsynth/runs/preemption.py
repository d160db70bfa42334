"""A run that its machine asks to end, by SIGTERM: it saves where it is, and says so."""
from collections.abc import Callable
import signal
import threading
from typing import Any

import jax
from jax.experimental import multihost_utils

from jaxsynth.types import Metrics, TrainState


class Preempted(Exception):
  """The run was asked to end and has a checkpoint of the step.

  Attributes:
    step: of the checkpoint.
  """

  def __init__(self, step: int):
    super().__init__(f'stopped by SIGTERM after step {step}, which has a checkpoint')
    self.step = step


class Preemption:
  """The last hook of a loop, and a context in which SIGTERM ends no process.

  After the step in which the signal came the state is saved. Several processes agree on a step
  that none has passed, whichever of them was asked.

  Args:
    save: `(step, state)`, which may go on in the background.

  Raises (when called):
    Preempted: the state is being saved.
  """

  def __init__(self, save: Callable[[int, TrainState], None]):
    self._save, self._asked, self._calls = save, False, 0
    self._before: Any = None  # the handler of who called us
    # JAX's own service takes the signal where processes have a coordinator
    self._alone = not jax.distributed.is_initialized()

  def __enter__(self) -> 'Preemption':
    if self._alone and threading.current_thread() is threading.main_thread():
      self._before = signal.signal(signal.SIGTERM, self._ask)
    return self

  def __exit__(self, *_: Any) -> None:
    if self._before is not None:
      signal.signal(signal.SIGTERM, self._before)

  def _ask(self, *_: Any) -> None:
    self._asked = True

  def __call__(self, step: int, state: TrainState, metrics: Metrics) -> None:
    self._calls += 1  # the service counts by ones, and a call may be of several steps
    if self._asked if self._alone else multihost_utils.reached_preemption_sync_point(self._calls):
      self._save(step, state)
      raise Preempted(step)

  def close(self) -> None:
    """Nothing is left open."""
