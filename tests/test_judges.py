"""Judges of series: what is the same cannot be told apart, what differs can; fixed by a seed."""
import numpy as np
import pytest

from jaxsynth.downstream import judges
from jaxsynth.downstream.judges import discriminative, Judge, predictive

QUICK = Judge(8, steps=200, batch_size=64, learning_rate=.02)


def walks(n, seed, drift=0., columns=2):
  return np.cumsum(np.random.default_rng(seed).normal(drift, 1, (n, 12, columns)), 1)


def test_the_same_cannot_be_told_apart_and_what_differs_can():
  real = walks(600, 0)
  assert discriminative(real, walks(600, 1), QUICK) < .08
  assert discriminative(real, walks(600, 1, drift=1.), QUICK) > .4
  assert discriminative(real, walks(300, 2), QUICK, seed=3) == discriminative(
      real, walks(300, 2), QUICK, seed=3)


def test_who_learned_from_other_series_foretells_worse():
  """The second column is the first of the step before, which noise in its place does not say."""
  def pairs(seed):
    x = np.random.default_rng(seed).uniform(size=(500, 12, 1))
    return np.concatenate([x, np.roll(x, 1, 1)], -1)[:, 1:]
  real, noise = pairs(0), np.random.default_rng(9).uniform(size=(500, 11, 2))
  knows, guesses = (predictive(real, x, QUICK) for x in (pairs(1), noise))
  assert knows < .05 and .2 < guesses < .3  # E |u - .5| = .25 of who knows nothing
  single = predictive(walks(200, 0, columns=1), walks(200, 1, columns=1), QUICK)
  assert 0 < single < .2


def test_the_published_judge_has_half_as_many_units_as_columns():
  shapes = []
  real = walks(40, 0, columns=6)
  original = judges.GRU
  judges.GRU = lambda features: shapes.append(features) or original(features)
  try:
    discriminative(real, real, Judge(steps=1))
    discriminative(real[..., :1], real[..., :1], Judge(steps=1))
  finally:
    judges.GRU = original
  assert shapes == [3, 1]


@pytest.mark.parametrize('synthetic, message', [
    (np.zeros((20, 11, 2)), r'synthetic: windows \[20, 11, 2\], expected'),
    (np.zeros((20, 12)), 'expected .N, steps, columns.'),
    (np.zeros((9, 12, 2)), 'N of at least 10'),
    (np.full((20, 12, 2), np.nan), 'synthetic: windows that are not finite')])
def test_windows_that_do_not_fit_are_refused(synthetic, message):
  with pytest.raises(ValueError, match=message):
    discriminative(walks(20, 0), synthetic, QUICK)
  with pytest.raises(ValueError, match='1 step: nothing to foretell'):
    predictive(walks(20, 0)[:, :1], walks(20, 0)[:, :1], QUICK)
