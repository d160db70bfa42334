"""Labels beyond the names there are, names of older runs, and sets that are never compared."""
import logging

import numpy as np
from PIL import Image
import pytest

from jaxsynth import data, downstream, evaluation
from jaxsynth.data import analysis, earlier, fingerprint, origin
from jaxsynth.data.examples import Examples

IMAGES = np.random.default_rng(0).integers(0, 256, (300, 4, 4, 1), np.uint8)


def three_sets(labels, names=None):
  return [Examples(name, IMAGES[k * 100:k * 100 + 100], np.resize(labels, 100), names)
          for k, name in enumerate(('train', 'test', 'synthetic'))]


@pytest.mark.parametrize('labels, names, message', [
    ([-1, 0, 1], None, r'labels in \[-1, 1\], expected at least 0'),
    ([-1, 0, 1], ('a', 'b'), r'labels in \[-1, 1\], expected \[0, 2\), positions among a, b'),
    ([0, 1, 2], ('a', 'b'), r'labels in \[0, 2\], expected \[0, 2\), positions among a, b')])
def test_a_label_that_has_no_name_is_refused_wherever_sets_meet(labels, names, message):
  train, test, synthetic = three_sets(labels, names)
  with pytest.raises(ValueError, match=message):
    downstream.study(train, test, synthetic)
  if names:
    with pytest.raises(ValueError, match=message):
      evaluation.compare(evaluation.Synthetic(synthetic, 2, {}), test, other=train)


def test_floating_labels_are_no_names():
  sets = [(x.images, x.labels.astype(float)) for x in three_sets([0, 1])]
  with pytest.raises(ValueError, match=r'train: labels float64\[100\], expected integers'):
    downstream.study(*sets)


def folders(root, names):
  for name in names:
    (root / name).mkdir(parents=True)
    Image.fromarray(IMAGES[0, ..., 0]).save(root / name / '1.png')
  return root


def test_an_older_run_on_folders_called_by_numbers_has_their_names(tmp_path, caplog):
  """Sorted as texts, as they were numbered then."""
  spec = data.DatasetSpec(str(folders(tmp_path / 'x', map(str, range(12)))))
  assert earlier.names_before(spec, 12)[:4] == ('0', '1', '10', '11') and not caplog.text
  assert earlier.names_before(spec, None) == ()
  assert earlier.names_before(data.DatasetSpec('mnist5k'), 3) == ('0', '1', '2')
  gone = data.DatasetSpec(str(tmp_path / 'gone'))
  with caplog.at_level(logging.WARNING):
    assert earlier.names_before(gone, 2) == ('0', '1')
  assert 'they are called by their positions' in caplog.text


def test_an_older_run_keeps_the_classes_that_have_no_examples(monkeypatch):
  """Its digest is of images and labels, so it is equal without them."""
  now = data.ArraySource.of(IMAGES, np.arange(300) % 2, 2)
  then = data.ArraySource.of(IMAGES, np.arange(300) % 2, 4)
  monkeypatch.setattr(earlier, 'open_dataset', lambda spec: now)
  monkeypatch.setattr(earlier, '_before', lambda spec, source: then)
  digest = fingerprint.digest(now)
  assert digest == fingerprint.digest(then)
  for num_classes in (2, 4):
    source = earlier.open_numbered(data.DatasetSpec('x.npz'), digest, num_classes)
    assert source.num_classes == num_classes
  assert earlier.open_numbered(data.DatasetSpec('x.npz'), 'other', 4) is now


def test_real_images_beside_a_drawn_folder_are_real(tmp_path):
  (tmp_path / 'metadata.json').write_text('{"synthetic": true, "splits": {"train": 9}}')
  kinds = {name: origin.is_synthetic(data.DatasetSpec(str(folders(tmp_path / name, 'ab'))))
           for name in ('train', 'real')}
  assert kinds == {'train': True, 'real': False}


def named(names, start):
  return data.ArraySource.of(IMAGES[start:start + 60], np.arange(60) % 2, class_names=names)


def test_sets_that_are_not_compared_may_have_other_classes():
  bare = data.ArraySource.of(IMAGES[:60])
  sets = {'v': named(['cat', 'dog'], 60), 't': named(['cat', 'owl'], 120)}
  assert len(analysis.analyze({'train': bare, **sets}).sets) == 3
  with pytest.raises(ValueError, match='the classes of v and t do not fit'):
    analysis.analyze(sets)


def test_numbers_with_zeros_in_front_are_the_numbers():
  kinds = lambda names: {f.kind for f in analysis.analyze({'x': named(names, 0)}).findings}
  assert 'label values' not in kinds(['00', '01'])
  assert 'label values' in kinds(['00', '02'])
