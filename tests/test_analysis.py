"""Planted faults are found, clean data are left alone."""
import json

import numpy as np
import pytest

from jaxsynth import data
from jaxsynth.data import analysis

RNG = np.random.default_rng(0)


@pytest.fixture(scope='module')
def digits():
  """Two shuffled halves of real digits: of one distribution, without copies."""
  every = data.mnist5k('all')
  order = RNG.permutation(5000)
  take = lambda at: (every.images[at].copy(), every.labels[at].copy())
  return take(order[:1500]), take(order[1500:2300])


def sets(train, test=None):
  named = {'train': analysis.RawSource.of(*train)}
  return named if test is None else {**named, 'test': analysis.RawSource.of(*test)}


def analyzed(train, test=None, **kwargs):
  result = analysis.analyze(sets(train, test), **kwargs)
  return result, {(f.where, f.kind): f for f in result.findings}


def test_clean_data_are_left_alone(digits):
  result, kinds = analyzed(*digits)
  assert not [f for f in result.findings if f.level == 'bad']
  harmless = {'unusual contrast', 'unusual brightness', 'suspicious labels', 'outliers'}
  assert {kind for _, kind in kinds} <= harmless
  for of_set in result.sets:
    assert of_set.numbers['labels']['share'] < 0.03


def test_copies_across_splits_are_found_exact_and_near(digits):
  (images, labels), (other, more) = digits
  other = other.copy()
  other[:20] = images[100:120]
  noisy = images[200:220] + RNG.normal(0, 5, (20, 28, 28, 1))
  other[20:40] = np.rint(noisy.clip(0, 255)).astype(np.uint8)
  other[40:60] = np.rint(images[300:320] * 0.7 + 20).astype(np.uint8)
  result, kinds = analyzed((images, labels), (other, more))
  comparison = result.against[0]
  assert comparison.shared.tolist() == [[i, 100 + i] for i in range(20)]
  at = comparison.near.queries[comparison.near_copies]
  assert set(range(40, 60)) <= set(at)  # brightness and contrast
  assert len(set(range(20, 40)) & set(at)) >= 19 and set(at) <= set(range(20, 60))
  assert kinds['test', 'leakage'].level == 'bad'
  assert result.advice[0].what.startswith('Remove leaked images')


def test_copies_within_a_set_and_their_labels(digits):
  images, labels = (x.copy() for x in digits[0])
  images[7], images[9] = images[3], images[4]
  labels[7], labels[9] = labels[3], (labels[4] + 1) % 10
  result, kinds = analyzed((images, labels))
  assert result.sets[0].numbers['copies'] == {
      'exact': 2, 'groups': 2, 'conflicting_labels': 1, 'near': 0}
  assert set(kinds['train', 'duplicates'].examples) == {7, 9}
  assert set(kinds['train', 'conflicting labels'].examples) == {4, 9}


def test_label_noise_is_found():
  """5 % of labels moved: most of them are found, and most of what is found is of them.

  cleanlab 2.9.0's confident learning, given the same votes, finds the same examples.
  """
  digits, rng = data.mnist5k(), np.random.default_rng(0)
  images, labels = digits.images, digits.labels
  wrong = rng.choice(4000, 200, replace=False)
  noisy = labels.copy()
  noisy[wrong] = (labels[wrong] + rng.integers(1, 10, 200)) % 10
  result, kinds = analyzed((images, noisy))
  doubt = result.sets[0].suspects
  hits = np.isin(doubt.positions, wrong)
  assert hits.sum() / 200 > 0.7 and hits.mean() > 0.8
  right = doubt.likely[hits] == labels[doubt.positions[hits]]
  assert right.mean() > 0.9
  assert kinds['train', 'suspicious labels'].level == 'warning'
  assert doubt.joint.sum() == len(doubt.positions)
  assert doubt.positions[:10].tolist() == list(
      kinds['train', 'suspicious labels'].examples[:10])


def test_one_class_shifted_is_found_and_only_that(digits):
  images, labels = (x.copy() for x in digits[1])
  seven = labels == 7
  images[seven] = np.roll(images[seven], 3, axis=2)
  result, kinds = analyzed(digits[0], (images, labels))
  assert kinds['test', 'class drift'].examples == (7,)
  by = result.against[0].numbers['classes']
  assert np.nanargmax(by['energy']) == 7 and by['p_holm'][7] < 0.05


def test_a_brighter_set_and_other_shares_are_drift(digits):
  images, labels = digits[1]
  keep = (labels > 2) | (np.arange(len(labels)) % 4 == 0)
  dull = np.rint(images[keep] * 0.8).astype(np.uint8)
  result, kinds = analyzed(digits[0], (dull, labels[keep]))
  assert 'brightest pixel' in kinds['test', 'drift'].text
  assert ('test', 'class shares') in kinds


def test_nan_and_wrong_ranges_are_analyzed(digits):
  images = digits[0][0] / np.float32(255)
  images[5, 3, 3], images[6, 0, 0] = np.nan, np.inf
  images[10:13] *= 255  # never divided
  images[20] = 0.5
  result, kinds = analyzed((images, digits[0][1]))
  assert kinds['train', 'not finite'].examples == (5, 6)
  assert kinds['train', 'wrong range'].examples == (10, 11, 12)
  assert kinds['train', 'constant images'].examples == (20,)
  assert result.sets[0].ranges.scale == '[0, 1]'
  assert json.dumps(analysis.to_json(result), allow_nan=False)
  assert result.advice[0].what.startswith('Mend')


def test_bytes_that_were_scaled_before_rounding_are_analyzed(digits):
  images = digits[0][0].copy()
  images[3] = np.rint(images[3] / 255)
  assert analyzed((images, None))[1]['train', 'wrong range'].examples == (3,)
  tiny = np.rint(digits[0][0] / 255).astype(np.uint8)
  assert 'only 0 and 1' in analyzed((tiny, None))[1]['train', 'wrong range'].text


def test_outliers_and_imbalance_are_analyzed(digits):
  images, labels = (x.copy() for x in digits[0])
  images[8] = RNG.integers(0, 256, (28, 28, 1))
  images[9] = 255 - images[9]
  rare = (labels != 3) | (np.cumsum(labels == 3) <= 10)
  rare[8:10] = True
  result, kinds = analyzed((images[rare], labels[rare]))
  at = set(np.flatnonzero(rare)[list(result.sets[0].outliers)])
  assert {8, 9} <= at and len(at) <= 5
  assert 9 in np.flatnonzero(rare)[list(kinds['train', 'unusual brightness'].examples)]
  assert ('train', 'imbalance') in kinds
  assert any('Balance' in a.what for a in result.advice)


def test_analyses_that_do_not_apply_say_so(digits):
  images, labels = digits[0]
  result, _ = analyzed((images[:50], None), (images[50:100], labels[50:100]))
  assert result.sets[0].skipped == {'classes': 'no labels', 'labels': 'no labels'}
  assert result.against[0].skipped == {'drift by class': 'no labels in train'}
  same = analyzed((images[:50], np.zeros(50, int)))[0].sets[0]
  assert 'one class only' in same.skipped['labels']
  few = analyzed((images[:3], labels[:3]))[0].sets[0]
  assert 'at least 4' in few.skipped['neighbours'] and few.near is None


def test_a_blank_set_is_analysed():
  blank = analyzed((np.zeros((6, 4, 4), np.uint8), None))[0].sets[0]
  assert blank.numbers['copies']['exact'] == 5 and len(blank.ranges.constant) == 6


class Empty:
  name, size, image_shape, num_classes = 'nothing', 0, (2, 2, 1), None


@pytest.mark.parametrize('make, message', [
    (lambda: analysis.analyze({'a': Empty()}), 'a: no examples'),
    (lambda: analysis.analyze({}), '0 sets'),
    (lambda: analysis.analyze(sets((np.zeros((9, 2, 2)), None)), pairs=2), 'pairs=2'),
    (lambda: analysis.analyze(sets((np.zeros((9, 2, 2)), None), (np.zeros((9, 3, 3)), None))),
     'images of different shapes.*set an image size'),
    (lambda: analysis.RawSource.of(np.zeros((2, 3))), r'expected numbers\s+\[N, H, W\]'),
    (lambda: analysis.RawSource.of(np.zeros((2, 3, 3)), [0, -1]), 'expected at least 0'),
    (lambda: analysis.RawSource.of(np.array([[['a']]])), 'expected numbers')])
def test_bad_input_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


def test_raw_npz_reads_what_is_there(tmp_path):
  np.savez(tmp_path / 'a.npz', images=np.full((3, 2, 2), np.nan), labels=[0, 1, 1])
  source = analysis.raw_npz(tmp_path / 'a.npz')
  assert source.num_classes == 2 and np.isnan(source.take(np.array([1]))['image']).all()
  np.savez(tmp_path / 'b.npz', x=np.zeros(3))
  with pytest.raises(ValueError, match="no array 'images'"):
    analysis.raw_npz(tmp_path / 'b.npz')
  with pytest.raises(FileNotFoundError, match='no such file'):
    analysis.raw_npz(tmp_path / 'c.npz')
