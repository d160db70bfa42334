"""Attacks on membership: areas, intervals and rates against counting, peers and known answers."""
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsynth import data
from jaxsynth.metrics import features
from jaxsynth.privacy import attacks, membership as memberships
from jaxsynth.privacy.membership import area, area_interval, Membership, membership
from jaxsynth.types import Objective


def normal(n, mean=0., seed=0):
  return np.random.default_rng(seed).normal(mean, 1, n)


def test_the_area_is_that_of_the_peers():
  from sklearn.metrics import roc_auc_score
  members, others = normal(80, 1).round(1), normal(120, seed=1).round(1)  # with ties
  want = roc_auc_score(np.repeat([1, 0], [80, 120]), np.concatenate([members, others]))
  assert area(members, others) == pytest.approx(want, abs=1e-12)
  u = stats.mannwhitneyu(members, others).statistic
  assert area(members, others) == pytest.approx(u / (80 * 120), abs=1e-12)


def test_the_hull_of_the_curve_is_lifted_by_chance_and_the_area_is_not():
  from jax_privacy.auditing import CanaryScoreAuditor
  pairs = [(normal(50, seed=2 * k), normal(50, seed=2 * k + 1)) for k in range(200)]
  ours = np.mean([area(*x) for x in pairs])
  hull = np.mean([CanaryScoreAuditor(*x).attack_auroc() for x in pairs])
  assert abs(ours - .5) < 3 * .058 / np.sqrt(200) < hull - .53


@pytest.mark.parametrize('mean, true', [(0., .5), (1., stats.norm.cdf(1 / np.sqrt(2))),
                                        (3., stats.norm.cdf(3 / np.sqrt(2)))])
def test_intervals_hold_the_area_as_often_as_they_say(mean, true):
  rng = np.random.default_rng(0)
  covered = []
  for _ in range(400):
    low, high = area_interval(area(rng.normal(mean, 1, 40), rng.normal(0, 1, 60)), 40, 60)
    covered.append(low <= true <= high)
  assert .92 < np.mean(covered) < .985


def test_the_interval_of_even_odds_is_that_of_the_rank_test():
  """V(1/2) = (1 + 2 k / 3) / (4 m n), k = n - 1: about (2 n + 1) / (12 n^2)."""
  low, high = area_interval(.5, 1000, 1000)
  assert high - .5 == pytest.approx(.5 - low)
  assert high - .5 == pytest.approx(1.96 * np.sqrt(2001 / 12) / 1000, rel=3e-3)
  assert area_interval(0., 20, 30)[0] == 0 and area_interval(1., 20, 30)[1] == 1
  for value in (0., .2, .7):  # the mirror
    low, high = area_interval(value, 20, 30)
    assert area_interval(1 - value, 20, 30) == pytest.approx((1 - high, 1 - low))


def test_rates_are_counts_with_exact_intervals():
  """Of 1,000 others ten may be wrong: members above 989."""
  x = membership(np.arange(980, 1000) + .5, np.arange(1000))
  one_percent, tenth = x.found_at
  assert (one_percent.others.hits, one_percent.members.hits) == (10, 11)  # 989.5 to 999.5
  assert (tenth.others.hits, tenth.members.hits) == (1, 2)
  exact = stats.binomtest(11, 20).proportion_ci(.95, 'exact')
  assert one_percent.members[1:3] == pytest.approx((exact.low, exact.high))
  assert membership([5.], np.arange(300.), rates=(.01,)).found_at[0].others.hits == 3
  few = membership(np.arange(10.) + 5, np.arange(10.)).found_at[1]
  assert (few.others.hits, few.members.hits, few.others.high > .25) == (0, 5, True)


def test_rates_are_no_more_than_the_peers():
  """It may mix two thresholds, so its rate is on or above ours."""
  from jax_privacy.auditing import CanaryScoreAuditor
  members, others = normal(500, 1), normal(2000, seed=1)
  x = membership(members, others)
  for at in x.found_at:
    peer = CanaryScoreAuditor(members, others).tpr_at_given_fpr(at.rate)
    assert peer - .03 < at.members.value <= peer


def test_ties_are_never_counted_as_right():
  x = membership(np.ones(50), np.ones(50))
  assert x.auc == .5 and [at.members.hits for at in x.found_at] == [0, 0]


def test_it_comes_back_from_json():
  x = membership(normal(30, 1), normal(40))
  row = {'attack': 'any', **json.loads(json.dumps(x.to_json()))}
  assert Membership.of_json(row) == x


@pytest.mark.parametrize('members, given, message', [
    ([], {}, r'members: scores of shape \[0\]'), ([[1.]], {}, r'scores of shape \[1, 1\]'),
    ([np.nan, 1.], {}, '1 of 2 scores are not finite'),
    ([1.], {'rates': (1.,)}, 'in \\[0, 1\\)'), ([1.], {'confidence': 1.}, 'a confidence in')])
def test_bad_scores_are_refused(members, given, message):
  with pytest.raises(ValueError, match=message):
    membership(members, [1., 2.], **given)


@pytest.fixture(scope='module')
def digits():
  """Features of real digits, in an order that says nothing."""
  images = np.concatenate([data.mnist5k(split).images for split in ('train', 'validation')])
  images = images[np.random.default_rng(0).permutation(len(images))[:3000]]
  return images, features.extract(features.mnist(), images)


def test_copies_of_what_was_learned_from_give_it_away(digits):
  """The generator gives its 1,000 training images back, noisy."""
  images, vectors = digits
  noise = np.random.default_rng(1).normal(0, 5, images[:1000].shape)
  copies = features.extract(features.mnist(), np.clip(
      images[:1000] + noise, 0, 255).astype(np.uint8))
  members, others, reference = vectors[:1000], vectors[1000:2000], vectors[2000:]
  plain, calibrated = (membership(*(attacks.sample_scores(x, copies, known) for x in (
      members, others))) for known in (None, reference))
  assert plain.auc > .97 and calibrated.auc > .98
  assert plain.found_at[1].members.value > .5 and calibrated.found_at[0].members.low > .5


def test_held_out_data_in_the_place_of_members_tell_nothing(digits):
  """Twenty random parts: the interval holds .5 as often as it says (.95), and on average it is."""
  _, vectors = digits
  areas, covered = [], 0
  for seed in range(20):
    order = np.random.default_rng(seed).permutation(3000)
    a, b, synthetic, reference = (vectors[order[k:k + 600]] for k in (0, 600, 1200, 1800))
    for known in (None, reference):
      x = membership(*(attacks.sample_scores(part, synthetic, known) for part in (a, b)))
      areas.append(x.auc)
      covered += x.low <= .5 <= x.high
  assert covered >= 35 and abs(np.mean(areas) - .5) < .01


def quadratic():
  """A model whose loss of x is |x - mean|^2 and noise of the key; a player sees the label alone."""
  def loss(params, variables, batch, ctx):
    x = batch['image']
    each = jnp.sum((x - params['model'][None]) ** 2, -1) * (9. if ctx.train else 1.)
    noise = jax.random.normal(ctx.key, ()) + ctx.step
    return ({'label': noise + jnp.mean(batch['label']), 'model': jnp.mean(each) + noise,
             'same': jnp.mean(each) + noise}, (variables, {}))
  return Objective(lambda key, batch: ({}, {}), loss, lambda *args: None)


def test_losses_are_of_each_example_alone_in_evaluation():
  x = np.random.default_rng(0).normal(size=(130, 4)).astype(np.float32)
  key = jax.random.key(3)
  given = quadratic(), {'model': jnp.ones(4)}, {}, {'image': x, 'label': np.arange(130.)}, key
  scores = attacks.loss_scores(*given, step=5, draws=3, block=64)
  noise = np.mean([float(jax.random.normal(k, ())) for k in jax.random.split(key, 3)])
  assert set(scores) == {'model'}  # who is the same, or sees labels alone, is left out
  np.testing.assert_allclose(scores['model'], -((x - 1) ** 2).sum(1) - noise - 5, rtol=1e-5)
  twice = attacks.loss_scores(*given, step=5, draws=3, copies=2, block=130)
  np.testing.assert_allclose(twice['model'], scores['model'], rtol=1e-5)
  with pytest.raises(ValueError, match='draws=0'):
    attacks.loss_scores(*given, draws=0)
  with pytest.raises(ValueError, match='the loss of model is not finite'):
    attacks.loss_scores(quadratic(), {'model': jnp.full(4, jnp.nan)}, *given[2:])


def test_a_threshold_on_losses_finds_what_an_overfitted_model_learned():
  """A Gaussian fitted to 20 of 40 points in 60 dimensions: members lie nearer to their mean."""
  x = np.random.default_rng(0).normal(size=(40, 60)).astype(np.float32)
  scores = attacks.loss_scores(quadratic(), {'model': jnp.asarray(x[:20].mean(0))}, {},
                               {'image': x, 'label': np.zeros(40)}, jax.random.key(0))['model']
  assert membership(scores[:20], scores[20:]).low > .5
  assert memberships.RATES == (.01, .001)
