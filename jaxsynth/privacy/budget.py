"""What a private training may cost, and what it has cost after some of its steps."""
from collections.abc import Collection, Sequence
import functools
import importlib.metadata
import logging
import math
from typing import Any, NamedTuple

from jaxsynth.privacy import package

OVERFLOW = 1e-6  # largest probability that more examples are drawn than a batch has rows
LEAST_NOISE = .25  # that is tried: below it epsilon is large, and counting it takes minutes
GRAIN = 1e-4  # of the privacy losses that are counted
RELATION = 'add_or_remove_one'


class Budget(NamedTuple):
  """A number of steps with noise, each on a batch drawn by Poisson sampling.

  A batch has every example with probability `q = batch_size / size`, and of more than `rows`
  a random subset. Epsilon is of that mechanism, composed `charges` times a step.

  Attributes:
    epsilon: that must not be passed.
    delta: the probability by which the promise may fail.
    size: of the data, in examples.
    batch_size: examples that are drawn on average.
    rows: of a batch, of which those that are no examples are padding.
    noise_multiplier: standard deviation of the noise, in units of the clip norm.
    charges: times that a step uses real examples: the phases of its schedule with a private
      player in them, whichever number of passes they make.
  """
  epsilon: float
  delta: float
  size: int
  batch_size: int
  rows: int
  noise_multiplier: float
  charges: int = 1

  @property
  def probability(self) -> float:
    """Of an example to be in a batch."""
    return self.batch_size / self.size

  def after(self, steps: int) -> float:
    """Epsilon after some steps: 0 before any, infinite without noise.

    >>> budget = Budget(8., 1e-5, 1000, 10, 40, 1.)
    >>> budget.after(0), budget.after(100) < budget.after(200) < 8
    (0.0, True)
    """
    return _epsilon(steps * self.charges, self.noise_multiplier, self.size, self.batch_size,
                    self.rows, self.delta)

  def about(self, steps: int) -> float:
    """`after`, of a few more steps than these at most: one of eight numbers an octave.

    It is never too low, nor above a budget that is kept to, and cheap for every line of a log.
    """
    grain = 1 << max(0, steps.bit_length() - 4)
    epsilon = self.after(-(-steps // grain) * grain)
    return epsilon if epsilon <= self.epsilon else max(self.epsilon, self.after(steps))

  def affords(self, steps: int) -> bool:
    """Whether epsilon is not passed by so many steps."""
    return self.after(steps) <= self.epsilon

  def selection(self, phases: int = 1) -> Any:
    """The Poisson sampling of a step, for `data.poisson_batches.batch_at`."""
    return package.load('jax_privacy.batch_selection').CyclicPoissonSampling(
        sampling_prob=self.probability, iterations=phases, truncated_batch_size=self.rows)


def calibrated(epsilon: float, delta: float, *, size: int, batch_size: int, steps: int,
               charges: int = 1, multiple: int = 1, noise_multiplier: float = 0.) -> Budget:
  """The budget of a training, with the least noise that keeps to it.

  Args:
    epsilon: that must not be passed, above 0.
    delta: in (0, 1), less than `1 / size` to mean anything; else it is warned of.
    size: of the data, in examples.
    batch_size: examples a batch on average.
    steps: of the training.
    charges: times that a step uses real examples.
    multiple: of which the rows of a batch are one, as microbatches and devices are.
    noise_multiplier: the noise; 0 for the least, within .1 %.

  Raises:
    ValueError: numbers out of range, or a given noise that does not keep to epsilon.
    ImportError: jax_privacy is not installed.

  >>> budget = calibrated(2., 1e-5, size=50, batch_size=50, steps=1)
  >>> bool(.98 * 2 < budget.after(1) <= 2), budget.rows
  (True, 50)
  """
  check(epsilon, delta, size)
  for name, value, least in (('steps', steps, 1), ('charges', charges, 1),
                             ('multiple', multiple, 1), ('noise_multiplier', noise_multiplier, 0)):
    if value < least:
      raise ValueError(f'{name}={value}: expected at least {least}')
  rows = rows_for(batch_size, size, multiple)
  budget = Budget(epsilon, delta, size, batch_size, rows, noise_multiplier, charges)
  if not noise_multiplier:
    return budget._replace(noise_multiplier=_least_noise(budget, steps * charges))
  if not budget.affords(steps):
    raise ValueError(
        f'noise_multiplier={noise_multiplier}: {steps} steps come to epsilon '
        f'{budget.after(steps):.3g}, expected {epsilon:.3g} at most; take '
        f'{_least_noise(budget, steps * charges):.3g} or more, or fewer steps')
  return budget


def charges(schedule: Sequence[Sequence[str]], players: Collection[str]) -> int:
  """How often a step uses real examples: the phases in which a private player learns.

  A phase is one sum of clipped gradients with noise, whatever its passes through a network.

  Args:
    schedule: the phases, each the players it trains.
    players: that are private.

  >>> charges([('discriminator',), ('discriminator',), ('generator',)], ('discriminator',))
  2
  """
  return sum(bool(set(phase) & set(players)) for phase in schedule)


def check(epsilon: float, delta: float, size: int) -> None:
  """Holds that there can be such a promise of so many examples, and warns of an empty one.

  Raises:
    ValueError: epsilon or delta out of range.
  """
  if not 0 < epsilon < math.inf:
    raise ValueError(f'epsilon={epsilon}: expected a number above 0')
  if not 0 < delta < 1:
    raise ValueError(f'delta={delta}: expected a probability in (0, 1)')
  if delta > 1 / size:
    logging.getLogger('absl').warning(
        'delta=%g is above 1/%d = %.2g: a program that gives away one example chosen by chance '
        'would keep to it; take less, as %.0e', delta, size, 1 / size, .1 / size)


def rows_for(batch_size: int, size: int, multiple: int = 1) -> int:
  """Rows of a batch that almost always hold what Poisson sampling gives.

  Raises:
    ValueError: a batch larger than the data.

  >>> rows_for(256, 55000), rows_for(256, 55000, 16), rows_for(9, 9)
  (335, 336, 9)
  """
  from scipy import stats
  if not 1 <= batch_size <= size:
    raise ValueError(f'batch_size={batch_size}: expected 1 to {size}, as many as the data have')
  most = int(stats.binom.isf(OVERFLOW, size, batch_size / size))
  return -(-max(batch_size, min(most, size)) // multiple) * multiple


def counted_by() -> str:
  """What counts, with its version."""
  package.load('dp_accounting')
  return f'PLD of dp_accounting {importlib.metadata.version("dp_accounting")}'


def _least_noise(budget: Budget, updates: int) -> float:
  """The noise multiplier by which so many updates just keep to epsilon.

  Calibrated as if batches had rows without end, which is counted five times faster, then raised
  a little until it keeps to epsilon as they are.
  """
  accounting = package.load('jax_privacy.accounting')
  accountant = accounting.DpsgdTrainingAccountant(
      accounting.PldAccountantConfig(value_discretization_interval=GRAIN))
  enough = lambda noise: accountant.compute_epsilon(updates, accounting.DpParams(
      noise_multipliers=noise, num_samples=budget.size, delta=budget.delta,
      batch_size=budget.batch_size)) <= budget.epsilon
  most = 2.
  while most / 2 >= LEAST_NOISE and enough(most / 2):
    most /= 2
  noise = most if most / 2 < LEAST_NOISE else accounting.calibrate_noise_multiplier(
      target_epsilon=budget.epsilon, accountant=accountant, batch_sizes=budget.batch_size,
      num_updates=updates, num_samples=budget.size, target_delta=budget.delta,
      initial_min_noise=most / 2, initial_max_noise=most, tol=5e-4)
  while not budget._replace(noise_multiplier=noise, charges=1).affords(updates):
    noise *= 1.001
  return noise


@functools.lru_cache(maxsize=4096)
def _epsilon(updates: int, noise: float, size: int, batch_size: int, rows: int, delta: float
             ) -> float:
  if not updates:
    return 0.
  if not noise:
    return math.inf
  return float(_update(noise, size, batch_size, rows).self_compose(updates).get_epsilon_for_delta(
      delta))


@functools.lru_cache(maxsize=8)
def _update(noise: float, size: int, batch_size: int, rows: int) -> Any:
  """The privacy loss distribution of one batch: what takes long of counting."""
  pld = package.load('dp_accounting.pld.privacy_loss_distribution')
  return pld.from_truncated_subsampled_gaussian_mechanism(
      size, batch_size / size, rows, noise, value_discretization_interval=GRAIN)
