"""What epsilon of one training is at least, by canaries of which it saw a random half."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.privacy import package

GUESSED = (1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64)  # shares of the canaries


class Bound(NamedTuple):
  """A lower bound on epsilon: training that is private with less would seldom score so.

  Attributes:
    epsilon: no smaller one goes with what was seen; 0 where all do.
    delta: that it goes with.
    confidence: that the bound holds, whatever the training is.
    canaries: how many there were, in or out by a fair coin each.
    guesses: canaries that were said to be in, where the bound is largest.
    right: of them, those that were.
    gaussian: whether it is for mechanisms whose privacy is that of Gaussian noise alone.
  """
  epsilon: float
  delta: float
  confidence: float
  canaries: int
  guesses: int
  right: int
  gaussian: bool = False

  def to_json(self) -> dict[str, Any]:
    """The same of JSON's types."""
    return self._asdict()


def lower_bound(included: Any, left_out: Any, *, delta: float, confidence: float = .95,
                shares: Sequence[float] = GUESSED, gaussian: bool = False) -> Bound:
  """A lower bound on epsilon from scores of canaries of a single run.

  Of `m` canaries the `r` that score highest are said to be in, the others nothing is said of. If
  the training is `(epsilon, delta)`-private for data sets with an example more or fewer, right
  guesses are at most about `Binomial(r, 1 / (1 + exp(-epsilon)))`, and the bound is the largest
  epsilon that they refute. How many are guessed is not chosen by what was seen: each of `shares` is
  tried with its part of the error, `(1 - confidence) / len(shares)`. Counts alone, as
  `log(TPR / FPR)`, are no bound: of a few canaries chance makes them what it likes.

  That bound is of any mechanism, and loose: of Gaussian noise it sees about half of epsilon. With
  `gaussian` it is of mechanisms that hide an example as well as Gaussian noise of this
  `(epsilon, delta)` at every rate of errors, as a single noisy release does (f-DP), and nearly
  tight; many steps with sampled batches come near to such a one, and are none.

  Args:
    included: scores `[K]` of the canaries that were learned from; the higher, the surer.
    left_out: scores `[L]` of the others. Which is which was a fair coin each, and nothing but the
      training knew it when the scores were made.
    delta: above 0, that of the claim.
    confidence: of the bound.
    shares: of the canaries that are guessed, fixed beforehand.
    gaussian: whether the mechanism is a release under Gaussian noise.

  Raises:
    ValueError: no scores or some that are not finite, or numbers out of range.
    ImportError: the extra `privacy` is not installed.

  Steinke, Nasr & Jagielski 2023, https://arxiv.org/abs/2305.08846, theorem 5.2 and algorithm 1;
  with `gaussian` Mahloujifar, Melis & Chaudhuri 2024, https://arxiv.org/abs/2410.22235; as
  `jax_privacy.auditing` has them.

  >>> bound = lower_bound(np.arange(300) + 1000., np.arange(300.), delta=1e-5)
  >>> print(f'{bound.epsilon:.2f} with {bound.right} of {bound.guesses} right')
  4.09 with 300 of 300 right
  """
  scores = [np.asarray(x, np.float64) for x in (included, left_out)]
  if any(x.ndim != 1 or not x.size or not np.isfinite(x).all() for x in scores):
    raise ValueError(f'scores {[list(x.shape) for x in scores]}: expected finite ones of canaries '
                     'that were in and of such that were not, [K] and [L]')
  if not (0 < delta < 1 and 0 < confidence < 1 and shares and all(0 < x <= 1 for x in shares)):
    raise ValueError(f'delta={delta}, confidence={confidence}, shares={list(shares)}: expected a '
                     'delta and a confidence in (0, 1), and shares in (0, 1]')
  auditing = package.load('jax_privacy.auditing')
  auditor = auditing.CanaryScoreAuditor(*scores)
  falling = np.sort(np.concatenate(scores))[::-1]
  bound_of = auditor.epsilon_one_run_fdp if gaussian else auditor.epsilon_one_run
  best = Bound(0., delta, confidence, len(falling), 0, 0, gaussian)
  for share in shares:
    threshold = falling[max(1, round(share * len(falling))) - 1]
    epsilon = bound_of(
        (1 - confidence) / len(shares), delta,
        threshold_strategy=auditing.Explicit(float(threshold)))
    right, wrong = (int((x >= threshold).sum()) for x in scores)
    if epsilon > best.epsilon:
      best = best._replace(epsilon=float(epsilon), guesses=right + wrong, right=right)
  return best
