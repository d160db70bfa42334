"""Nearest neighbours against brute force in float64."""
import numpy as np
import pytest

from jaxsynth.metrics import neighbours


def brute(q, p):
  return np.sqrt(((q[:, None].astype(np.float64) - p[None]) ** 2).sum(-1))


@pytest.mark.parametrize('q,n,k,block', [(1, 1, 1, None), (7, 5, 5, 3), (50, 300, 7, 16),
                                         (64, 100, 1, 64), (33, 1000, 20, 1)])
@pytest.mark.parametrize('shift', [0., 1000.])
def test_nearest_is_brute_force(q, n, k, block, shift):
  rng = np.random.default_rng(q)
  queries, points = (rng.normal(shift, 1, (m, 6)).astype(np.float32) for m in (q, n))
  distances, indices = neighbours.nearest(queries, points, k, block=block)
  truth = brute(queries, points)
  np.testing.assert_allclose(distances, np.sort(truth, 1)[:, :k], rtol=3e-6)
  np.testing.assert_array_equal(np.take_along_axis(truth, indices, 1), np.sort(truth, 1)[:, :k])
  assert distances.dtype == np.float32 and indices.dtype == np.int32


def test_nearest_finds_copies_among_near_copies():
  rng = np.random.default_rng(0)
  points = rng.normal(size=(400, 32)).astype(np.float32)
  points[200:] = points[:200] + 1e-5 * rng.normal(size=(200, 32)).astype(np.float32)
  distances, indices = neighbours.nearest(points[::-1], points)
  assert (distances == 0).all()
  assert (indices[:, 0] == np.arange(400)[::-1]).all()


def test_nearest_other_leaves_out_the_point_and_not_its_copies():
  points = np.random.default_rng(0).normal(size=(101, 3))
  points[100] = points[0]
  distances, indices = neighbours.nearest_other(points, 3, block=8)
  truth = brute(points, points)
  np.fill_diagonal(truth, np.inf)
  np.testing.assert_allclose(distances, np.sort(truth, 1)[:, :3], rtol=3e-6, atol=0)
  assert distances[0, 0] == distances[100, 0] == 0
  assert indices[0, 0] == 100 and indices[100, 0] == 0


@pytest.mark.parametrize('scale', [1e-30, 1e25])
def test_nearest_neither_underflows_nor_overflows(scale):
  points = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
  plain, _ = neighbours.nearest_other(points)
  scaled, _ = neighbours.nearest_other(points * np.float32(scale))
  np.testing.assert_allclose(scaled / scale, plain, rtol=1e-5)


def test_nearest_compiles_once():
  points = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32)
  before = neighbours._nearest._cache_size()
  for _ in range(3):
    neighbours.nearest(points, points, 2, block=7)
  assert neighbours._nearest._cache_size() == before + 1


@pytest.mark.parametrize('k,block,says', [(0, None, 'k=0'), (4, None, 'k=4'), (1, 0, 'block=0')])
def test_nearest_refuses(k, block, says):
  with pytest.raises(ValueError, match=says):
    neighbours.nearest(np.zeros((2, 1)), np.zeros((3, 1)), k, block=block)
