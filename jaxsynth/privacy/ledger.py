"""What a run has spent, on disk before it is spent: killing a run refunds nothing."""
from collections.abc import Iterable, Iterator
import json
import os
import pathlib
import secrets
from typing import Any, TypeVar

from jaxsynth import files
from jaxsynth.privacy.budget import Budget
from jaxsynth.privacy.guarantee import Guarantee

NAME = 'privacy.jsonl'
SECRET = 'privacy.key'
BITS = 63  # of a secret, which is a seed

Batch = TypeVar('Batch')


class LedgerError(ValueError):
  """A run would spend more than it may, or forget what it spent."""


class Ledger:
  """The steps that a run may take: `privacy.jsonl`, a line for each stretch of them.

  A line is on disk before the first of its steps is run. Steps up to the last line's are spent.
  They may be run again, with the same batches and the same noise, and then tell nothing new.

  Args:
    folder: of the run.
    budget: of the run.
    steps: of the whole run.
    stretch: steps a line.

  Raises:
    LedgerError: the steps pass the budget.
  """

  def __init__(self, folder: pathlib.Path, budget: Budget, steps: int, stretch: int):
    if not budget.affords(steps):
      raise LedgerError(f'{steps} steps come to epsilon {budget.after(steps):.4g}, and the budget '
                        f'is {budget.epsilon:.4g}: the run stops at its budget, as what is spent '
                        'cannot be had back')
    self._path, self._budget = folder / NAME, budget
    self._steps, self._stretch = steps, stretch
    self._spent = spent(folder)

  def reserve(self, step: int) -> None:
    """Writes that the steps up to this one are run, if no line says so.

    Raises:
      LedgerError: a step beyond those of the run.
    """
    if step > self._steps:
      raise LedgerError(f'step {step}: the budget is of {self._steps} steps')
    if step <= self._spent:
      return
    upto = min(self._steps, -(-step // self._stretch) * self._stretch)
    line = {'step': upto, 'epsilon': self._budget.after(upto), 'delta': self._budget.delta,
            'noise_multiplier': self._budget.noise_multiplier}
    _write(self._path, line)
    self._spent = upto

  def guarded(self, batches: Iterable[Batch], start: int, stride: int = 1) -> Iterator[Batch]:
    """The batches from step `start` on, each handed out once its steps are in the ledger."""
    for k, batch in enumerate(batches):
      self.reserve(start + (k + 1) * stride)
      yield batch


def note(folder: pathlib.Path, steps: int, promise: Guarantee) -> None:
  """Writes that a run's release is made, which pays for all its steps; once."""
  if not spent(folder):
    _write(folder / NAME, {'step': steps, 'epsilon': promise.epsilon, 'delta': promise.delta,
                           'noise_multiplier': promise.noise_multiplier})


def _write(path: pathlib.Path, line: dict[str, Any]) -> None:
  whole = files.rows(path)  # a killed run may have left half a line
  with files.write_aside(path) as f:
    f.writelines(json.dumps(x).encode() + b'\n' for x in [*whole, line])


def spent(folder: pathlib.Path) -> int:
  """The last step that a run's ledger has; 0 where there is none."""
  return max((row['step'] for row in files.rows(folder / NAME)), default=0)


def line(folder: pathlib.Path) -> dict[str, Any]:
  """The last line of a ledger; empty where there is none."""
  return max(files.rows(folder / NAME), key=lambda row: row['step'], default={})


def secret(folder: pathlib.Path) -> int:
  """The seed of a run's batches and noise, drawn when it begins and kept beside it.

  A seed that others know, or guess as they would 0, hides nothing: who knows the noise takes it
  away.

  Raises:
    LedgerError: it is gone, and the run has begun.
  """
  path = folder / SECRET
  if not path.is_file():
    if upto := spent(folder):
      raise LedgerError(f'{path} is gone, and {upto} steps were run by it: with another secret '
                        'the same steps would tell more of the same examples; bring it back')
    with files.write_aside(path) as f:
      os.chmod(f.fileno(), 0o600)
      f.write(f'{secrets.randbits(BITS)}\n'.encode())
  return int(path.read_text(encoding='utf-8'))
