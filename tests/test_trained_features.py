"""Features that learn the labels of the data in hand."""
import json

from common.experiments import HERE as PROGRAMS
import numpy as np
import programs
import pytest

from jaxsynth import data, evaluation
from jaxsynth.data.examples import Examples, source_of
from jaxsynth.downstream import Recipe
from jaxsynth.downstream.trained_features import trained_features
from jaxsynth.metrics import features

QUICK = Recipe(steps=60, batch_size=32)


def digits(split, n):
  source = data.open_dataset(data.DatasetSpec('mnist5k', split))
  batch = source.take(np.linspace(0, source.size - 1, n).astype(int))
  return Examples(split, batch['image'], batch['label'])


def test_they_tell_classes_apart_that_pixels_do_not():
  train, test = digits('train', 800), digits('test', 400)
  net = trained_features(source_of(train), QUICK)
  assert net.sha256 == trained_features(source_of(train), QUICK).sha256
  other = trained_features(source_of(train), QUICK, seed=1)
  assert other.sha256 != net.sha256

  def separation(of):
    embedded = features.extract(of, test.images)
    means = np.stack([embedded[test.labels == k].mean(0) for k in range(10)])
    within = np.mean([embedded[test.labels == k].var(0).sum() for k in range(10)])
    return means.var(0).sum() / within
  assert separation(net) > 2 * separation(features.pixels())
  scores = evaluation.score_arrays(test, train, net=net)
  assert scores['frechet'].protocol.features == 'trained'
  assert scores['frechet'].protocol.sha256 == net.sha256


def test_what_has_no_labels_or_no_floor_is_refused(tmp_path):
  with pytest.raises(ValueError, match='no labels, so no classifier can learn from it'):
    trained_features(source_of(Examples('bare', digits('test', 50).images)), QUICK)
  module = programs.module_of(PROGRAMS / 'evaluate.py')
  images = digits('test', 200).images
  np.savez(tmp_path / 'made.npz', images=images)
  given = (f'--synthetic={tmp_path}/made.npz', f'--report={tmp_path}/r', '--features=trained')
  assert 'name --validation_split too' in programs.refused(
      module, '--real=mnist5k', '--validation_split=', *given)


@pytest.mark.long
def test_the_floor_is_of_images_that_they_have_not_learned_from(tmp_path):
  np.savez(tmp_path / 'made.npz', images=digits('train', 400).images)
  programs.call(programs.module_of(PROGRAMS / 'evaluate.py'), '--real=mnist5k',
                f'--synthetic={tmp_path}/made.npz', f'--report={tmp_path}/r', '--features=trained')
  record = json.loads((tmp_path / 'r/scores.json').read_text())
  assert record['sets']['floor']['name'] == 'mnist5k/validation'
  assert record['features']['name'] == 'trained' and record['sets']['train']['labels']
