"""Data sets as a user makes them: workers, kills, and readers that know nothing of us."""
import json
import os
import pathlib
import signal
import subprocess
import sys

from absl import flags
from common import experiments
import numpy as np
from PIL import Image
import pytest
import tiny
from tiny import command, contents, synthesize, synthesized

from jaxsynth import data, quality
from jaxsynth.checkpoint import CheckpointError
from jaxsynth.data.examples import random_positions
from jaxsynth.synthesis import metadata

ROOT = pathlib.Path(__file__).parent.parent
SPLITS = ['--splits=train:300,test:50', '--shards=7', '--block=20', '--name=digits']


@pytest.fixture(scope='module')
def run(tmp_path_factory):
  return tiny.workdir(tmp_path_factory.mktemp('run'), '--conditional')


@pytest.fixture(scope='module')
def digits(run, tmp_path_factory):
  """A data set written by one worker."""
  folder = tmp_path_factory.mktemp('digits')
  assert synthesized(run, folder, *SPLITS) == 0
  return folder


def read(name, root, split='train'):
  return data.in_memory(data.tfds_source(name, split, root))


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


HELD = '''
import sys, threading
sys.path.insert(0, 'experiments')
from jaxsynth.kinds import png
encode, images = png.encode, []

def held(image):
  images.append(image)
  if len(images) == 51:
    print('held', file=sys.stderr, flush=True)
  if len(images) > 50:
    threading.Event().wait()
  return encode(image)
png.encode = held
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
'''


def test_one_worker_killed_and_two_write_the_same_bytes(run, digits, tmp_path):
  """Killed as it writes its second shard: the first holds 40 images, the 51st is not encoded."""
  worker = [*SPLITS, '--worker=0/2']
  process = subprocess.Popen(
      [sys.executable, '-c', HELD, *command(run, tmp_path, *worker)[1:]], cwd=ROOT, text=True,
      stderr=subprocess.PIPE, env={**os.environ, 'JAX_NUM_CPU_DEVICES': '4'})  # as here
  lines = []
  for line in process.stderr:
    lines.append(line)
    if line == 'held\n':
      break
  process.kill()
  process.stderr.close()
  assert process.wait() == -signal.SIGKILL, ''.join(lines)
  folder = tmp_path / 'digits/1.0.0'
  shard = lambda k: f'digits-train.array_record-{k:05d}-of-00006'
  assert [p.name for p in folder.glob('digits-*')] == [shard(0)]
  assert list(folder.glob(f'.{shard(2)}.*.aside'))  # half written
  before = {p: p.stat().st_mtime_ns for p in folder.glob('digits-*')}
  assert synthesized(run, tmp_path, *worker) == 0
  assert {p: p.stat().st_mtime_ns for p in before} == before  # kept as it was
  assert not (folder / 'dataset_info.json').exists()  # the other worker's part is missing
  assert synthesized(run, tmp_path, *SPLITS, '--worker=1/2') == 0
  assert contents(tmp_path) == contents(digits)


def test_the_program_says_how_far_it_is(run, tmp_path, capsys):
  few = ['--num=60', '--block=20', '--shards=2']
  assert synthesized(run, tmp_path, *few, '--worker=0/2') == 0
  text = capsys.readouterr().err
  assert 'worker 0 of 2: 1 of 1 shards to write' in text and 'images/s' in text
  assert 'others are still to finish' in text
  assert synthesized(run, tmp_path, *few) == 0
  text = capsys.readouterr().err
  assert '1 of 2 shards to write' in text and 'done: ' in text and 'still' not in text
  with pytest.raises(ValueError, match='0 <= k < n'):
    synthesized(run, tmp_path, *few, '--worker=2/2')


def test_a_finished_data_set_is_left_as_it_is(run, digits, capsys):
  before = contents(digits)
  assert synthesized(run, digits, *SPLITS) == 0
  assert '0 of 7 shards to write' in capsys.readouterr().err
  assert contents(digits) == before


def test_samples_do_not_depend_on_how_many_are_drawn(run, digits, tmp_path):
  """Nor on shards and splits; and as a library the engine draws the same."""
  model = experiments.load(run)
  order = quality.Order.of(model, tmp_path, {'train': 70}, name='few', num_shards=2, block=20)
  assert quality.begin(order, model).write()
  few, many = read('few', tmp_path), read('digits', digits)
  np.testing.assert_array_equal(few.images, many.images[:70])
  np.testing.assert_array_equal(few.labels, many.labels[:70])
  np.testing.assert_array_equal(order.read(99), few.images)
  assert len(order.read(7)) == 7
  both = quality.Order.of(model, digits, {'train': 300, 'test': 50}, name='digits', block=20)
  every = np.concatenate([many.images, read('digits', digits, 'test').images])
  np.testing.assert_array_equal(both.read(100), every[random_positions(350, 100)])


def test_a_folder_holds_the_same_images(run, digits, tmp_path):
  for k in (0, 1):
    assert synthesized(run, tmp_path, *SPLITS, '--format=folder', f'--worker={k}/2') == 0
  source = data.in_memory(data.folder(tmp_path / 'train'))
  want = read('digits', digits)
  assert source.num_classes == 10 and source.size == 300
  for label in range(10):
    np.testing.assert_array_equal(source.images[source.labels == label],
                                  want.images[want.labels == label])
  with Image.open(tmp_path / 'test/3/000303.png') as image:
    assert image.mode == 'L' and image.size == (28, 28)
  assert not list(tmp_path.glob('.*.aside'))


def test_labels_as_asked_for(run, tmp_path):
  assert synthesized(run, tmp_path, '--num=40', '--labels=3:.25,7:.75', '--name=two') == 0
  labels = read('two', tmp_path).labels
  assert np.bincount(labels).tolist() == [0, 0, 0, 10, 0, 0, 0, 30]


def test_a_temperature_is_of_the_model_and_stays_on_record(run, tmp_path):
  few = ['--num=40', '--block=20']
  assert synthesized(run, tmp_path, *few, '--name=warm', '--temperature=1') == 0
  assert synthesized(run, tmp_path, *few, '--name=hot', '--temperature=2') == 0
  with pytest.raises(metadata.OtherSettings, match='model.temperature: None there, 2.0 now'):
    synthesized(run, tmp_path, *few, '--name=warm', '--temperature=2')
  warm, hot = read('warm', tmp_path), read('hot', tmp_path)
  assert (warm.labels == hot.labels).all() and (warm.images != hot.images).any((1, 2, 3)).all()
  for name, t in ('warm', 1), ('hot', 2):
    about = json.loads((tmp_path / name / '1.0.0/dataset_info.json').read_text())
    assert f'temperature {t}, by jaxsynth' in about['description']


def test_a_record_of_the_first_version_gives_the_settings_that_it_gave(run, tmp_path):
  """So that what was begun with it goes on: no name of a program, no flag of temperature."""
  record = json.loads((run / 'config.json').read_text())
  old = {'flags': {k: x for k, x in record['flags'].items() if k != 'temperature'},
         'data': record['data']}
  (tmp_path / 'checkpoints').symlink_to(run / 'checkpoints')
  (tmp_path / 'config.json').write_text(json.dumps(old))
  assert synthesized(tmp_path, tmp_path / 'out', '--num=20', '--block=20') == 0
  folder = tmp_path / 'out/synthetic/1.0.0'
  settings = json.loads((folder / 'metadata.json').read_text())
  assert set(settings) == {
      'name', 'version', 'format', 'splits', 'shards', 'labels', 'seed', 'block', 'citation',
      'model', 'filters', 'pseudo_labels', 'class_names', 'synthetic',
      'platform', 'versions'}
  assert set(settings['model']) == {'digest', 'flags', 'data'}
  assert set(old['flags']) - set(settings['model']['flags']) == {'data_dir', 'schema'}
  about = json.loads((folder / 'dataset_info.json').read_text())
  assert 'seed 0, temperature 1, by jaxsynth' in about['description']


@pytest.mark.parametrize('given, error, message', [
    (['--num=4', '--temperature=0', '--name=cold'], flags.IllegalFlagValueError, 'more than 0'),
    (['--num=4', '--name=MNIST-2'], flags.IllegalFlagValueError, 'expected small letters'),
    (['--num=4', '--step=9'], (CheckpointError, OSError), r'no checkpoint 9, only \[3\]')])
def test_what_is_refused_changes_nothing(run, digits, given, error, message):
  before = contents(digits)
  with pytest.raises(error, match=message):
    synthesized(run, digits, '--name=digits', '--block=20', *given)
  assert contents(digits) == before


def test_other_settings_are_refused_with_a_message_alone(run, digits):
  before = contents(digits)
  done = synthesize(run, digits, '--name=digits', '--block=20', '--num=350', '--seed=1')
  text = done.stdout + done.stderr
  assert done.returncode == 1 and 'Traceback' not in text, text
  assert ('seed: 0 there, 1 now\n  shards: 7 there, 1 now\n  '
          'splits.test: 50 there, None now') in text
  assert contents(digits) == before


@pytest.mark.parametrize('given, num, message', [
    (None, None, 'give --num'), (['train:5'], 4, 'expected the same'),
    (['train'], None, 'train:900000,test:100000'), (['a:1', 'a:2'], 3, 'expected names')])
def test_splits_that_are_refused(given, num, message):
  with pytest.raises(ValueError, match=message):
    quality.parse_splits(given, num)


@pytest.mark.parametrize('given, classes, want', [
    ('balanced', 10, 10), ('balanced', None, None), ('5,3,2', 3, [5, 3, 2]),
    ('.5,.3,.2', 3, [5, 3, 2]), ('3:.25,1:.75', 4, [0, 3, 0, 1])])
def test_shares_of_labels(given, classes, want):
  assert quality.parse_shares(given, classes) == want


@pytest.mark.parametrize('given', ['1,2', '1,2,x', '3:1', '0:1,0:2', '0:1,2', '0,0,0', '1,1,-1',
                                   '1/0,1,1', ''])
def test_shares_that_are_refused(given):
  with pytest.raises(ValueError, match='expected .balanced., 3 shares'):
    quality.parse_shares(given, 3)
  with pytest.raises(ValueError, match='not conditional'):
    quality.parse_shares(given, None)


@pytest.mark.parametrize('splits, options, message', [
    ({'train': 40}, {'name': 'MNIST-2'}, 'expected small letters'),
    ({'train': 40}, {'version': '1'}, 'three numbers'),
    ({'train': 40}, {'shares': [1, 2]}, 'one for each of the 10 classes'),
    ({'train': 41}, {'shares': [1, 1] + 8 * [0]}, 'a multiple of 2'),
    ({'train': 40}, {'num_shards': 3, 'block': 20}, 'at most 2')])
def test_orders_that_are_refused(run, tmp_path, splits, options, message):
  with pytest.raises(ValueError, match=message):
    quality.Order.of(experiments.load(run), tmp_path, splits, **options)


def test_a_full_disk_leaves_nothing_half_written(run, tmp_path):
  """Files of more than 32 KiB are refused by the system, as on a disk with no room."""
  code = ('import resource, runpy, signal, sys; '
          'signal.signal(signal.SIGXFSZ, signal.SIG_IGN); '
          'resource.setrlimit(resource.RLIMIT_FSIZE, (2 ** 15, 2 ** 15)); '
          'sys.path.insert(0, "experiments"); sys.argv = sys.argv[1:]; '
          'runpy.run_path(sys.argv[0], run_name="__main__")')
  few = ['--num=300', '--block=20', '--name=digits']
  done = subprocess.run([sys.executable, '-c', code, *command(run, tmp_path, *few)[1:]],
                        cwd=ROOT, text=True, capture_output=True,
                        env={**os.environ, 'XDG_CACHE_HOME': str(tmp_path / 'file')})
  assert done.returncode and 'cannot be written' in done.stderr, done.stderr
  assert 'File too large' in done.stderr and 'run this again' in done.stderr
  assert 'Traceback' not in done.stderr
  assert list(contents(tmp_path / 'digits')) == ['1.0.0/metadata.json']
