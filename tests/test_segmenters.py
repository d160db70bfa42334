"""Segmenters of streets: classes by name, and the program at test size."""
import json
import subprocess
import sys

from common import program as programs
import numpy as np
import pytest
import segment as program

from jaxsynth.downstream import segmenters
from jaxsynth.metrics.segmentation import IGNORED
from jaxsynth.models.segmenter import Segmenter
from jaxsynth.rules.street import KINDS

SPEC = ('{"image_size": [24, 32], "samples": 1, "signs": 0, "trees": [0, 1], "vehicles": [1, 2], '
        '"pedestrians": [0, 1]}')


def run(*given):
  return subprocess.run([sys.executable, str(programs.HERE / 'segment.py'), *given], text=True,
                        capture_output=True, check=False)


def frames(folder, **changed):
  """Two grey classes in the place of real frames."""
  rng = np.random.default_rng(0)
  arrays = {}
  for split, n in (('train', 6), ('test', 3)):
    mask = np.zeros((n, 24, 32), np.uint8)
    mask[:, 12:] = 1
    arrays[f'{split}_mask'] = mask
    arrays[f'{split}_image'] = np.clip(
        np.where(mask[..., None] == 1, 60, 220) + rng.integers(-20, 20, (n, 24, 32, 3)),
        0, 255).astype(np.uint8)
  arrays |= {'classes': np.array(['Sky', 'Road']), **changed}
  np.savez(folder / 'frames.npz', **{k: x for k, x in arrays.items() if x is not None})
  return folder / 'frames.npz'


def test_classes_are_those_of_both_by_their_names():
  names = ['Sky', 'Fence', 'SignSymbol', 'Car', 'Void']
  masks = np.array([[[0, 1, 2], [3, 4, 4]]])
  np.testing.assert_array_equal(program.numbered(masks, names),
                                [[[0, IGNORED, 5], [6, IGNORED, IGNORED]]])
  of_rule = program.numbered(np.arange(len(KINDS))[None, :, None, None][..., 0], list(KINDS))
  assert of_rule.shape == (1, len(KINDS), 1)
  assert sorted(of_rule.ravel().tolist()) == [*range(8), IGNORED]  # grass is of no real class


def test_two_classes_are_learned_and_measured():
  rng = np.random.default_rng(0)

  def batch_at(k):
    mask = np.zeros((8, 16, 16), np.uint8)
    mask[:, :, 8:] = 1
    return {'image': (80 * mask[..., None] + rng.integers(0, 60, (8, 16, 16, 1))).astype(np.uint8),
            'mask': mask}
  seen = []
  recipe = segmenters.SegmenterRecipe(steps=25, learning_rate=1e-2, decay=.8)
  net, weights = segmenters.learned(
      batch_at, 2, recipe, net=Segmenter(2, widths=(4, 8)), augment=None,
      report=lambda step, metrics: seen.append(step))
  assert seen == list(range(1, 26))
  test = batch_at(0)
  guesses = segmenters.predicted(net, weights, np.concatenate([test['image']] * 3))
  assert guesses.shape == (24, 16, 16) and guesses.dtype == np.uint8
  np.testing.assert_array_equal(guesses[:8], guesses[8:16])
  scores = segmenters.measured(test['mask'], guesses[:8], 2)
  assert scores.mean_iou > .9 and scores.interval[0] <= scores.mean_iou <= scores.interval[1]


def test_intervals_are_those_of_images():
  """Of 100 images half are right and half are wrong: a share of .5, with a deviation of .05."""
  masks = np.zeros((100, 1, 2), int)
  masks[:, :, 1] = 1
  guesses = np.where((np.arange(100) < 50)[:, None, None], masks, 1 - masks)
  scores = segmenters.measured(masks, guesses, 2)
  assert scores.accuracy == .5 and abs(scores.mean_iou - 1 / 3) < 1e-9
  assert .24 < scores.interval[0] < .29 and .39 < scores.interval[1] < .45


@pytest.mark.long
def test_the_program_learns_from_each_and_tests_on_all(tmp_path):
  done = run(f'--real={frames(tmp_path)}', f'--out={tmp_path}/out', f'--spec={SPEC}',
             f'--shifted={SPEC}', '--steps=2', '--batch_size=4', '--num_test=4', '--log_every=1')
  assert not done.returncode, done.stderr
  results = json.loads((tmp_path / 'out/segment.json').read_text())
  assert [row['learned_from'] for row in results['results']] == ['streets', 'real', 'both']
  tests = {'streets', 'other streets', 'real'}
  assert all(set(row['tests']) == tests for row in results['results'])
  assert 'learned from both, tested on real: mean IoU' in done.stdout
  assert (tmp_path / 'out/masks.png').stat().st_size > 1000


@pytest.mark.parametrize('changed, message', [
    ({'train_mask': None}, 'no array train_mask; expected classes, train_image'),
    ({'classes': np.array(['a', 'b'])}, 'its classes are a, b; expected some of sky'),
])
def test_frames_that_cannot_be_used_are_refused(tmp_path, changed, message):
  with pytest.raises(ValueError, match=message):
    program.real_frames(frames(tmp_path, **changed))
