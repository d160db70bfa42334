"""What a training costs, against the analysis of the Gaussian mechanism and published numbers."""
import logging
import math

import numpy as np
import pytest
from scipy import stats

from jaxsynth import data
from jaxsynth.data import poisson_batches
from jaxsynth.privacy import budget as budgets, calibrated, Plan
from jaxsynth.privacy.budget import Budget, rows_for

# every example in every batch: a Gaussian mechanism, composed
ALL = Budget(epsilon=9., delta=1e-5, size=10, batch_size=10, rows=10, noise_multiplier=2.)


def gaussian_delta(epsilon, noise):
  """Balle & Wang 2018, https://arxiv.org/abs/1805.06530, theorem 8, of sensitivity 1."""
  a, b = 1 / (2 * noise), epsilon * noise
  return stats.norm.cdf(a - b) - math.exp(epsilon) * stats.norm.cdf(-a - b)


@pytest.mark.parametrize('steps, charges', [(1, 1), (4, 1), (2, 2)])
def test_without_sampling_it_is_the_gaussian_mechanism(steps, charges):
  """`k` releases with noise `S` are one with noise `S / sqrt(k)`."""
  epsilon = ALL._replace(charges=charges).after(steps)
  np.testing.assert_allclose(gaussian_delta(epsilon, 2 / math.sqrt(steps * charges)), 1e-5,
                             rtol=5e-3)


def test_sampled_it_is_what_the_accountant_is_known_to_give():
  """q = .01, noise 1, 1,000 steps, delta 1e-5: 1.828 by PLD (2.101 by Renyi divergences)."""
  sampled = Budget(9., 1e-5, 100_000, 1000, rows_for(1000, 100_000), 1.)
  np.testing.assert_allclose(sampled.after(1000), 1.828, atol=2e-3)


def test_it_is_what_jax_privacy_counts():
  accounting = pytest.importorskip('jax_privacy.accounting')
  sampled = Budget(9., 1e-5, 2000, 20, 31, .9)
  theirs = accounting.DpsgdTrainingAccountant(accounting.PldAccountantConfig()).compute_epsilon(
      30, accounting.DpParams(noise_multipliers=.9, num_samples=2000, delta=1e-5, batch_size=20,
                              truncated_batch_size=31))
  np.testing.assert_allclose(sampled.after(30), theirs, rtol=1e-6)


def test_it_starts_at_nothing_and_never_says_too_little():
  assert ALL.after(0) == ALL.about(0) == 0
  assert ALL._replace(noise_multiplier=0.).after(1) == math.inf
  wide = ALL._replace(epsilon=99.)
  for steps in (1, 31, 33, 100):
    assert ALL.after(steps) <= wide.about(steps) <= ALL.after(steps + steps // 8)
  kept = ALL._replace(epsilon=ALL.after(33))  # 33 steps are counted as 36
  assert kept.about(33) == kept.epsilon < wide.about(33) == ALL.after(36)


def test_noise_is_the_least_that_keeps_to_epsilon():
  least = calibrated(1., 1e-5, size=20, batch_size=20, steps=1)
  np.testing.assert_allclose(gaussian_delta(1., least.noise_multiplier), 1e-5, rtol=.02)
  assert .99 < least.after(1) <= 1 and not least.affords(2)
  twice = calibrated(1., 1e-5, size=20, batch_size=20, steps=1, charges=2)
  np.testing.assert_allclose(twice.noise_multiplier, math.sqrt(2) * least.noise_multiplier,
                             rtol=5e-3)


def test_noise_that_is_given_must_keep_to_epsilon():
  assert calibrated(9., 1e-5, size=20, batch_size=20, steps=1, noise_multiplier=3.
                    ).noise_multiplier == 3
  with pytest.raises(ValueError, match='noise_multiplier=0.5: 2 steps come to epsilon 1.*'
                     'expected 1 at most; take 5.* or more, or fewer steps'):
    calibrated(1., 1e-5, size=20, batch_size=20, steps=2, noise_multiplier=.5)


@pytest.mark.parametrize('change, message', [
    (dict(epsilon=0.), 'epsilon=0.0: expected a number above 0'),
    (dict(epsilon=-1.), 'epsilon=-1.0: expected'), (dict(epsilon=math.inf), 'epsilon=inf'),
    (dict(delta=0.), r'delta=0.0: expected a probability in \(0, 1\)'),
    (dict(batch_size=21), 'batch_size=21: expected 1 to 20, as many as the data have'),
    (dict(batch_size=0), 'batch_size=0: expected 1 to 20'),
    (dict(steps=0), 'steps=0: expected at least 1'),
    (dict(noise_multiplier=-1.), 'noise_multiplier=-1.0: expected at least 0')])
def test_what_cannot_be_a_budget_is_refused(change, message):
  with pytest.raises(ValueError, match=message):
    calibrated(**{'epsilon': 1., 'delta': 1e-5, 'size': 20, 'batch_size': 4, 'steps': 2} | change)


def test_a_delta_that_means_nothing_is_warned_of_with_the_number(caplog):
  with caplog.at_level(logging.WARNING, 'absl'):
    budgets.check(1., 1e-5, 20)
    assert not caplog.text
    budgets.check(1., .1, 20)
  assert 'delta=0.1 is above 1/20 = 0.05' in caplog.text


@pytest.mark.parametrize('size, batch_size', [(55_000, 256), (5000, 128), (20, 20), (400, 3)])
def test_more_than_a_batch_has_rows_for_come_once_in_a_million(size, batch_size):
  rows = rows_for(batch_size, size)
  assert stats.binom.sf(rows, size, batch_size / size) <= 1e-6
  assert rows == size or stats.binom.sf(rows - 1, size, batch_size / size) > 1e-6
  assert rows_for(batch_size, size, 16) % 16 == 0 <= rows_for(batch_size, size, 16) - rows < 16


def source_of(size):
  """The values are the positions, counted from 1: padding is 0."""
  return data.ArraySource.of(np.arange(1, size + 1, dtype=np.uint8).reshape(-1, 1, 1, 1),
                          np.arange(size) % 3, name='positions')


def test_batches_are_poisson_samples():
  """Each example is in a third of the batches, by itself: sizes spread as a binomial's."""
  sampled = Budget(1., 1e-5, 60, 20, rows_for(20, 60), 1.)
  batch = poisson_batches.batch_at(source_of(60), sampled.selection(), sampled.rows, 0)
  times, sizes = np.zeros(61), []
  for k in range(3000):
    values, padding = batch(k)['image'].ravel(), batch(k)['padding']
    assert len(set(values[~padding])) == (~padding).sum() and not values[padding].any()
    times[values[~padding]] += 1
    sizes.append((~padding).sum())
  # 3000 / 3 with a standard deviation of 25.8
  np.testing.assert_allclose(times[1:], 1000, atol=4.5 * 25.8)
  np.testing.assert_allclose(times[1:].std(), 25.8, rtol=.35)
  np.testing.assert_allclose(np.mean(sizes), 20, atol=.3)
  np.testing.assert_allclose(np.var(sizes), 60 / 3 * 2 / 3, rtol=.1)


def test_a_batch_is_a_function_of_seed_and_step():
  sampled = Budget(1., 1e-5, 60, 20, rows_for(20, 60), 1.)
  of = lambda seed, k, **more: poisson_batches.batch_at(
      source_of(60), sampled.selection(more.get('phases', 1)), sampled.rows, seed, **more)(k)
  same = lambda a, b: all(np.array_equal(a[name], b[name]) for name in a)
  assert same(of(1, 5), of(1, 5))
  assert not same(of(1, 5), of(1, 6)) and not same(of(1, 5), of(2, 5))
  assert not same(of(1, 5), of(1 + 2 ** 32, 5))
  two = of(1, 5, phases=2)
  assert two['image'].shape == (2, sampled.rows, 1, 1, 1) and two['padding'].shape[0] == 2
  assert not np.array_equal(two['image'][0], two['image'][1])


def test_hosts_share_a_batch():
  sampled = Budget(1., 1e-5, 60, 20, 40, 1.)
  of = lambda i, n: poisson_batches.batch_at(
      source_of(60), sampled.selection(), 40, 3, process_index=i, process_count=n)(7)
  for name, whole in of(0, 1).items():
    np.testing.assert_array_equal(np.concatenate([of(i, 4)[name] for i in range(4)]), whole)


def test_more_than_fit_are_a_random_part():
  crowded = Budget(1., 1e-5, 60, 30, 31, 1.)
  batch = poisson_batches.batch_at(source_of(60), crowded.selection(), 31, 0)
  sizes = [(~batch(k)['padding']).sum() for k in range(40)]
  assert max(sizes) == 31 and sizes.count(31) > 5


@pytest.mark.parametrize('change, message', [
    (dict(rows=0), 'rows=0, phases=1: expected at least 1'),
    (dict(process_count=3, rows=31), 'a count that divides rows=31'),
    (dict(seed=-1), 'seed=-1'), (dict(phases=2), r'selections of \[\d+\] examples: expected 2')])
def test_bad_batches_are_refused(change, message):
  options = {'rows': 60, 'seed': 0} | change
  with pytest.raises(ValueError, match=message):
    poisson_batches.batch_at(source_of(60), ALL._replace(size=60).selection(), **options)(0)


def test_a_plan_says_what_it_promises():
  promise = Plan(ALL, ('flow',), .5, multiplicity=4).guarantee(3)
  assert promise.epsilon == ALL.after(3) and promise.steps == 3 and promise.size == 10
  assert 'the mean of 4 draws, is clipped to a length of 0.5' in promise.mechanism
  assert promise.released == ('flow',) and promise.accountant.startswith('PLD of dp_accounting 0')
  assert any('secret of the noise' in x for x in promise.left_out)
