"""Copies that were planted are found, and none where there are none."""
import numpy as np
import pytest

from jaxsynth.data import mnist5k
from jaxsynth.metrics import duplicates, memorisation


@pytest.fixture(scope='module')
def digits():
  x = mnist5k('all').images.reshape(5000, -1).astype(np.float32) / 255
  x = np.random.default_rng(0).permutation(x)
  return x[:2000], x[2000:4000], x[4000:]  # train, holdout, fresh


@pytest.fixture(scope='module')
def leaky(digits):
  """Fresh digits of which 5 % are replaced by training ones."""
  train, _, fresh = digits
  fakes = fresh.copy()
  fakes[::20] = train[:50]
  return fakes


def test_five_percent_copies_are_five_percent(digits, leaky):
  train, holdout, fresh = digits
  exact = duplicates.between(leaky, train)
  assert exact.share.hits == 50 and exact.indices.tolist() == list(range(0, 1000, 20))
  assert exact.originals.tolist() == list(range(50))
  near = duplicates.near_copies(leaky, train, holdout)
  assert near.share.low < .05 < near.share.high and near.share.value < .055
  assert duplicates.near_copies(fresh, train, holdout).share.value < .005


def test_near_copies_are_found_through_noise(digits):
  train, holdout, fresh = digits
  fakes = fresh.copy()
  fakes[:50] = train[:50] + .02 * np.random.default_rng(0).normal(size=(50, 784))
  found = duplicates.near_copies(fakes, train, holdout)
  assert set(range(50)) <= set(found.indices.tolist())
  assert found.share.low < .05 < found.share.high
  assert duplicates.between(fakes, train).share.hits == 0


def test_fresh_samples_do_not_lean_on_train(digits):
  train, holdout, fresh = digits
  found = memorisation.nearer_to_train(fresh, train, holdout)
  assert found.expected == .5 and abs(found.z) < 3 and abs(found.share.value - .5) < .05
  unequal = memorisation.nearer_to_train(fresh, train, holdout[:500])
  assert unequal.expected == .8 and abs(unequal.z) < 3
  assert abs(memorisation.data_copying(fresh, train, holdout)) < 3


def test_z_of_a_random_split_is_standard_normal():
  rng = np.random.default_rng(0)
  scores = []
  for _ in range(200):
    x = rng.normal(size=(130, 3))
    scores.append(memorisation.nearer_to_train(x[:50], x[50:110], x[110:]).z)
  assert abs(np.mean(scores)) < .25 and .85 < np.std(scores) < 1.15


def test_copying_is_seen(digits):
  train, holdout, fresh = digits
  noisy = train[:1000] + .05 * np.random.default_rng(0).normal(size=(1000, 784))
  found = memorisation.nearer_to_train(noisy, train, holdout)
  assert found.share.low > .95 and found.z > 3 and found.p_value < .001
  assert memorisation.data_copying(noisy, train, holdout) < -3
  assert memorisation.data_copying(noisy, train, holdout, centres=train[:10]) < -3
  assert (memorisation.authenticity(noisy, train).high
          < memorisation.authenticity(holdout, train).low)
  assert memorisation.data_copying(fresh + .2, train, holdout) > 3  # underfits


def test_five_percent_copies_raise_the_share_nearer_to_train(digits, leaky):
  train, holdout, _ = digits
  clean = memorisation.nearer_to_train(digits[2], train, holdout)
  assert memorisation.nearer_to_train(leaky, train, holdout).share.value > clean.share.value


def test_duplicates_within_a_set():
  x = np.random.default_rng(0).normal(size=(100, 5))
  x[10] = x[20] = x[30]
  x[40] = x[41] + 1e-4
  assert duplicates.surplus(x) == 2
  assert duplicates.within(x).indices.tolist() == [10, 20, 30]
  near = duplicates.within(x, threshold=1e-2)
  assert near.indices.tolist() == [10, 20, 30, 40, 41]
  assert near.originals.tolist()[3:] == [41, 40]


def test_a_holdout_that_leaks_leaves_exact_copies_alone():
  x = np.random.default_rng(0).normal(size=(60, 5))
  found = duplicates.near_copies(x[:20], x[10:40], np.concatenate([x[40:], x[39:40]]))
  assert found.threshold == 0 and found.indices.tolist() == list(range(10, 20))
