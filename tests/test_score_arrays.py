"""Scores of arrays alone: the same as of files, and what is no image is refused."""
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import data, evaluation, report
from jaxsynth.data.examples import count_shared, Examples
from jaxsynth.metrics import features
from jaxsynth.pages import evaluation as evaluation_page

RANDOM = np.random.default_rng(0)
REAL = RANDOM.integers(0, 256, (400, 4, 4, 1), np.uint8)
FAKE, TEST, MORE, TRAIN = REAL[:100] // 2, REAL[100:200], REAL[200:300], REAL[300:400]
LABELS = np.arange(100) % 3


def scored(synthetic=FAKE, real=TEST, **given):
  return evaluation.score_arrays(synthetic, real, net='pixels', **{'other': MORE, **given})


@pytest.fixture(scope='module')
def scores():
  return scored((FAKE, LABELS), (TEST, LABELS), other=(MORE, LABELS), train=TRAIN)


def test_they_are_those_of_an_evaluation(scores):
  synthetic = evaluation.Synthetic(Examples('synthetic', FAKE, LABELS), 3, {})
  comparison = evaluation.compare(
      synthetic, Examples('real', TEST, LABELS), other=Examples('other', MORE, LABELS),
      train=Examples('train', TRAIN))
  assert evaluation.evaluate(comparison, features.pixels()).scores == scores
  assert {'frechet', 'recall', 'class_balance', 'near_copies'} < set(scores)
  assert scores['frechet'].protocol.settings == {'floor': 'other', 'n_floor': 100}


def test_the_floor_is_of_real_against_real():
  scores = scored(synthetic=MORE)  # what stands for the fakes is the floor's set itself
  for name, score in scores.items():
    assert score.value == score.floor, name
  assert set(scores) == {'frechet', 'kernel', 'precision', 'recall', 'density', 'coverage',
                         'duplicates', *(x for x in evaluation.MEANINGS if x[:6] == 'pixel_')}


def test_without_other_images_the_floor_is_half_of_the_real_ones():
  score = scored(real=REAL[100:300], other=None)['frechet']
  assert (score.protocol.n_real, score.protocol.n_fake) == (100, 100)
  assert score.protocol.settings == {'floor': 'real', 'n_floor': 100}
  assert score.value > 2 * score.floor
  synthetic = evaluation.Synthetic(Examples('synthetic', FAKE), None, {})
  comparison = evaluation.compare(synthetic, Examples('real', REAL[100:300]))
  assert count_shared(comparison.real, comparison.other) == 0


def test_too_few_images_for_one_score_have_the_others(caplog):
  """160 features, and 100 images: a covariance of less than full rank."""
  synthetic = evaluation.Synthetic(Examples('synthetic', FAKE), None, {})
  comparison = evaluation.compare(synthetic, Examples('real', TEST),
                                  other=Examples('other', MORE))
  outcome = evaluation.evaluate(comparison, features.by_name('random', (4, 4, 1), False))
  why = '100 real and 100 other images on 160 features; it needs at least 161 of each'
  assert outcome.not_applicable['frechet'] == why and 'frechet' not in outcome.scores
  assert {'kernel', 'recall', 'pixel_mean'} < set(outcome.scores)
  text = report.render(evaluation_page.page(comparison, outcome))
  assert 'There are too few images for a Frechet distance.' in text and why in text
  assert 'frechet' not in evaluation.score_arrays(FAKE, TEST, other=MORE, net='random')
  assert f'no Frechet distance of {why}' in caplog.text


def test_floats_of_any_library_are_images(scores):
  floats = jnp.asarray(data.to_float({'image': FAKE})['image'])
  assert scored(floats)['frechet'].value == scores['frechet'].value


@pytest.mark.parametrize('given, message', [
    ({'synthetic': FAKE[:99]}, 'synthetic: 99 examples, expected at least 100'),
    ({'synthetic': FAKE / 255}, 'seem to be in \\[0, 1\\]'),
    ({'other': MORE[:, :3]}, 'other: images of \\[3, 4, 1\\], the real ones of real'),
    ({'other': REAL[150:300]}, '50 of 100 images of real are in other too: the floor needs'),
    ({'train': REAL[150:]}, '50 of 100 images of real are in train too'),
    ({'real': TEST, 'other': None}, 'expected at least 200'),
    ({'synthetic': (FAKE, LABELS[:50])}, r'synthetic: labels int64\[50\], expected integers'),
    ({'real': (TEST, LABELS / 2)}, 'real: labels float64'),
    ({'real': (TEST, LABELS - 1)}, 'real: a label of -1'),
    ({'synthetic': (FAKE, LABELS + 1), 'real': (TEST, LABELS)},
     'classes of real and synthetic do not fit: real has 0, 1, 2; synthetic has 1, 2, 3')])
def test_what_cannot_be_scored_is_refused(given, message):
  with pytest.raises(ValueError, match=message):
    scored(**given)


def test_other_names_of_features_are_refused():
  with pytest.raises(ValueError, match='expected auto, mnist, random, pixels'):
    evaluation.score_arrays(FAKE, TEST, other=MORE, net='inception')
