"""The analysis as a user runs it, and the sets that it opens."""
import json
import pathlib

import analyze as program
import numpy as np
from PIL import Image
import programs
import pytest

from jaxsynth import data
from jaxsynth.data import analysis
from jaxsynth.data.analysis import duplicates
from jaxsynth.data.analysis.scan import scan
from jaxsynth.data.classes import names_of
from jaxsynth.data.opening import open_dataset
from jaxsynth.data.spec import DatasetSpec

ROOT = pathlib.Path(__file__).parent.parent
EVIL = '<script>alert(1)<'
SPEC = DatasetSpec('mnist5k', 'train')


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


def test_a_folder_against_an_npz(folder, capsys):
  out = folder / 'out'
  command = (f'--dataset={folder / "train"}', f'--against={folder / "test.npz"}', '--pairs=100')
  programs.call(program, *command, f'--report={out}')
  assert '1 image with NaN' in capsys.readouterr().out
  assert sorted(p.name for p in out.iterdir()) == ['analysis.json', 'report.html']
  page = (out / 'report.html').read_text()
  assert '<script' not in page and '&lt;script&gt;alert(1)&lt;' in page
  result = json.loads((out / 'analysis.json').read_text())
  assert result['sets']['train']['classes']['counts'] == [50, 50, 50]
  kinds = {(f['level'], f['kind']) for f in result['findings']}
  assert ('bad', 'not finite') in kinds
  assert result['flags']['dataset'] == str(folder / 'train')
  assert result['flags']['against'] == [str(folder / 'test.npz')]
  assert result['sets']['train']['neighbours'] == {'queries': 100, 'points': 150, 'k': 10}
  assert 'train 100 among 150' in page
  assert '60 examples of train, drawn at random, sorted by class.' in page
  programs.call(program, *command, f'--report={folder / "again"}')
  for path in out.iterdir():  # the same command writes the same bytes
    assert path.read_bytes() == (folder / 'again' / path.name).read_bytes()


@pytest.mark.parametrize('flags, message', [
    (['--split=dev'], "mnist5k: split 'dev', expected one of"),
    (['--pairs=2'], 'pairs'),
    (['--channels=2'], 'expected 1 or 3')])
def test_bad_flags_are_refused(tmp_path, flags, message):
  assert message in programs.refused(program, *flags, f'--report={tmp_path / "r"}')
  assert not (tmp_path / 'r').exists()


@pytest.mark.parametrize('changed, against, error, message', [
    ({}, ['dev'], ValueError, "split 'dev'"),
    ({}, ['test', 'test'], ValueError, 'named twice'),
    ({'dataset': 'nothing.npz'}, None, FileNotFoundError, 'nothing.npz: no such file'),
    ({'dataset': 'no/thing'}, None, FileNotFoundError, 'no such folder'),
    ({'dataset': 'none', 'data_dir': '/nowhere'}, None, FileNotFoundError, 'is prepared in')])
def test_sets_that_are_not_there(changed, against, error, message):
  with pytest.raises(error, match=message):
    analysis.open_sets(SPEC._replace(**changed), against)


def test_other_splits_are_held_against_the_first_by_default(folder):
  assert list(analysis.open_sets(SPEC)) == ['train', 'validation', 'test']
  assert list(analysis.open_sets(SPEC, [])) == ['train']
  spec = SPEC._replace(dataset=str(folder / 'train'))
  assert list(analysis.open_sets(spec)) == ['train']
  with pytest.raises(ValueError, match='has no splits; expected a folder'):
    analysis.open_sets(spec, ['test'])
  assert names_of(open_dataset(spec)) == (EVIL, 'digit 0', 'digit 1')
  assert names_of(open_dataset(SPEC)) == tuple('0123456789')


def test_arrays_are_read_as_they_are_unless_a_shape_is_asked_for(folder):
  spec = DatasetSpec(str(folder / 'test.npz'))
  assert analysis.open_sets(spec)['test.npz'].take(np.arange(1))['image'].dtype == np.float32
  with pytest.raises(ValueError, match='1 of 60 images are not finite'):  # as training says
    analysis.open_sets(spec._replace(channels=1))


def test_leaks_of_a_medical_set_are_the_ones_there_are():
  where = ROOT / '../shared/tfds'
  if not (where / 'pneumoniamnist').is_dir():
    pytest.skip('../shared/tfds is absent')
  spec = DatasetSpec('pneumoniamnist', 'train', str(where))
  named = analysis.open_sets(spec, ['validation'])
  scans = [scan(source, name=name) for name, source in named.items()]
  train, validation = ([x.tobytes() for x in source.images] for source in named.values())
  want = [[i, train.index(x)] for i, x in enumerate(validation) if x in train]
  assert duplicates.shared(scans[1].digests, scans[0].digests).tolist() == want
  assert len(want) == 8
  assert names_of(named['train']) == ('normal', 'pneumonia')
