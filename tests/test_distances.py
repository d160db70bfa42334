"""The distances that every program reports."""
import numpy as np
import pytest

from jaxsynth.metrics import distances, frechet, kernel, prdc

REAL, FAKE = np.random.default_rng(0).normal(size=(2, 60, 3)).astype(np.float32)


def test_each_is_its_functions_own():
  scores = distances.Reference(REAL).measure(FAKE)
  assert list(scores) == list(distances.NAMES)
  assert scores['frechet'].value == frechet.frechet_distance(REAL, FAKE)
  assert scores['kernel'] == kernel.kernel_distance(REAL, FAKE, subsets=100, subset_size=30,
                                                    seed=2020)
  for name, value in prdc.prdc(REAL, FAKE, 5)._asdict().items():
    assert scores[name].value == value and np.isnan(scores[name].standard_error)


def test_some_come_in_the_order_asked_for():
  some = distances.Reference(REAL).measure(FAKE, ('recall', 'frechet', 'density'))
  assert list(some) == ['recall', 'frechet', 'density']
  with pytest.raises(ValueError, match="distances .'fid'.: expected some of"):
    distances.Reference(REAL).measure(FAKE, ('fid',))


@pytest.mark.parametrize('num_real, num_fake, why', [
    (4, 4, ''), (3, 9, '3 real and 9 other images on 3 features; it needs at least 4 of each'),
    (9, 3, '9 real and 3 other images')])
def test_too_few_for_a_covariance(num_real, num_fake, why):
  reference = distances.Reference(REAL[:num_real])
  assert reference.too_few(num_fake).startswith(why) and bool(why) == bool(
      reference.too_few(num_fake))
  if why:
    with pytest.raises(ValueError, match='full rank'):
      reference.measure(FAKE[:num_fake], ('frechet',))
