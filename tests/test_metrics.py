"""Scores against analysis, and faults that were planted."""
import functools

from hypothesis import given, settings, strategies
import jax
import numpy as np
import pytest

from jaxsynth.data import mnist5k
from jaxsynth.metrics import (balance, classifier_score, floor, frechet, kernel, modes, moments,
                              prdc, statistics)


def test_frechet_of_two_gaussians():
  rng = np.random.default_rng(0)
  # commuting covariances: |m|^2 + sum (sqrt a - sqrt b)^2 = 4 + (1 - 2)^2 + (3 - 1)^2 = 9
  turn, _ = np.linalg.qr(rng.normal(size=(2, 2)))
  a, b = (turn @ np.diag(s) @ turn.T for s in ([1., 9.], [4., 1.]))
  found = frechet.gaussian_distance(np.zeros(2), a, np.array([0., 2.]), b)
  np.testing.assert_allclose(found, 9, rtol=1e-12)
  # in one dimension, from samples: (m - n)^2 + (s - t)^2
  x, y = rng.normal(0, 1, (200_000, 1)), rng.normal(1, 3, (200_000, 1))
  np.testing.assert_allclose(frechet.frechet_distance(x, y), 1 + 4, rtol=.02)


def test_frechet_of_equal_sets_is_zero_and_of_a_shift_its_square():
  x = np.random.default_rng(0).normal(1e3, 1, (500, 40)).astype(np.float32)
  assert frechet.frechet_distance(x, x) < 1e-4
  np.testing.assert_allclose(frechet.frechet_distance(x, x + np.float32(2)), 160, rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(strategies.lists(strategies.integers(0, 7), min_size=1, max_size=5))
def test_moments_are_a_monoid(sizes):
  rng = np.random.default_rng(0)
  parts = [rng.normal(5, 1, (n, 3)) for n in sizes]
  each = [moments.of(p) if len(p) else moments.empty(3) for p in parts]
  left = functools.reduce(moments.merge, each, moments.empty(3))
  right = functools.reduce(lambda a, b: moments.merge(b, a), reversed(each), moments.empty(3))
  whole = np.concatenate(parts)
  for found in (left, right):
    assert found.samples == len(whole)
    if len(whole) > 1:
      np.testing.assert_allclose(found.mean, whole.mean(0), rtol=1e-6)
      np.testing.assert_allclose(found.covariance, np.cov(whole.T), rtol=1e-5, atol=1e-6)


def test_moments_of_many_rows_far_from_zero():
  x = np.random.default_rng(0).normal(1e4, 1, (3 * moments.ROWS + 5, 4)).astype(np.float32)
  found = moments.of(x)
  np.testing.assert_allclose(found.mean, x.mean(0, dtype=np.float64), rtol=1e-9)
  np.testing.assert_allclose(found.covariance, np.cov(x.T.astype(np.float64)), atol=2e-6)


def test_kernel_distance_of_two_points_by_hand():
  # one dimension, k(x, y) = (xy + 1)^3; subsets of 2 of 3 equal samples are those samples:
  # k(1, 1) = 8, k(2, 2) = 125, k(1, 2) = 27: 8 + 125 - 2 27 = 79
  found = kernel.kernel_distance(np.ones((3, 1)), np.full((3, 1), 2.), subset_size=2)
  assert found == (79, 0)


@pytest.mark.parametrize('shift', [0., .15])
def test_kernel_distance_is_unbiased_and_its_error_is_true(shift):
  rng = np.random.default_rng(0)
  draws = [kernel.kernel_distance(rng.normal(size=(400, 4)), rng.normal(shift, 1, (400, 4)),
                                  subsets=40, subset_size=100) for _ in range(100)]
  values, errors = np.array(draws).T

  # E (x.y / 4 + 1)^3 = 1 + 3/4 E(x.y) + 3/16 E(x.y)^2 + 1/64 E(x.y)^3
  def mean(m, n):
    z = np.random.default_rng(1).normal(size=(2, 500_000, 4))
    return np.mean(((z[0] + m) * (z[1] + n)).sum(1) ** np.arange(4)[:, None]
                   * np.array([1, 3 / 4, 3 / 16, 1 / 64])[:, None], 1).sum()
  truth = mean(0, 0) + mean(shift, shift) - 2 * mean(0, shift)
  assert abs(values.mean() - truth) < 3 * values.std() / 10 + 8e-3
  # the jackknife's is conservative where the distributions are equal
  assert .7 < errors.mean() / values.std() < (1.5 if shift else 3)


def test_prdc_of_equal_and_of_distant_sets():
  x = np.random.default_rng(0).normal(size=(300, 8))
  # all but the k-th neighbour itself are inside: k of k
  assert prdc.prdc(x, x) == prdc.prdc(x, x, block=7) == (1, 1, 1, 1)
  assert prdc.prdc(x, x + 100) == (0, 0, 0, 0)


@pytest.mark.parametrize('width', [2, 1000])
def test_prdc_settles_what_is_too_close_to_call(width):
  rng = np.random.default_rng(0)
  real, fake = (rng.integers(0, 3, (n, width)).astype(np.float32) for n in (150, 170))
  fake[:30] = real[:30]  # integers: many distances are equal, and exactly known
  d = lambda a, b: ((a[:, None].astype(np.float64) - b[None]) ** 2).sum(-1)
  radius = lambda x: np.sort(d(x, x), 1)[:, 3]
  in_real, in_fake = d(fake, real) < radius(real)[None], d(fake, real) < radius(fake)[:, None]
  truth = (in_real.any(1).mean(), in_fake.any(0).mean(), in_real.sum() / 3 / 170,
           in_real.any(0).mean())
  np.testing.assert_allclose(prdc.prdc(real, fake, 3, block=64), truth, rtol=1e-12)


@pytest.fixture(scope='module')
def digits():
  source = mnist5k('train')
  x = source.images.reshape(source.size, -1).astype(np.float32) / 255
  order = np.random.default_rng(0).permutation(len(x))
  return x[order], source.labels[order]


def test_dropped_classes_lower_recall_and_coverage_and_not_precision(digits):
  x, labels = digits
  real, fake = x[:1000], x[1000:2000]
  good, bad = prdc.prdc(real, fake), prdc.prdc(real, fake[labels[1000:2000] < 5])
  assert bad.recall < good.recall - .2 and bad.coverage < good.coverage - .3
  assert bad.precision > good.precision - .05


def grey_levels(images):
  """Shares of four grey levels in each of 16 cells, `[N, 64]`."""
  cells, edges = images.reshape(-1, 4, 7, 4, 7), (-1, .1, .5, .9, 2)
  shares = [((cells > low) & (cells <= high)).mean((2, 4)) for low, high in zip(edges, edges[1:])]
  return np.stack(shares, -1).reshape(len(images), -1)


def test_blur_lowers_precision_where_the_features_see_it(digits):
  images = digits[0].reshape(-1, 28, 28)
  real, fake = images[:1000], images[1000:2000]
  blurred = sum(np.roll(fake, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
  good, bad = (prdc.prdc(grey_levels(real), grey_levels(x)) for x in (fake, blurred))
  assert good.precision > .9 and bad.precision < .1
  # linear in the pixels, blur moves images to the middle of all balls
  good, bad = (prdc.prdc(*(s.reshape(1000, -1) for s in (real, x))) for x in (fake, blurred))
  assert bad.precision > good.precision


def test_every_distance_sees_dropped_classes(digits):
  x, labels = digits
  real, fake = x[:2000, ::7], x[2000:, ::7]
  bad = fake[labels[2000:] < 5]
  for score in (functools.partial(frechet.frechet_distance, allow_singular=True),
                lambda a, b: kernel.kernel_distance(a, b, subset_size=500).value,
                lambda a, b: statistics.compare(a, b).ks.mean()):
    assert score(real, bad) > 2 * abs(floor.floor(score, real, 1000))


def test_classifier_score():
  even = np.full((50, 5), .2)
  np.testing.assert_allclose(classifier_score.classifier_score(even), (1, 0), atol=1e-12)
  # two of three classes, half each: exp(H) = 2
  p = np.eye(3)[[0, 1] * 50]
  found = classifier_score.classifier_score(p, splits=5, seed=None)
  np.testing.assert_allclose(found, (2, 0), atol=1e-12)


def test_modes_against_known_shares_by_hand():
  """Halves against shares 3/4 and 1/4: log(2/3) / 2 + log(2) / 2."""
  got = modes.modes([0, 1, 0, 1], 3, shares=[3, 1, 0])
  assert got[:2] == (2, 3)
  np.testing.assert_allclose(got.reverse_kl, (np.log(2 / 3) + np.log(2)) / 2)
  for wrong in ({'shares': [1., 1.]}, {'shares': [1., -1., 1.]}, {'shares': [1] * 3, 'real': [0]}):
    with pytest.raises(ValueError, match='expected 3 numbers of at least 0'):
      modes.modes([0], 3, **wrong)
  with pytest.raises(ValueError, match='mode 2 has 1 fakes and no real'):
    modes.modes([2], 3, shares=[1, 1, 0])


def test_modes_of_even_draws_have_the_known_bias():
  labels = np.random.default_rng(0).integers(0, 10, (26_000, 3))
  found = modes.modes(modes.stack(labels))
  assert found.reached == 1000
  np.testing.assert_allclose(found.reverse_kl, 999 / 52_000, rtol=.1)
  dropped = modes.modes(modes.stack(labels[labels[:, 0] > 0]), real=modes.stack(labels))
  assert dropped.reached == 900
  np.testing.assert_allclose(dropped.reverse_kl, -np.log((labels[:, 0] > 0).mean()), rtol=.02)


def test_balance():
  found = balance.class_balance([0, 0, 1, 3], 4)
  assert found.counts.tolist() == [2, 1, 0, 1] and found.missing == (2,)
  assert found.ratio == float('inf') and found.total_variation == .25
  np.testing.assert_allclose(found.entropy, 1.5 * np.log(2) / np.log(4))
  even = balance.class_balance(np.arange(1000) % 4, 4)
  assert even[2:] == (1, pytest.approx(1), 0, 1)
  assert balance.class_balance(np.arange(1000) % 4, 4, [2, 1, 1, 1]).p_value < 1e-6


def test_scores_take_jax_arrays_and_do_not_depend_on_the_device():
  a, b = jax.random.normal(jax.random.key(0), (2, 200, 6))
  for score in (frechet.frechet_distance, prdc.prdc,
                lambda x, y: kernel.kernel_distance(x, y, subset_size=100)):
    here = score(a, b)
    there = score(*(jax.device_put(x, jax.devices()[1]) for x in (a, b)))
    assert here == there == score(np.asarray(a), np.asarray(b))


def test_floor_is_of_disjoint_halves_and_refuses_to_reuse():
  real = np.arange(20.)[:, None]
  parts = floor.floor(lambda a, b: (a, b), real, 10, seed=3)
  assert sorted(np.concatenate(parts)[:, 0]) == list(range(20))
  assert (floor.floor(lambda a, b: a, real, 10, seed=3) == parts[0]).all()
  with pytest.raises(ValueError, match='at most 10 each'):
    floor.floor(lambda a, b: 0, real, 11)
