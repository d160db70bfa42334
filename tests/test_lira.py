"""The likelihood ratio attack, where the best attack there can be is known."""
import numpy as np
import pytest
from scipy import stats

from jaxsynth.privacy import lira
from jaxsynth.privacy.membership import membership

N = 2000


def noisy_sum(deviation, hardness=0., seed=0):
  """A model that adds up unit vectors, one a candidate, with Gaussian noise.

  It says of candidate i `hardness_i + 1[i in] + N(0, deviation^2)`: two Gaussians, one apart.
  """
  rng = np.random.default_rng(seed)
  offset = hardness * rng.normal(size=N)

  def train(positions):
    said = offset + rng.normal(0, deviation, N)
    said[positions] += 1
    return said
  return train


def test_every_candidate_is_in_half_of_the_models():
  included = lira.halves(101, 16, 7)
  assert included.shape == (16, 101) and (included.sum(0) == 8).all()
  assert set(included.sum(1)) == {50, 51}
  assert (included[:8] == ~included[8:]).all() and len(np.unique(included, axis=0)) == 16
  assert (included == lira.halves(101, 16, 7)).all() and (included != lira.halves(101, 16, 8)).any()
  together = np.corrcoef(included[:8].T.astype(float))
  assert abs(together[np.triu_indices(101, 1)].mean()) < .05


@pytest.mark.parametrize('deviation', [.3, .6])
def test_it_is_as_good_as_any_attack_can_be(deviation):
  """The areas of N(1, s^2) against N(0, s^2) are Phi(1 / (s sqrt 2)), whatever is hard.

  Of 16 models the means are of 8 each, so the ratio has noise of its own: the statistic is
  weighted by `mean_in - mean_out`, which is `N(1, s^2 / 4)`, and its threshold is off by
  `N(0, s^2 / 16)`; for these s that costs at most .02.
  """
  x = lira.attacked(noisy_sum(deviation, hardness=3.), N)
  best = stats.norm.cdf(1 / (deviation * np.sqrt(2)))
  attack = membership(x.scores[x.included], x.scores[~x.included])
  plain = membership(x.statistics[x.included], x.statistics[~x.included])
  assert best - .04 < attack.auc < best + .01
  assert plain.auc < .65 and plain.found_at[0].members.value < .1
  strongest = stats.norm.sf(stats.norm.isf(.01) - 1 / deviation)
  assert .5 * strongest < attack.found_at[0].members.value < strongest + .05


def test_many_models_know_each_examples_deviation():
  """Half of the candidates are ten times as noisy: with 64 models they are given less weight."""
  rng = np.random.default_rng(1)
  deviation = np.where(np.arange(N) % 2, .2, 2.)

  def train(positions):
    said = rng.normal(0, deviation)
    said[positions] += 1
    return said
  areas = []
  for models in (16, 64):
    x = lira.attacked(train, N, models)
    areas.append(membership(x.scores[x.included], x.scores[~x.included]).auc)
  assert areas[1] > areas[0] + .05


def test_nothing_is_seen_where_there_is_nothing():
  """A model that says noise alone: .5 lies in the interval."""
  x = lira.attacked(lambda positions: np.random.default_rng(len(positions) + int(
      positions.sum())).normal(size=N), N)
  attack = membership(x.scores[x.included], x.scores[~x.included])
  assert attack.low < .5 < attack.high and .45 < x.included.mean() < .55


def test_of_a_fitted_mean_it_finds_more_than_the_threshold():
  """The mean of 30 of 60 points in 40 dimensions, half of them six times as far out.

  A member draws the mean towards it; but a far one that is in lies farther from it than a near one
  that is out, so that one threshold for all sees little.
  """
  rng = np.random.default_rng(0)
  x = rng.normal(size=(60, 40)) * np.where(np.arange(60) % 2, .5, 3.)[:, None]
  areas = {'ratio': [], 'threshold': []}
  for seed in range(10):
    attack = lira.attacked(lambda positions: -np.linalg.norm(x - x[positions].mean(0), axis=1), 60,
                           16, seed)
    for name, scores in (('ratio', attack.scores), ('threshold', attack.statistics)):
      areas[name].append(membership(scores[attack.included], scores[~attack.included]).auc)
  assert np.mean(areas['ratio']) > .75 and np.mean(areas['threshold']) < .65


def test_shadow_models_can_be_kept_and_used_again():
  known = lira.shadows(noisy_sum(.4), N, 8, seed=3)
  said = noisy_sum(.4, seed=9)(np.arange(0, N, 2))
  scores = lira.ratios(known, said)
  assert known.statistics.shape == (8, N)
  assert membership(scores[::2], scores[1::2]).auc > .9


@pytest.mark.parametrize('call, message', [
    (lambda: lira.halves(10, 3, 0), 'an even number of models'),
    (lambda: lira.halves(1, 2, 0), 'expected 2 candidates at least'),
    (lambda: lira.attacked(lambda p: np.zeros(3), 4), r'statistics \[3\], expected finite ones'),
    (lambda: lira.attacked(lambda p: np.full(4, np.inf), 4), 'expected finite ones'),
    (lambda: lira.attacked(lambda p: np.zeros(4), 4), 'the same in all shadow models'),
    (lambda: lira.ratios(lira.Shadows(np.eye(2, dtype=bool), np.eye(2)), [1.]),
     r'statistics \[1\], expected \[2\]')])
def test_what_cannot_be_attacked_is_refused(call, message):
  with pytest.raises(ValueError, match=message):
    call()
