"""A private training: who learns privately, at what cost, and what it promises."""
from typing import Any, NamedTuple

from jaxsynth.privacy.budget import Budget, counted_by, RELATION
from jaxsynth.privacy.guarantee import Guarantee, ONE_EXAMPLE
from jaxsynth.privacy.private_grad import private_grad
from jaxsynth.types import Objective, Player

# of every private training
LEFT_OUT = (
    'Scores against real examples, samples chosen by them and checkpoints chosen by them are '
    'computed from the data without noise, and are not covered.',
    'The size of the data, their shape and their classes are taken as public; config.json holds '
    'a fingerprint of them besides, which is not covered.',
    'Other trainings on the same data, trials of settings among them, add what they spent.',
    'Whoever has the secret of the noise, the file privacy.key of the run, can take the noise '
    'away: it stays with the data. The random numbers are not of a cryptographic generator.',
    'An example is one row of the data: of a person with several, each is hidden by itself.')
OF_VALUES = ('The numbers by which values come into the model (ranges, quantiles, classes of '
             'columns) are taken from the data without noise, and are not covered.')


class Plan(NamedTuple):
  """How some players of a model learn privately.

  Attributes:
    budget: what it may cost, with the noise.
    players: that are private.
    clip_norm: the longest gradient of an example.
    multiplicity: draws of the loss's noise an example.
    microbatch: examples whose gradients are computed at once; 0 for all.
    left_out: what is not promised, a sentence each.
  """
  budget: Budget
  players: tuple[Player, ...]
  clip_norm: float = 1.
  multiplicity: int = 1
  microbatch: int = 0
  left_out: tuple[str, ...] = LEFT_OUT

  def grad_fn(self, objective: Objective, num_classes: int | None) -> Any:
    """The `private_grad.private_grad` of an objective.

    Raises:
      ValueError: what `private_grad` refuses.
    """
    return private_grad(
        objective, self.players, clip_norm=self.clip_norm,
        noise_multiplier=self.budget.noise_multiplier, batch_size=self.budget.batch_size,
        microbatch=self.microbatch, multiplicity=self.multiplicity, num_classes=num_classes)

  def guarantee(self, steps: int) -> Guarantee:
    """What is promised of a run of so many steps."""
    draws = f', the mean of {self.multiplicity} draws,' if self.multiplicity > 1 else ''
    budget = self.budget
    return Guarantee(
        budget.after(steps), budget.delta, RELATION, ONE_EXAMPLE,
        f"In every step the gradient of each example{draws} is clipped to a length of "
        f'{self.clip_norm:g}, and normal noise of {budget.noise_multiplier:.4g} times that length '
        'is added to their sum (DP-SGD, Abadi et al. 2016); all else follows from such sums.',
        'poisson', counted_by(), budget.noise_multiplier, self.clip_norm, budget.probability,
        steps * budget.charges, budget.size, self.players, self.left_out).checked()
