"""Shapes read back from pictures: the truth that scores are held against."""
import dataclasses

import jax
import numpy as np
import pytest

from jaxsynth.pixels import to_uint8
from jaxsynth.rules import rule, truth
from jaxsynth.rules.distributions import Choice, Integers, Uniform
from jaxsynth.rules.recognise import reader
from jaxsynth.rules.shapes import Shapes, shapes

SPEC = Shapes(image_size=(24, 28), shape=Choice(('circle', 'triangle', 'star', 'ring', 'line')),
              radius=Uniform(.25, .4))
RNG = np.random.default_rng(0)


@pytest.fixture(scope='module', name='read')
def made():
  return reader(SPEC)


@pytest.fixture(scope='module', name='real')
def drawn():
  x = jax.device_get(jax.jit(lambda k: rule.examples(shapes(SPEC), k))(
      jax.random.split(jax.random.key(0), 300)))
  return x, to_uint8(x['image'])


def test_parameters_are_those_that_were_drawn(read, real):
  """To the rounding of pixels; the box of a circle or ring says its radius and place."""
  x, images = real
  reading = read(images)
  np.testing.assert_array_equal(reading.label, x['label'])
  assert reading.error.max() < .01
  top, left, bottom, right = (x['objects/box'][:, 0] * [24, 28, 24, 28]).T
  round_ = np.isin(x['label'], [0, 3])
  radius = (bottom - top)[round_] / 2
  np.testing.assert_allclose(reading.radius[round_] * 24, radius, atol=.05)
  np.testing.assert_allclose(reading.across[round_], left[round_] / (28 - 2 * radius), atol=.03)
  np.testing.assert_allclose(reading.down[round_], top[round_] / (24 - 2 * radius), atol=.05)


def test_truth_of_the_rule_itself_is_as_expected(read, real):
  x, images = real
  reading = read(images)
  scores = truth.judged(reading, SPEC, x['label'])
  assert scores.precision == 1 and scores.label_error == 0
  # the standard deviation of 300 images' overlap over 90 modes is about .02
  np.testing.assert_allclose([scores.recall, scores.overlap],
                             truth.expected_overlap(SPEC, 300), atol=.06)
  wrong = truth.judged(reading, SPEC, (x['label'] + (np.arange(300) < 60)) % 5)
  assert wrong.label_error == .2 and wrong.precision == 1
  assert truth.judged(reading, SPEC).label_error is None


def test_what_no_shape_explains_is_not_valid(read, real):
  _, images = real
  damaged = {'noise': RNG.integers(0, 255, images.shape).astype(np.uint8),
             'two': np.maximum(images, images[::-1]),
             'cut': np.where(np.arange(28)[:, None] < 14, images, images[::-1])}
  for name, changed in damaged.items():
    same = (changed == images).all((1, 2, 3))
    assert truth.valid(read(changed), SPEC)[~same].mean() < .15, name
  assert not truth.valid(read(255 - images), SPEC).any()
  large = jax.device_get(rule.examples(shapes(dataclasses.replace(
      SPEC, radius=Uniform(.46, .49))), jax.random.split(jax.random.key(1), 20))['image'])
  assert not truth.valid(read(to_uint8(large)), SPEC).any()


def test_lost_modes_are_missed(read, real):
  x, images = real
  left = x['objects/box'][:, 0, [1, 3]].mean(1) < .5
  few = truth.judged(read(images[left]), SPEC)
  assert few.precision == 1 and few.recall == few.overlap < .72 and few.modes < .72
  none = truth.judged(read(np.zeros((3, 24, 28, 1), np.uint8)), SPEC, [0, 1, 2])
  assert none == (0, 0, 0, 0, 0)
  half = images.copy()
  half[::2] = 0
  both = truth.judged(read(half), SPEC)
  assert both.precision == .5 and both.overlap < .55 < both.recall


def test_expected_overlap_is_that_of_draws():
  shares = truth.mode_shares(Shapes())
  counts = RNG.multinomial(2000, shares, 300) / 2000
  np.testing.assert_allclose(np.minimum(counts, shares).sum(1).mean(),
                             truth.expected_overlap(Shapes(), 2000), atol=.002)


@pytest.mark.parametrize('values, message', [
    ({'count': Integers(1, 2)}, r'count=.*expected \(1, 1\)'),
    ({'noise': Uniform(0, 9)}, 'noise='), ({'texture': Choice(('dots',))}, 'texture='),
    ({'aspect': Uniform(.5, 1)}, 'aspect='), ({'channels': 3}, 'channels=3')])
def test_pictures_that_cannot_be_read_are_refused(values, message):
  with pytest.raises(ValueError, match=message):
    reader(dataclasses.replace(SPEC, **values))


def test_other_arrays_are_refused(read):
  with pytest.raises(ValueError, match=r'expected uint8 \[N, 24, 28, 1\]'):
    read(np.zeros((2, 28, 28, 1), np.uint8))
  reading = read(np.zeros((2, 24, 28, 1), np.uint8))
  with pytest.raises(ValueError, match='labels'):
    truth.judged(reading, SPEC, [1])
  with pytest.raises(ValueError, match='tolerance=0'):
    truth.judged(reading, SPEC, tolerance=0)
