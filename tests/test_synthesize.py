"""Data sets as a user makes them: workers, kills, and readers that know nothing of us."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import launcher
import numpy as np
from PIL import Image
import pytest
import recipe
import tiny
from tiny import command, contents, synthesize

from jaxsynth import data

ROOT = pathlib.Path(__file__).parent.parent
SPLITS = ['--splits=train:300,test:50', '--shards=7', '--block=20', '--name=digits']


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  return tiny.workdir(tmp_path_factory.mktemp('run'), '--conditional')


@pytest.fixture(scope='module')
def digits(run, tmp_path_factory):
  """A data set written by one worker."""
  folder = tmp_path_factory.mktemp('digits')
  done = synthesize(run, folder, *SPLITS)
  assert done.returncode == 0 and 'done: ' in done.stderr, done.stderr
  assert '350/350 images' in done.stderr and 'images/s' in done.stderr
  return folder


def test_tfds_reads_it_without_tensorflow_or_us(digits, tmp_path):
  """In a process that loads neither TensorFlow nor anything of ours."""
  code = '''
import json, sys
import numpy as np, tensorflow_datasets as tfds
builder = tfds.builder_from_directory(sys.argv[1] + '/digits/1.0.0')
source = builder.as_data_source(split='train')
images = np.stack([x['image'] for x in source])
slice = tfds.data_source('digits', split='test[:10]', data_dir=sys.argv[1])
assert not {'jaxsynth', 'tensorflow'} & set(sys.modules)
print(json.dumps([images.shape, str(images.dtype), int(images.max()),
                  [int(x['label']) for x in source][:12], len(slice),
                  {k: builder.info.metadata[k] for k in ('model', 'seed', 'splits')},
                  builder.info.citation, builder.info.description,
                  builder.info.features['label'].num_classes,
                  builder.info.splits['train'].num_shards]))
'''
  done = subprocess.run([sys.executable, '-c', code, str(digits)], cwd=tmp_path, text=True,
                        capture_output=True, check=True)
  found = json.loads(done.stdout)
  assert found[:3] == [[300, 28, 28, 1], 'uint8', found[2]] and found[2] > 0
  assert found[3] == [i % 10 for i in range(12)] and found[4] == 10
  model = found[5]['model']['digest']
  assert len(model) == 64 and found[5]['seed'] == 0 and found[5]['splits'] == {
      'train': 300, 'test': 50}
  assert model in found[6] and model in found[7] and found[8:] == [10, 6]
  assert 'data_dir' not in found[5]['model']['flags']


def test_one_worker_killed_and_two_write_the_same_bytes(run, digits, tmp_path):
  flags = [*SPLITS, '--worker=0/2']
  process = subprocess.Popen(command(run, tmp_path, *flags), cwd=ROOT, stderr=subprocess.DEVNULL)
  while not list(tmp_path.glob('digits/1.0.0/*00000-of-00006')) and process.poll() is None:
    time.sleep(0.001)
  process.kill()
  assert process.wait() in (-signal.SIGKILL, 0)
  folder = tmp_path / 'digits/1.0.0'
  torn = folder / '.digits-train.array_record-00002-of-00006.0123abcd.aside'
  torn.write_bytes(b'torn')  # what a kill while writing leaves, if that one left none
  before = {p: p.stat().st_mtime_ns for p in folder.glob('digits-*')}
  first = synthesize(run, tmp_path, *flags)
  assert first.returncode == 0 and 'others are still to finish' in first.stderr, first.stderr
  assert before and {p: p.stat().st_mtime_ns for p in before} == before  # kept as they were
  assert not (folder / 'dataset_info.json').exists()
  second = synthesize(run, tmp_path, *SPLITS, '--worker=1/2')
  assert second.returncode == 0 and 'done: ' in second.stderr
  assert contents(tmp_path) == contents(digits)


def test_processes_of_one_launcher_share_the_work(run, digits, tmp_path):
  both = launcher.together(command(run, tmp_path, *SPLITS, '--distributed'), ROOT)
  for k, (code, text) in enumerate(both):
    assert code == 0 and f'worker {k} of 2' in text, text
  assert contents(tmp_path) == contents(digits)


def test_a_finished_data_set_is_left_as_it_is(run, digits):
  before = contents(digits)
  done = synthesize(run, digits, *SPLITS)
  assert done.returncode == 0 and '0 of 7 shards to write' in done.stderr
  assert contents(digits) == before


def test_samples_do_not_depend_on_how_many_are_drawn(run, digits, tmp_path):
  """Nor on shards and splits."""
  done = synthesize(run, tmp_path, '--num=70', '--shards=2', '--block=20', '--name=few')
  assert done.returncode == 0, done.stderr
  few, many = (data.in_memory(data.tfds_source(name, 'train', root))
               for name, root in (('few', tmp_path), ('digits', digits)))
  np.testing.assert_array_equal(few.images, many.images[:70])
  np.testing.assert_array_equal(few.labels, many.labels[:70])


def test_a_folder_holds_the_same_images(run, digits, tmp_path):
  flags = [*SPLITS, '--format=folder']
  for k in (0, 1):
    done = synthesize(run, tmp_path, *flags, f'--worker={k}/2')
    assert done.returncode == 0, done.stderr
  source = data.in_memory(data.folder(tmp_path / 'train'))
  want = data.in_memory(data.tfds_source('digits', 'train', digits))
  assert source.num_classes == 10 and source.size == 300
  for label in range(10):
    np.testing.assert_array_equal(source.images[source.labels == label],
                                  want.images[want.labels == label])
  with Image.open(tmp_path / 'test/3/000303.png') as image:
    assert image.mode == 'L' and image.size == (28, 28)
  assert not list(tmp_path.glob('.*.aside'))


def test_labels_as_asked_for(run, tmp_path):
  done = synthesize(run, tmp_path, '--num=40', '--labels=3:.25,7:.75', '--name=two')
  assert done.returncode == 0, done.stderr
  labels = data.in_memory(data.tfds_source('two', 'train', tmp_path)).labels
  assert np.bincount(labels).tolist() == [0, 0, 0, 10, 0, 0, 0, 30]


def test_a_temperature_is_of_the_model_and_stays_on_record(run, tmp_path):
  flags = ['--num=40', '--block=20', '--name=warm']
  for t, name in (1, 'warm'), (2, 'warm'), (2, 'hot'):
    done = synthesize(run, tmp_path, *flags[:2], f'--name={name}', f'--temperature={t}')
    assert (done.returncode == 1) == (t == 2 and name == 'warm'), done.stderr
    if done.returncode:
      assert 'model.temperature: None there, 2.0 now' in done.stdout + done.stderr
  warm, hot = (data.in_memory(data.tfds_source(x, 'train', tmp_path)) for x in ('warm', 'hot'))
  assert (warm.labels == hot.labels).all() and (warm.images != hot.images).any((1, 2, 3)).all()
  for name, t in ('warm', 1), ('hot', 2):
    about = json.loads((tmp_path / name / '1.0.0/dataset_info.json').read_text())
    assert f'temperature {t}, by jaxsynth' in about['description']


@pytest.mark.parametrize('flags, message', [
    (['--num=4', '--temperature=0', '--name=cold'], 'temperature=0.0: expected a number above'),
    (['--num=350', '--seed=1'], 'seed: 0 there, 1 now\n  shards: 7 there, 1 now\n  '
     'splits.test: 50 there, None now'),
    (['--num=4', '--name=MNIST-2'], 'expected small letters'),
    (['--num=4', '--step=9'], 'no checkpoint 9, only [3]')])
def test_what_is_refused_changes_nothing(run, digits, flags, message):
  before = contents(digits)
  done = synthesize(run, digits, '--name=digits', '--block=20', *flags)
  assert done.returncode and message in done.stderr + done.stdout, done.stderr
  assert 'Traceback' not in done.stderr and contents(digits) == before


@pytest.mark.parametrize('given, num, message', [
    (None, None, 'give --num'), (['train:5'], 4, 'expected the same'),
    (['train'], None, 'train:900000,test:100000'), (['a:1', 'a:2'], 3, 'expected names')])
def test_splits_that_are_refused(given, num, message):
  with pytest.raises(ValueError, match=message):
    recipe.sizes(given, num)


@pytest.mark.parametrize('given, classes, want', [
    ('balanced', 10, 10), ('balanced', None, None), ('5,3,2', 3, [5, 3, 2]),
    ('.5,.3,.2', 3, [5, 3, 2]), ('3:.25,1:.75', 4, [0, 3, 0, 1])])
def test_shares_of_labels(given, classes, want):
  assert recipe.shares_of(given, classes) == want


@pytest.mark.parametrize('given', ['1,2', '1,2,x', '3:1', '0:1,0:2', '0:1,2', '0,0,0', '1,1,-1',
                                   '1/0,1,1', ''])
def test_shares_that_are_refused(given):
  with pytest.raises(ValueError, match='expected .balanced., 3 shares'):
    recipe.shares_of(given, 3)
  with pytest.raises(ValueError, match='not conditional'):
    recipe.shares_of(given, None)


def test_a_full_disk_leaves_nothing_half_written(run, tmp_path):
  """Files of more than 32 KiB are refused by the system, as on a disk with no room."""
  code = ('import resource, runpy, signal, sys; '
          'signal.signal(signal.SIGXFSZ, signal.SIG_IGN); '
          'resource.setrlimit(resource.RLIMIT_FSIZE, (2 ** 15, 2 ** 15)); '
          'sys.path.insert(0, "experiments"); sys.argv = sys.argv[1:]; '
          'runpy.run_path(sys.argv[0], run_name="__main__")')
  flags = ['--num=300', '--block=20', '--name=digits']
  done = subprocess.run([sys.executable, '-c', code, *command(run, tmp_path, *flags)[1:]],
                        cwd=ROOT, text=True, capture_output=True,
                        env={**os.environ, 'XDG_CACHE_HOME': str(tmp_path / 'file')})
  assert done.returncode and 'cannot be written' in done.stderr, done.stderr
  assert 'File too large' in done.stderr and 'run this again' in done.stderr
  assert 'Traceback' not in done.stderr
  assert list(contents(tmp_path / 'digits')) == ['1.0.0/metadata.json']
