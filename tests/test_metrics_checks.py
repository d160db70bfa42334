"""Bad input is refused, with what was given, what was expected and what to do."""
import functools

import numpy as np
import pytest

from jaxsynth.metrics import (balance, classifier_score, duplicates, floor, frechet, kernel,
                              memorisation, modes, moments, neighbours, prdc, score, statistics)

GOOD = np.random.default_rng(0).normal(size=(40, 3))
SCORES = {
    'frechet': frechet.frechet_distance, 'prdc': prdc.prdc,
    'kernel': functools.partial(kernel.kernel_distance, subset_size=5),
    'statistics': statistics.compare, 'nearest': neighbours.nearest,
    'nearer': lambda a, b: memorisation.nearer_to_train(a, b, GOOD),
    'copying': lambda a, b: memorisation.data_copying(a, b, GOOD),
    'authenticity': memorisation.authenticity, 'between': duplicates.between,
    'near_copies': lambda a, b: duplicates.near_copies(a, b, GOOD)}


def spoilt(value):
  x = GOOD.copy()
  x[7, 1] = value
  return x


BAD = {
    'nan': (spoilt(np.nan), r'1 of 120 values are NaN.*first at \[7, 1\]'),
    'inf': (spoilt(-np.inf), 'infinite'), 'huge': (spoilt(1e38), 'above 1e\\+37'),
    'images': (np.zeros((4, 2, 2, 1), np.float32), r'\[4, 2, 2, 1\], expected features \[N, D\]'),
    'vector': (np.zeros(4), r'\[4\], expected features'),
    'no columns': (np.zeros((4, 0)), 'D > 0'),
    'uint8': (np.zeros((40, 3), np.uint8), 'dtype uint8, expected a floating one'),
    'complex': (np.zeros((40, 3), complex), 'complex'),
    'strings': (np.full((40, 3), 'a'), 'expected a floating one'),
    'empty': (np.zeros((0, 3)), ' 0 samples'),
    'width': (GOOD[:, :2], 'same width')}


@pytest.mark.parametrize('bad', BAD)
@pytest.mark.parametrize('name', SCORES)
def test_every_score_refuses_bad_features(name, bad):
  x, says = BAD[bad]
  for pair in ((x, GOOD), (GOOD, x)):
    with pytest.raises(ValueError, match=says):
      SCORES[name](*pair)


@pytest.mark.parametrize('f,says', [
    (lambda: frechet.frechet_distance(GOOD[:3], GOOD), 'real: 3 samples of 3 features.*least 4'),
    (lambda: frechet.frechet_distance(GOOD, GOOD[:1], allow_singular=True), 'at least 2'),
    (lambda: frechet.frechet_distance(moments.of(GOOD), moments.of(GOOD[:, :2])), 'same width'),
    (lambda: moments.merge(moments.empty(2), moments.empty(3)), 'same width'),
    (lambda: moments.of(GOOD[:1]).covariance, 'at least 2'),
    (lambda: kernel.kernel_distance(GOOD, GOOD), 'subset_size=1000.*40'),
    (lambda: kernel.kernel_distance(GOOD, GOOD, subset_size=40), 'fewer than the 40'),
    (lambda: kernel.kernel_distance(GOOD, GOOD, subset_size=9, subsets=1), 'subsets=1'),
    (lambda: prdc.prdc(GOOD, GOOD[:5]), 'fake: 5 samples, expected at least 6'),
    (lambda: prdc.prdc(GOOD, GOOD, 0), 'k=0'),
    (lambda: statistics.compare(GOOD[:1], GOOD), 'at least 2'),
    (lambda: statistics.compare(GOOD, GOOD, bins=0), 'bins=0'),
    (lambda: neighbours.nearest_other(GOOD[:1]), 'at least 2'),
    (lambda: classifier_score.classifier_score(GOOD), 'take jax.nn.softmax'),
    (lambda: classifier_score.classifier_score(np.full((4, 2), .5)), 'splits=10 of 4'),
    (lambda: modes.modes([0, 5], 5), r'in \[0, 5\], expected \[0, 5\)'),
    (lambda: modes.modes([0., 1.], 5), 'expected integers'),
    (lambda: modes.modes([0, 1], 2, real=[0, 0]), 'mode 1 has 1 fakes and no real'),
    (lambda: modes.stack([0, 1]), 'a label a channel'),
    (lambda: balance.class_balance([], 2), 'N > 0'),
    (lambda: balance.class_balance([0], 1), 'num_classes=1'),
    (lambda: balance.class_balance([0, 1], 2, [1, 0]), 'above 0'),
    (lambda: floor.floor(min, GOOD, 21), '21 \\+ 21'),
    (lambda: floor.by_class(min, GOOD, [0] * 40, GOOD, [0] * 39 + [1], 2), r'real: no .*\[1\]'),
    (lambda: floor.by_class(min, GOOD, [0] * 39, GOOD, [0] * 40, 1), '40 samples and 39 labels'),
    (lambda: duplicates.within(GOOD, -1.), 'threshold=-1'),
    (lambda: memorisation.nearer_to_train(GOOD, GOOD, GOOD), 'do they share samples'),
    (lambda: score.wilson(3, 2), '3 of 2'),
    (lambda: score.clopper_pearson(1, 2, 95), 'confidence=95'),
])
def test_other_bad_input_is_refused(f, says):
  with pytest.raises(ValueError, match=says):
    f()


@pytest.mark.parametrize('constant', [0., 3.])
def test_constant_features_give_numbers(constant):
  x = np.full((30, 4), constant, np.float32)
  assert frechet.frechet_distance(x, x) == 0
  assert kernel.kernel_distance(x, x, subset_size=5) == (0, 0)
  found = statistics.compare(x, x)
  assert not found.ks.any() and not found.js.any() and np.isnan(found.correlation)
  assert duplicates.within(x).share.value == 1 and duplicates.surplus(x) == 29
  # a ball of radius 0 is empty
  assert prdc.prdc(x, x) == (0, 0, 0, 0)
