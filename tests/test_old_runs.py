"""A run of the first version, before records had a format, goes on and is read today.

`goldens/run_0_1_0.tar.xz` holds `run/`, four steps of a tiny conditional DCGAN, and `golden/`,
what that version made of it: metrics after four steps more, and twenty images at temperature 2.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

from common import experiments
import numpy as np
from PIL import Image
import pytest
from tiny import contents
import training

from jaxsynth import data, runs
from jaxsynth.evaluation.synthetic import read_synthetic
from jaxsynth.synthesis import exported

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parent.parent
ARCHIVE = ROOT / 'tests/goldens/run_0_1_0.tar.xz'
DIGEST = '1bd96653ead0b1648ede21da8934fcb0ea0fc52facbea4209fb6da7da1d633da'
FLAGS = ('--conditional', '--generator_width=2', '--discriminator_width=2', '--latent_dim=2',
         '--kernel_size=3', '--batch_size=16', '--checkpoint_every=2', '--log_every=1',
         '--sample_every=4', '--num_synthetic=20', '--notensorboard')


@pytest.fixture(scope='module')
def archive(tmp_path_factory):
  """Both folders; nothing is written there."""
  folder = tmp_path_factory.mktemp('old')
  with tarfile.open(ARCHIVE) as tar:
    tar.extractall(folder, filter='data')
  return folder


@pytest.fixture(scope='module')
def golden(archive):
  return archive / 'golden'


@pytest.fixture
def old(archive, tmp_path):
  """A copy of the run."""
  return shutil.copytree(archive / 'run', tmp_path / 'run')


def resume(folder, steps):
  """By the command, compiled and on one device as then: bits are of a machine's threads too."""
  as_then = {**os.environ, 'JAX_DISABLE_MOST_OPTIMIZATIONS': '0'}
  subprocess.run([sys.executable, 'experiments/mnist_dcgan.py', f'--workdir={folder}', *FLAGS,
                  f'--steps={steps}'], cwd=ROOT, check=True, env=as_then)
  return folder


@pytest.fixture(scope='module')
def resumed(archive, tmp_path_factory):
  """The run at step 8, in one piece."""
  return resume(shutil.copytree(archive / 'run', tmp_path_factory.mktemp('resumed') / 'run'), 8)


@pytest.fixture(scope='module')
def warm(golden):
  """Images that the first version drew at temperature 2, by index."""
  images = {}
  for path in (golden / 'warm/train').rglob('*.png'):
    with Image.open(path) as image:
      images[int(path.stem)] = np.asarray(image)[..., None]
  return np.stack([images[i] for i in range(20)])


def record_of(folder):
  return json.loads((folder / 'config.json').read_text())


def rewrite(folder, change):
  record = record_of(folder)
  change(record)
  (folder / 'config.json').write_text(json.dumps(record))


def metrics(folder):
  return [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]


def state_of(folder, step=8):
  return json.loads((folder / f'checkpoints/{step}/digest/metadata').read_text())


def assert_near(images, wanted):
  """To one grey level: compilers round differently."""
  assert np.abs(np.asarray(images, int) - np.asarray(wanted, int)).max() <= 1


def test_it_goes_on_with_the_same_numbers(resumed, golden):
  """But for rounding: machines differ, and since then sums of gradients are ordered anew."""
  ours, theirs = metrics(resumed), metrics(golden)
  assert [row['step'] for row in ours] == list(range(1, 9))
  for a, b in zip(ours, theirs, strict=True):
    assert a.keys() - {'spread/real', 'spread/fake'} == b.keys()  # the alarm looks at these
    np.testing.assert_allclose([a[k] for k in b if 'accuracy' not in k],
                               [b[k] for k in b if 'accuracy' not in k], atol=1e-4)
  record = record_of(resumed)
  assert record['experiment'] == 'mnist_dcgan' and record['format'] == 1


def test_in_two_pieces_it_ends_with_the_same_bits(old, resumed):
  resume(old, 6)
  resume(old, 8)
  assert state_of(old) == state_of(resumed)
  for name in ('metrics.jsonl', 'synthetic.npz', 'config.json'):
    assert (old / name).read_bytes() == (resumed / name).read_bytes(), name


def test_it_loads_and_draws_the_images_that_it_drew(archive, warm):
  model = experiments.load(archive / 'run', sampling={'temperature': 2.})
  assert model.digest == DIGEST and model.sampling == {'temperature': 2.}
  assert model.run.num_classes == 10 and model.image_shape == (28, 28, 1)
  draw = model.streamer(0, model.run.num_classes)
  images = np.concatenate([piece.images for piece in draw(0, 20)])
  assert_near(images, warm)


def test_its_sampler_as_a_file_draws_them_too(archive, tmp_path, warm):
  pytest.importorskip('flatbuffers')
  model = experiments.load(archive / 'run', sampling={'temperature': 2.})
  contents_ = exported.exported(model.run.sample, model.params, model.variables, batch_size=20,
                                conditional=True, platforms=('cpu',))
  for name, raw in contents_.items():
    (tmp_path / name).write_bytes(raw)
  assert_near(exported.load(tmp_path)(0, np.arange(20), np.arange(20) % 10), warm)


def test_its_images_are_read_to_be_scored(archive):
  with np.load(archive / 'run/synthetic.npz') as arrays:
    stored = arrays['images']
  few = read_synthetic(archive / 'run')
  np.testing.assert_array_equal(few.examples.images, stored)
  assert few.num_classes == 10 and few.examples.labels.tolist() == [*range(10)] * 2
  more = read_synthetic(archive / 'run', num=23, load_run=experiments.load)
  assert more.about['generator'] == DIGEST and len(more.examples.images) == 23
  assert_near(more.examples.images[:20], stored)


def test_flags_that_its_record_lacks_take_their_defaults(old):
  whole = experiments.load(old)

  def forget(record):
    for name in ('tapered', 'conditional_norm', 'generator_norm', 'packing', 'b1', 'fit'):
      del record['flags'][name]
  rewrite(old, forget)
  after = experiments.load(old)
  assert after.digest == whole.digest and after.spec == data.DatasetSpec()
  np.testing.assert_array_equal(runs.own_samples(after, 5)[0], runs.own_samples(whole, 5)[0])
  before, config = record_of(old), training.config_of(*FLAGS, '--steps=4', tiny=False)
  assert experiments.config_of(before) == config  # so that it goes on


BAD = {
    'os': (lambda r: r.update(experiment='os'), "'os' is no program of experiments/"),
    'path': (lambda r: r.update(experiment='../x'), "'../x' is no program of experiments/"),
    'typing-error': (lambda r: r.update(experiment='mnist_vaee'),
                     "'mnist_vaee' is no program.*mnist_dcgan.*newer version"),
    'newer': (lambda r: r.update(format=99), 'reads formats up to 1: install a newer one'),
    'flag': (lambda r: r['flags'].update(warp=9), '--warp, which this mnist_dcgan.py does not '
             'know: use the version that made it'),
    'no-flags': (lambda r: r.pop('flags'), 'not the record of a run; bring a copy of it back'),
}


@pytest.mark.parametrize('name', [*BAD, 'torn', 'empty', 'list'])
def test_a_record_that_cannot_be_used_is_refused_and_nothing_touched(old, name):
  if name in BAD:
    change, message = BAD[name]
    rewrite(old, change)
  else:
    text = (old / 'config.json').read_text()
    torn = {'torn': text[:len(text) // 2], 'empty': '', 'list': '[1]'}
    (old / 'config.json').write_text(torn[name])
    message = 'not the record of a run; bring a copy of it back'
  (old / '.config.json.0123.aside').write_text('half')  # as a killed run leaves it
  before, folders = contents(old), {p for p in old.rglob('*') if p.is_dir()}
  for use in (lambda: experiments.load(old),
              lambda: experiments.load(old, sampling={'temperature': 2.}),
              lambda: training.trained(old, *FLAGS, '--steps=8', tiny=False)):
    with pytest.raises(runs.RunError, match=message):
      use()
  after = contents(old)
  assert after.pop('.lock', b'') == b''
  assert after == before and {p for p in old.rglob('*') if p.is_dir()} == folders
