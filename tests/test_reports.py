"""What users of other libraries reported, tried on this one."""
import os
import pathlib
import subprocess
import sys
import unicodedata

import numpy as np
from PIL import Image
import pytest

from jaxsynth import data, evaluation
from jaxsynth.data import analysis, classes, image_folder

ROOT = pathlib.Path(__file__).parent.parent
PIXELS = np.zeros((4, 4), np.uint8)


def test_an_accent_may_be_written_in_two_ways():
  """Folders from a Mac beside folders from elsewhere: one class, not two."""
  composed, decomposed = (unicodedata.normalize(form, 'café') for form in ('NFC', 'NFD'))
  assert composed != decomposed
  assert classes.places([decomposed, 'tea'], ['tea', composed]) == [1, 0]
  assert classes.shared([('a', [composed]), ('b', [decomposed])]) == (composed,)
  with pytest.raises(ValueError, match='expected each name once'):
    data.ArraySource.of(PIXELS[None], [0], class_names=[composed, decomposed])


def test_links_to_nothing_are_counted(tmp_path):
  """A data set of links, of which the disk with some is not there."""
  Image.fromarray(PIXELS).save(tmp_path / 'a.png')
  for k in range(3):
    (tmp_path / f'{k}.png').symlink_to('/nowhere/at/all.png')
  assert image_folder.folder(tmp_path).skipped == (('.png (a link to nothing)', 3),)


def test_an_npy_is_no_missing_folder(tmp_path):
  np.save(tmp_path / 'x.npy', PIXELS[None])
  with pytest.raises(ValueError, match='x.npy: a file; expected a folder of images, or an .npz'):
    data.open_dataset(data.DatasetSpec(str(tmp_path / 'x.npy')))


def test_nobody_is_told_to_load_pickles(tmp_path):
  (tmp_path / 'x.npz').write_bytes(b'no archive')
  with pytest.raises(ValueError, match='it is no zip archive') as error:
    data.npz(tmp_path / 'x.npz')
  assert 'pickle' not in str(error.value)


@pytest.mark.parametrize('labels, hint', [
    (np.arange(4)[:, None], r'int64\[4, 1\], .*labels.reshape\(-1\) are'),  # Keras's CIFAR-10
    (np.eye(4), r'float64\[4, 4\], .*one-hot labels labels.argmax\(1\) are'),
    (np.arange(4.), r'labels.astype\(int\) are'),
    (['cat', 'dog', 'cat', 'cat'], r'class_names, labels = numpy.unique'),
    (np.arange(5), r'expected integers \[4\], one an image$')])
@pytest.mark.parametrize('opened', [
    lambda *x: data.ArraySource.of(*x), lambda *x: analysis.RawSource.of(*x),
    lambda *x: evaluation.score_arrays(x, x)], ids=['trained on', 'analysed', 'scored'])
def test_labels_of_other_libraries_are_told_how_to_become_ours(opened, labels, hint):
  with pytest.raises(ValueError, match=hint):
    opened(np.full((4, 4, 4, 1), 9, np.uint8), labels)


@pytest.mark.parametrize('channels', [1, 3])
def test_channels_first_are_told_to_go_last(tmp_path, channels):
  np.savez(tmp_path / 'x.npz', images=np.full((9, channels, 8, 8), 9, np.uint8))
  with pytest.raises(ValueError, match=r'images.transpose\(0, 2, 3, 1\) has its channels last'):
    data.npz(tmp_path / 'x.npz')


@pytest.mark.parametrize('images', [
    np.zeros((100, 4, 4, 1), np.uint8), np.full((100, 4, 4, 1), 255, np.uint8),
    np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1).repeat(100, 0) * 16],
    ids=['black', 'white', 'one image'])
def test_a_collapsed_generator_has_scores(images):
  """Covariances of nothing, and neighbours at no distance: worse than real, and finite."""
  random = np.random.default_rng(0).integers(0, 256, (300, 4, 4, 1), np.uint8)
  scores = evaluation.score_arrays(images, random[:100], other=random[100:200],
                                   train=random[200:], net='pixels')
  assert np.isfinite([(x.value, x.floor) for x in scores.values()]).all()
  assert scores['frechet'].value > 3 * scores['frechet'].floor
  assert scores['recall'].value == 0 and scores['duplicates'].value == 1


def ran(*given, **environment):
  return subprocess.run(['bash', '-c', ' '.join(given)], cwd=ROOT, text=True, capture_output=True,
                        env={**os.environ, **environment})


def test_help_may_be_read_in_part():
  done = ran(sys.executable, 'experiments/mnist_dcgan.py', '--help', '|', 'head', '-1')
  assert done.stdout == 'Trains a DCGAN and writes synthetic images.\n' and not done.stderr


@pytest.mark.parametrize('given, named', [
    ('--workdir=$(printf "\\xc3\\xa9")', 'is not UTF-8'), ('--flagfile=flags', '--flagfile: ')])
def test_a_machine_without_utf8_is_told_of(tmp_path, given, named):
  (tmp_path / 'flags').write_bytes('# café\n--workdir=x\n'.encode())
  done = ran('cd', str(tmp_path), '&&', sys.executable,
             str(ROOT / 'experiments/mnist_dcgan.py'), given, LC_ALL='POSIX', PYTHONUTF8='0',
             PYTHONCOERCECLOCALE='0')
  assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
  assert named in done.stderr and 'set PYTHONUTF8=1' in done.stderr
  assert [p.name for p in tmp_path.iterdir()] == ['flags']
