"""The analysis as a user runs it."""
import json
import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest
import sets

from jaxsynth import data
from jaxsynth.data.analysis import duplicates
from jaxsynth.data.analysis.scan import scan

ROOT = pathlib.Path(__file__).parent.parent
EVIL = '<script>alert(1)<'


def run(*args):
  return subprocess.run([sys.executable, 'experiments/analyze.py', *map(str, args)],
                        cwd=ROOT, text=True, capture_output=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  """A folder of classes, one with a name that is markup; and an .npz with its faults."""
  root = tmp_path_factory.mktemp('analyze')
  source = data.mnist5k('test')
  for i, label in enumerate(source.labels):
    if label < 3:
      name = root / 'train' / (EVIL if label == 2 else f'digit {label}')
      name.mkdir(parents=True, exist_ok=True)
      Image.fromarray(source.images[i, ..., 0]).save(name / f'{i:04d}.png')
  images = source.images[source.labels < 3][:60].astype(np.float32)
  images[50, 3, 3] = np.nan
  np.savez(root / 'test.npz', images=images, labels=np.repeat([0, 1, 2], 20))
  return root


def test_a_folder_against_an_npz(folder):
  out = folder / 'out'
  command = (f'--dataset={folder / "train"}', f'--against={folder / "test.npz"}', '--pairs=100')
  done = run(*command, f'--report={out}')
  assert done.returncode == 0, done.stderr
  assert '1 image with NaN' in done.stdout and 'Warning' not in done.stderr
  assert sorted(p.name for p in out.iterdir()) == ['analysis.json', 'report.html']
  page = (out / 'report.html').read_text()
  assert '<script' not in page and '&lt;script&gt;alert(1)&lt;' in page
  found = json.loads((out / 'analysis.json').read_text())
  assert found['sets']['train']['classes']['counts'] == [50, 50, 50]
  kinds = {(f['level'], f['kind']) for f in found['findings']}
  assert ('bad', 'not finite') in kinds
  assert found['flags']['dataset'] == str(folder / 'train')
  assert found['sets']['train']['neighbours'] == {'queries': 100, 'points': 150, 'k': 10}
  assert 'train 100 among 150' in page
  assert run(*command, f'--report={folder / "again"}').returncode == 0
  for path in out.iterdir():  # the same command writes the same bytes
    assert path.read_bytes() == (folder / 'again' / path.name).read_bytes()


@pytest.mark.parametrize('flags, message', [
    (['--split=dev'], "mnist5k: split 'dev', expected one of"),
    (['--pairs=2'], 'pairs'),
    (['--channels=2'], 'expected 1 or 3')])
def test_bad_flags_are_refused(tmp_path, flags, message):
  done = run(*flags, f'--report={tmp_path / "r"}')
  assert done.returncode and message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr and not (tmp_path / 'r').exists()


CONFIG = {'dataset': 'mnist5k', 'split': 'train', 'data_dir': None, 'image_size': None,
          'channels': None, 'fit': 'crop', 'image_key': 'image', 'label_key': 'label'}


@pytest.mark.parametrize('config, against, error, message', [
    ({}, ['dev'], ValueError, "split 'dev'"),
    ({}, ['test', 'test'], ValueError, 'named twice'),
    ({'dataset': 'nothing.npz'}, None, FileNotFoundError, 'nothing.npz: no such file'),
    ({'dataset': 'no/thing'}, None, FileNotFoundError, 'no such folder'),
    ({'dataset': 'none', 'data_dir': '/nowhere'}, None, FileNotFoundError, 'is prepared in')])
def test_sets_that_are_not_there(config, against, error, message):
  with pytest.raises(error, match=message):
    sets.sources({**CONFIG, **config}, against)


def test_other_splits_are_held_against_the_first_by_default(folder):
  assert list(sets.sources(CONFIG, None)) == ['train', 'validation', 'test']
  assert list(sets.sources(CONFIG, [])) == ['train']
  own = {**CONFIG, 'dataset': str(folder / 'train')}
  with pytest.raises(ValueError, match='has no splits; expected a folder'):
    sets.sources(own, ['test'])
  assert sets.class_names(own, 3) == [EVIL, 'digit 0', 'digit 1']
  assert sets.class_names(CONFIG, 10) == list('0123456789')


def test_leaks_of_a_medical_set_are_the_ones_there_are():
  where = ROOT / '../shared/tfds'
  if not (where / 'pneumoniamnist').is_dir():
    pytest.skip('../shared/tfds is absent')
  named = sets.sources({**CONFIG, 'dataset': 'pneumoniamnist', 'data_dir': str(where)},
                       ['validation'])
  found = [scan(source, name=name) for name, source in named.items()]
  train, validation = ([x.tobytes() for x in source.images] for source in named.values())
  want = [[i, train.index(x)] for i, x in enumerate(validation) if x in train]
  assert duplicates.shared(found[1].digests, found[0].digests).tolist() == want
  assert len(want) == 8
  assert sets.class_names({**CONFIG, 'dataset': 'pneumoniamnist', 'data_dir': str(where)},
                          2) == ['normal', 'pneumonia']
