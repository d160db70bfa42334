"""A lower bound on epsilon by one run: what breaks its promise is seen, what keeps it is not."""
import dp_accounting
import numpy as np
import pytest
from dp_accounting import pld

from jaxsynth.privacy.one_run import lower_bound

DELTA = 1e-5


def claimed(noise, steps=1, probability=1.):
  """Epsilon of so many noisy sums of vectors of norm 1 at most, by dp_accounting."""
  event = dp_accounting.GaussianDpEvent(noise)
  if probability < 1:
    event = dp_accounting.PoissonSampledDpEvent(probability, event)
  accountant = pld.PLDAccountant()
  accountant.compose(dp_accounting.SelfComposedDpEvent(event, steps))
  return accountant.get_epsilon(DELTA)


def trained(noise, canaries, seed, steps=1, probability=1.):
  """Noisy sums of orthogonal unit vectors, of each of which the mechanism has seen a coin's worth.

  Canary i is the i-th axis, so its score, what the released sums say along it, is
  `sum of 1[in, sampled] + N(0, steps noise^2)`: no attack knows more of it.
  """
  rng = np.random.default_rng(seed)
  included = rng.random(canaries) < .5
  seen = rng.binomial(steps, probability, canaries) * included
  scores = seen + rng.normal(0, noise * np.sqrt(steps), canaries)
  return scores[included], scores[~included]


@pytest.mark.long
@pytest.mark.parametrize('steps, canaries, epsilon', [(1, 5000, 4.), (10, 4000, 2.)])
def test_noise_that_was_halved_breaks_the_promise_and_right_noise_does_not(
    steps, canaries, epsilon):
  """In each of 20 seeds, by the bound for Gaussian noise, whose epsilon is then about twice."""
  noise = dp_accounting.get_sigma_gaussian(epsilon, DELTA) * np.sqrt(steps)
  assert claimed(noise, steps) == pytest.approx(epsilon, rel=.02)
  of = lambda noise: [lower_bound(*trained(noise, canaries, seed, steps), delta=DELTA,
                                  shares=(1 / 16,), gaussian=True).epsilon for seed in range(20)]
  right, halved = of(noise), of(noise / 2)
  assert max(right) < epsilon < min(halved) and max(halved) < claimed(noise / 2, steps)
  assert np.median(right) > .4 * epsilon  # it is not blind


def test_a_quarter_of_the_noise_breaks_the_promise_whatever_the_mechanism_is():
  """The bound of any mechanism sees about half of epsilon, so noise that was halved passes."""
  noise = dp_accounting.get_sigma_gaussian(2., DELTA)
  of = lambda noise: [lower_bound(*trained(noise, 5000, seed), delta=DELTA).epsilon
                      for seed in range(20)]
  right, quartered = of(noise), of(noise / 4)
  assert .4 < max(right) < 2 < min(quartered) and max(quartered) < claimed(noise / 4)


def test_what_a_poisson_sampled_training_promises_is_kept():
  noise, steps, probability = .6, 20, .2
  promise = claimed(noise, steps, probability)
  bounds = [lower_bound(*trained(noise, 5000, seed, steps, probability), delta=DELTA).epsilon
            for seed in range(20)]
  assert 0 < max(bounds) < promise


def test_a_coin_is_no_breach():
  """Nothing was learned: of 200 runs at confidence .8 at most a fifth is above 0."""
  rng = np.random.default_rng(0)
  above = [lower_bound(rng.normal(size=60), rng.normal(size=60), delta=DELTA,
                       confidence=.8).epsilon > 0 for _ in range(200)]
  assert np.mean(above) < .2


def test_raw_counts_are_no_bound():
  """Twenty runs that learned nothing: counts say an epsilon in many, the bound in none."""
  from jax_privacy.auditing import CanaryScoreAuditor
  raw, bounds = [], []
  for seed in range(20):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=100), rng.normal(size=100)
    raw.append(CanaryScoreAuditor(*scores).epsilon_raw_counts(min_count=1))
    bounds.append(lower_bound(*scores, delta=DELTA).epsilon)
  assert sum(x > .5 for x in raw) >= 5 and max(bounds) == 0


def test_all_right_is_the_most_that_so_few_can_show():
  """With p = q^r <= .05, q = 1 / (1 + exp(-epsilon)): epsilon = -log(.05^(-1/r) - 1)."""
  bound = lower_bound(np.arange(40) + 100., np.arange(40.), delta=1e-12, shares=(.5,))
  assert bound.epsilon == pytest.approx(-np.log(.05 ** (-1 / 40) - 1), abs=1e-4)
  assert (bound.canaries, bound.guesses, bound.right) == (80, 40, 40)
  more = lower_bound(np.arange(400) + 1e3, np.arange(400.), delta=1e-12, shares=(.5,))
  assert more.epsilon > bound.epsilon + 2


def test_many_tries_share_the_error():
  scores = np.arange(40) + 100., np.arange(40.)
  single = lower_bound(*scores, delta=DELTA, shares=(.5,)).epsilon
  tries = lower_bound(*scores, delta=DELTA, shares=(.5, .25)).epsilon
  stricter = lower_bound(*scores, delta=DELTA, shares=(.5,), confidence=.975).epsilon
  assert tries == pytest.approx(stricter) and tries < single


@pytest.mark.parametrize('included, given, message', [
    ([], {}, 'expected finite ones'), ([np.inf], {}, 'expected finite ones'),
    ([1.], {'delta': 0.}, 'a delta and a confidence in'), ([1.], {'shares': ()}, 'shares in')])
def test_bad_canaries_are_refused(included, given, message):
  with pytest.raises(ValueError, match=message):
    lower_bound(included, [1.], **{'delta': DELTA, **given})
