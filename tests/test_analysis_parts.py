"""Monoids, tests and dimensions against analysis and named peers."""
import numpy as np
import pytest
from scipy import stats

from jaxsynth import data
from jaxsynth.data import analysis
from jaxsynth.data.analysis import (dimension, drift, duplicates, histogram, labels, moments,
                                    multiple, neighbourhood, outliers)
from jaxsynth.data.analysis.scan import sample, scan
from jaxsynth.kinds import pooling
from jaxsynth.metrics.neighbours import nearest_other

RNG = np.random.default_rng(0)


def same(a, b, rtol=1e-9):
  for x, y in zip(a, b, strict=True):
    np.testing.assert_allclose(x, y, rtol=rtol, atol=1e-9)


def test_moments_are_a_monoid_and_those_of_scipy():
  x = RNG.gamma(2, 3, (50, 4)) + 1e4  # far from 0: naive sums would cancel
  whole = moments.of(x)
  parts = [moments.of(x[a:b]) for a, b in ((0, 1), (1, 20), (20, 50))]
  left = moments.merge(moments.merge(parts[0], parts[1]), parts[2])
  right = moments.merge(parts[0], moments.merge(parts[1], parts[2]))
  for other in (left, right, moments.merge(moments.empty((4,)), whole),
                moments.merge(whole, moments.empty((4,))), moments.merge(whole, moments.of(x[:0]))):
    same(other, whole, 1e-7)
  same([whole.mean, whole.variance, whole.skewness, whole.kurtosis, whole.low, whole.high],
       [x.mean(0), x.var(0), stats.skew(x), stats.kurtosis(x), x.min(0), x.max(0)], 1e-7)
  flat = moments.pool(whole)
  same([flat.n, flat.mean, flat.variance, flat.skewness, flat.kurtosis],
       [200, x.mean(), x.var(), stats.skew(x.ravel()), stats.kurtosis(x.ravel())], 1e-6)


def test_moments_leave_out_what_is_not_finite():
  x = np.array([[1., np.nan], [3., np.inf], [5., np.nan]])
  found = moments.of(x)
  assert found.n.tolist() == [3, 0] and found.mean.tolist() == [3, 0]
  both = moments.merge(found, moments.of(np.array([[np.nan, 7.]])))
  assert both.n.tolist() == [3, 1] and both.mean.tolist() == [3, 7]
  assert both.variance.tolist() == [8 / 3, 0]


def test_histograms_are_a_monoid():
  x, edges = RNG.normal(size=99), np.linspace(-1, 1, 9)
  whole = histogram.of(x, edges)
  assert whole.counts.sum() + whole.below + whole.above == 99
  parts = histogram.merge(histogram.of(x[:7], edges), histogram.of(x[7:], edges))
  same(parts, whole)
  same(histogram.merge(whole, histogram.empty(edges)), whole)
  with pytest.raises(ValueError, match='other edges'):
    histogram.merge(whole, histogram.empty(edges[:-1]))


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_a_scan_does_not_depend_on_the_blocks(dtype):
  images = RNG.integers(0, 256, (90, 9, 20, 3)).astype(dtype)
  source = analysis.RawSource.of(images, np.arange(90) % 4)
  one, many = scan(source), scan(source, block=4)
  same(one.pixels, many.pixels)
  for a, b in zip(one.classes, many.classes, strict=True):
    same(a[:3], b[:3])
  same(one.histogram, many.histogram)
  np.testing.assert_array_equal(one.digests, many.digests)
  np.testing.assert_allclose(one.features, many.features, rtol=1e-5)
  np.testing.assert_allclose(one.facts.std, images.reshape(90, -1).std(1), rtol=1e-5)
  np.testing.assert_allclose(one.values.mean, images.mean((0, 1, 2)), rtol=1e-6)
  assert one.features.shape == (90, 9 * 16 * 3)


def test_a_set_that_does_not_fit_is_read_in_blocks_and_sampled():
  seen = []

  class Far:
    name, size, image_shape, num_classes = 'far', 1000, (8, 8, 1), None

    def take(self, indices):
      seen.append(len(indices))
      return {'image': np.repeat(indices, 64).reshape(-1, 8, 8, 1).astype(np.float32)}
  found = scan(Far(), block=100, max_bytes=50 * 64 * 4, seed=3)
  assert max(seen) == 100 and sum(seen) == 1000
  assert found.features.shape == (50, 64) and found.size == 1000
  np.testing.assert_array_equal(found.features[:, 0], found.rows)
  assert found.rows.tolist() == sample(1000, 50, 3).tolist() != sample(1000, 50, 4).tolist()
  near = neighbourhood.within(found, most=20)
  assert set(near.queries) <= set(found.rows) and near.points == 50


def test_pooling_keeps_means_of_any_size():
  x = RNG.normal(size=(5, 23, 17, 3))
  for side in (4, 16):
    rows = pooling.pooled(x, side).reshape(5, -1, 3)
    np.testing.assert_allclose(rows.mean(1), x.mean((1, 2)), atol=1e-6)
  z = pooling.standardised(pooling.pooled(x) * 9 + 4)
  np.testing.assert_allclose(z, pooling.standardised(pooling.pooled(x)), atol=1e-4)


@pytest.mark.parametrize('d', [2, 5])
def test_dimensions_of_a_flat_patch_in_a_wide_space(d):
  x = RNG.uniform(size=(3000, d)) @ RNG.normal(size=(d, 40))
  distances, _ = nearest_other(x, 10)
  assert dimension.two_nn(distances) == pytest.approx(d, rel=0.08)
  assert dimension.levina_bickel(distances) == pytest.approx(d, rel=0.1)  # edges lower it
  assert np.isnan(dimension.two_nn(np.zeros((3, 3))))
  assert np.isnan(dimension.levina_bickel(np.zeros((3, 3))))


def test_copies_that_rounding_parts_do_not_move_the_dimension():
  rng = np.random.default_rng(0)
  distances = np.sort(rng.random((2000, 10)) ** .2, 1)  # a flat set of dimension 5
  copies = distances.copy()
  copies[:40, 0] = np.where(np.arange(40) < 20, 1e-8, 0)
  for estimate in (dimension.two_nn, dimension.levina_bickel):
    assert estimate(copies) == pytest.approx(estimate(distances), rel=.01)


def test_levina_bickel_by_hand():
  """Distances 1, e, e^2: 1/d = (log e^2 + log e) / (3 - 1) = 1.5."""
  assert dimension.levina_bickel(np.exp([[0., 1., 2.]])) == pytest.approx(2 / 3)


def test_near_copies_have_the_stated_chance_in_even_data():
  """p of uniform points is uniform: about `level` of sets have a flag, here at 0.5."""
  flags = 0
  for seed in range(40):
    x = np.random.default_rng(seed).uniform(size=(400, 3))
    near = neighbourhood.Neighbourhood(np.arange(400), *nearest_other(x, 10)[::-1], 400)
    flags += len(duplicates.near(near, 3., level=0.5)) > 0
  assert 6 <= flags <= 24  # 40 (1 - exp(-0.5)) = 15.7; neighbours share pairs, so fewer


def test_corrections_are_those_of_scipy_and_of_the_article():
  p = RNG.uniform(size=50) ** 3
  np.testing.assert_allclose(multiple.benjamini_hochberg(p), stats.false_discovery_control(p))
  order = np.argsort(p)
  want = np.maximum.accumulate(np.minimum(1, (50 - np.arange(50)) * p[order]))
  np.testing.assert_allclose(multiple.holm(p)[order], want)


def test_energy_distance_is_scipys_in_one_dimension():
  """scipy's is the root of E; the permutations' mean is taken off here."""
  x, y = RNG.normal(size=(60, 1)), RNG.normal(1, 1, (80, 1))
  e, p = drift.energy(x, y, permutations=199)
  nulls = [drift.energy(*np.split(RNG.permutation(np.concatenate([x, y])), [60]),
                        permutations=99)[0] for _ in range(20)]
  want = stats.energy_distance(x[:, 0], y[:, 0])**2
  biased = np.mean([stats.energy_distance(*np.split(
      RNG.permutation(np.concatenate([x, y])[:, 0]), [60]))**2 for _ in range(200)])
  assert e == pytest.approx(want - biased, abs=0.02) and p == 1 / 200
  assert abs(np.mean(nulls)) < 0.02


def test_p_values_are_uniform_where_nothing_differs():
  p = [drift.energy(*RNG.normal(size=(2, 30, 3)), seed=k, permutations=99)[1] for k in range(60)]
  assert stats.kstest(p, 'uniform').pvalue > 0.01
  tests = drift.marginals(*RNG.normal(size=(2, 200, 60)))
  assert stats.kstest(tests.p, 'uniform').pvalue > 0.01 and tests.p_holm.min() > 0.05


def test_neighbours_leave_out_the_example_itself_among_many_copies():
  images = np.zeros((20, 4, 4), np.uint8)
  images[15:] = RNG.integers(0, 256, (5, 4, 4))
  near = neighbourhood.within(scan(data.ArraySource.of(images)), most=20)
  assert not (near.neighbours == near.queries[:, None]).any()
  assert near.neighbours.shape == (20, 10) and (near.distances[:15] == 0).all()


def test_suspects_by_hand():
  """Example 0 is given 1 among neighbours of 0; thresholds are the classes' own means."""
  near = neighbourhood.Neighbourhood(
      np.arange(4), np.array([[1, 2], [2, 1], [1, 1], [3, 3]]), np.ones((4, 2)), 4)
  given = np.array([1, 0, 0, 1])
  found = labels.suspects(near, given, 2)
  assert found.positions.tolist() == [0] and found.likely.tolist() == [0]
  assert found.joint.tolist() == [[0, 0], [1, 0]] and found.accuracy == 0.75
  with pytest.raises(ValueError, match='one class only'):
    labels.suspects(near, np.zeros(4, int), 2)


def test_robust_z_of_constant_values_is_zero():
  assert outliers.robust_z(np.full(5, 3.)).tolist() == [0] * 5
  assert outliers.robust_z(np.array([0.] * 9 + [1.]))[-1] == pytest.approx(1 / (1.2533 * 0.1))
