"""An alarm for trainings that have collapsed: it names the signal, and may go back before it."""
from collections.abc import Callable, Mapping, Sequence
import json
import math
import pathlib
import shutil
from typing import Literal, NamedTuple, Protocol

from absl import logging

from jaxsynth import files, hosts

NAME = 'collapses.jsonl'
LINES = ('metrics.jsonl', 'scores.jsonl')  # that are looked at
NOT_FINITE = 'a number is not finite'
Action = Literal['warn', 'stop', 'rollback']
MOST = 5  # rollbacks of a run
BACKOFF = .5  # of all rates, a rollback

Row = Mapping[str, float]


class Signal(NamedTuple):
  """Something of a line of metrics that says whether a training still learns.

  Attributes:
    name: what is wrong where it is out of range, as the message has it.
    value: of a line; `None` where the line does not have it.
    least: the least that it may be.
    most: the most that it may be.
    lines: how many out of range, one after another, raise the alarm.
  """
  name: str
  value: Callable[[Row], float | None]
  least: float = -math.inf
  most: float = math.inf
  lines: int = 5


def of_norms(pick: Callable[[Sequence[float]], float]) -> Callable[[Row], float | None]:
  """The least or greatest gradient norm of a line; not of a generator that waits for its critic."""
  def value(row: Row) -> float | None:
    waits = row.get('critic/steps', 1) > 1
    norms = [x for name, x in row.items() if name.endswith('/grad_norm') and (x or not waits)]
    return pick(norms) if norms else None
  return value


def of_metric(name: str) -> Callable[[Row], float | None]:
  """The size of a metric: losses of Wasserstein's kind are below 0."""
  return lambda row: abs(row[name]) if name in row else None


def spread(row: Row) -> float | None:
  """How far generated images are from one another, as part of how far real ones are."""
  fake, real = row.get('spread/fake'), row.get('spread/real')
  return None if fake is None or not real else math.sqrt(fake / real)


def alone(row: Row) -> float | None:
  """How far generated images are from one another where nothing is said of real ones."""
  return None if 'spread/real' in row else row.get('spread/fake')


def lead(row: Row) -> float | None:
  """By how much more the discriminator takes real images for real than generated ones."""
  real, fake = row.get('logits/real'), row.get('logits/fake')
  return None if real is None or fake is None else real - fake


# of every family
SIGNALS = (
    Signal('a gradient has vanished', of_norms(min), least=1e-8),
    Signal('a gradient has exploded', of_norms(max), most=1e5),
    Signal('samples are of hardly more than one class', of_metric('class_entropy'), least=.7,
           lines=3))
OF_GANS = (
    *SIGNALS,
    Signal('generated images hardly differ from one another', spread, least=.25),
    Signal('generated images are all the same', alone, least=1e-4, lines=10),
    Signal('the discriminator takes fakes for more real than real images', lead, least=0.,
           lines=15),
    Signal('the discriminator is never wrong', of_metric('discriminator/loss'), least=1e-3))
OF_VAES = (
    *SIGNALS, Signal('latents hold nothing of the images', of_metric('kl'), least=.01))


class Collapsed(Exception):
  """A training has collapsed.

  Attributes:
    step: of the line that raised the alarm.
    signal: what is wrong.
    good: the last step by which every signal was in range.
  """

  def __init__(self, step: int, signal: str, good: int, value: float = math.nan):
    number = f' ({value:.3g})' if math.isfinite(value) else ''
    super().__init__(f'step {step}: {signal}{number}; all was last well at step {good}')
    self.step, self.signal, self.good, self.value = step, signal, good, value


class Watch:
  """Looks at lines of metrics, in their order.

  What it says depends on the lines alone, so a run that was stopped and goes on, whose lines it
  is shown again, ends as one never stopped.

  Args:
    signals: what is watched.
    action: of an alarm: `'warn'` says it once and goes on until the signal is in range again.
    folder: of the run, where collapses.jsonl says what happened.

  Raises (when a line is shown):
    Collapsed: with another action than `'warn'`.
  """

  def __init__(self, signals: Sequence[Signal], action: Action, folder: pathlib.Path):
    self._signals, self._action, self._folder = signals, action, folder
    self._bad = [0] * len(signals)
    self._good: dict[int, int] = {}  # the last step in range of each signal that there was

  @property
  def good(self) -> int:
    """The last step by which every signal was in range."""
    return min(self._good.values(), default=0)

  def replay(self) -> None:
    """Looks at the lines that the run has left already, none of which raises an alarm."""
    lines = [row for name in LINES for row in files.rows(self._folder / name)]
    for row in sorted(lines, key=lambda row: row['step']):  # metrics before scores of a step
      self._look(row['step'], row)

  def __call__(self, step: int, row: Row) -> None:
    for k, collapse in self._look(step, row):
      if self._action != 'warn':
        raise collapse
      if self._bad[k] == self._signals[k].lines and hosts.is_first():  # said once
        logging.warning('COLLAPSE? %s; --on_collapse=rollback goes back to before it', collapse)
        note(self._folder, collapse, 'warn')

  def _look(self, step: int, row: Row) -> list[tuple[int, Collapsed]]:
    alarms: list[tuple[int, float]] = []
    for k, signal in enumerate(self._signals):
      value = signal.value(row)
      if value is None:
        continue
      if signal.least <= value <= signal.most:
        self._bad[k], self._good[k] = 0, step
      else:
        self._bad[k] += 1
        self._good.setdefault(k, 0)
        if self._bad[k] >= signal.lines:
          alarms.append((k, value))
    return [(k, Collapsed(step, self._signals[k].name, self.good, value)) for k, value in alarms]


def note(folder: pathlib.Path, collapse: Collapsed, action: Action, back_to: int | None = None
         ) -> None:
  """Adds a line to collapses.jsonl, whole or not at all."""
  row = {'step': collapse.step, 'signal': collapse.signal, 'good': collapse.good, 'action': action}
  if back_to is not None:
    row |= {'back_to': back_to, 'attempt': attempts(folder) + 1}
  before = [x for x in files.rows(folder / NAME) if x != row]  # noted again by a run that goes on
  with files.write_aside(folder / NAME) as f:
    f.writelines(json.dumps(x).encode() + b'\n' for x in [*before, row])


def attempts(folder: pathlib.Path) -> int:
  """How often a run went back."""
  return max((row.get('attempt', 0) for row in files.rows(folder / NAME)), default=0)


class Intervals(Protocol):
  """Of a run's settings."""

  @property
  def checkpoint_every(self) -> int: ...

  @property
  def eval_every(self) -> int: ...


def refuge(steps: Sequence[int], good: int, settings: Intervals) -> int | None:
  """The newest checkpoint of a run that was well, of those that are due at their step.

  Where a run was stopped there is one more, which one never stopped would not have.

  Args:
    steps: with a checkpoint.
    good: the last step that was well.
    settings: of the run.
  """
  due = lambda step: any(n and step % n == 0 for n in (
      settings.checkpoint_every, settings.eval_every))
  return max((step for step in steps if step <= good and due(step)), default=None)


def roll_back(folder: pathlib.Path, collapse: Collapsed, settings: Intervals) -> None:
  """Removes what was saved since the run was last well, and notes it.

  Killed in between, the run goes on from there and collapses again, at the same step.

  Raises:
    Collapsed: it went back too often already.
  """
  if attempts(folder) >= MOST:
    raise collapse
  saved = {int(path.name): path for path in folder.glob('checkpoints/*') if path.name.isdigit()}
  back_to = refuge(list(saved), collapse.good, settings) or 0
  for step, path in saved.items():
    if step > back_to:
      shutil.rmtree(path)
  note(folder, collapse, 'rollback', back_to)
  logging.warning('COLLAPSE: %s; back to step %d with %g times the rates, attempt %d', collapse,
                  back_to, BACKOFF ** attempts(folder), attempts(folder))
