"""The main job as a user runs it, at toy size."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import build
import jax
import numpy as np
from PIL import Image
import pytest
import startup

from jaxsynth import data, synthesis, train_step as ts

ROOT = pathlib.Path(__file__).parent.parent
TINY = ['--steps=4', '--batch_size=8', '--generator_width=4', '--discriminator_width=4',
        '--sample_every=2', '--log_every=2', '--num_synthetic=30', '--latent_dim=3']
QUICK = '--flagfile=experiments/flags/quickstart.flags'


def run(*args):
  return subprocess.run([sys.executable, 'experiments/mnist_dcgan.py', *map(str, args)],
                        cwd=ROOT, text=True, capture_output=True)


@pytest.fixture(scope='module')
def outputs(tmp_path_factory):
  """One run of each way to compile, conditional under `sharded`."""
  folder = tmp_path_factory.mktemp('runs')
  plain = ['--noconditional']
  ways = {'jit': plain, 'again': plain,
          'pmap': [*plain, '--parallel=pmap', '--devices=2'],
          'sharded': ['--parallel=sharded', '--devices=2', '--discriminator_steps=2']}
  for name, flags in ways.items():
    done = run(QUICK, *TINY, f'--workdir={folder / name}', *flags)
    assert done.returncode == 0, done.stderr
    (folder / name / 'stderr').write_text(done.stderr)
  return folder


@pytest.mark.parametrize('name', ['jit', 'pmap', 'sharded'])
def test_a_run_leaves_what_it_promises(outputs, name):
  out = outputs / name
  for picture in ('real', 'step_000002', 'step_000004'):
    with Image.open(out / f'samples/{picture}.png') as image:
      assert image.size == (560, 560)
  rows = [json.loads(line) for line in (out / 'metrics.jsonl').read_text().splitlines()]
  assert [row['step'] for row in rows] == [2, 4]
  assert not [key for key in rows[0] if 'second' in key or 'time' in key]
  assert (out / 'timings.jsonl').read_text()
  with np.load(out / 'synthetic.npz') as arrays:
    assert arrays['images'].shape == (30, 28, 28, 1) and arrays['images'].dtype == np.uint8
    assert ('labels' in arrays) == (name == 'sharded')
    if name == 'sharded':
      assert np.bincount(arrays['labels']).tolist() == [3] * 10
  text = (out / 'stderr').read_text()
  assert 'step 4/4' in text and 'images/s' in text and '\r' not in text


def test_the_same_command_writes_the_same_bits(outputs):
  for name in ('metrics.jsonl', 'samples/step_000004.png', 'config.json'):
    assert (outputs / 'jit' / name).read_bytes() == (outputs / 'again' / name).read_bytes()
  first, second = (np.load(outputs / n / 'synthetic.npz')['images'] for n in ('jit', 'again'))
  np.testing.assert_array_equal(first, second)


def test_a_config_rebuilds_its_run(outputs):
  config = json.loads((outputs / 'sharded/config.json').read_text())
  assert set(config) == {'flags', 'data', 'versions', 'devices', 'platform'}
  flags, about = config['flags'], config['data']
  rebuilt = build.build(flags, tuple(about['image_shape']), about['num_classes'])
  source = build.source(flags)
  batch = data.to_float(source.take(np.arange(2)))
  state = rebuilt.algorithm.init(jax.random.key(0), batch)
  draw = synthesis.drawer(rebuilt.algorithm.sample, rebuilt.num_classes, block=10)
  assert draw(*ts.averaged(state), jax.random.key(1), 0, 3).shape == (3, 28, 28, 1)
  assert rebuilt.phases == 2


@pytest.mark.parametrize('parallel', ['jit', 'sharded'])
@pytest.mark.parametrize('resumed', [False, True])
def test_a_run_compiles_its_step_once(outputs, parallel, resumed):
  """New state, restored state, or a step's own output: one program."""
  config = json.loads((outputs / 'jit/config.json').read_text())['flags']
  config = {**config, 'parallel': parallel}
  run_ = build.build(config, (28, 28, 1), 10)
  compiled = build.compiled(config, run_, jax.devices()[:1 + (parallel == 'sharded')])
  host = build.source(config).take(np.arange(8))
  state = jax.jit(run_.algorithm.init)(jax.random.key(0), data.to_float(host))
  state = compiled.state(jax.device_get(state) if resumed else state)
  for _ in range(3):
    batch = data.to_float(jax.tree.map(compiled.batch, dict(host)))
    state, metrics = jax.block_until_ready(compiled.step(state, batch, jax.random.key(1)))
  assert compiled.step._cache_size() == 1 and int(state.step) == 3


def test_compiled_programs_are_kept_where_they_can_be(outputs, monkeypatch, caplog):
  kept = list(pathlib.Path(os.environ['XDG_CACHE_HOME'], 'jaxsynth/compiled').glob('*/*'))
  assert any('train_step' in path.name for path in kept)
  monkeypatch.setenv('XDG_CACHE_HOME', str(outputs / 'jit/config.json'))
  startup.keep_compiled()
  assert 'compiled programs are not kept' in caplog.text


@pytest.mark.parametrize('program, wanted', [
    ('mnist_dcgan', ['dataset', 'workdir']), ('evaluate', ['dataset', 'synthetic', 'num']),
    ('downstream', ['data_dir', 'synthetic', 'seeds']), ('synthesize', ['run', 'filters']),
    ('preprocess', ['dataset', 'test_split']), ('pipeline', ['dataset', 'train_flags'])])
def test_help_tells_of_the_flags(program, wanted):
  told = subprocess.run([sys.executable, f'experiments/{program}.py', '--help'], cwd=ROOT,
                        text=True, capture_output=True).stdout
  for name in wanted:
    assert f'\n  --{name}: ' in told, name


@pytest.mark.parametrize('flags, message', [
    (['--b1=1'], 'expected less than 1'),
    (['--steps=0'], 'steps'),
    (['--generator_strides=1,x'], 'expected positive integers with commas'),
    (['--generator_learning_rate=0'], 'expected more than 0'),
    (['--devices=2'], 'needs --parallel=pmap or sharded'),
    (['--conditional_norm'], '--conditional_norm needs --conditional'),
    (['--devices=3', '--parallel=pmap'], 'must be a multiple of --devices'),
    (['--loss=hinged'], 'non_saturating'),
    (['--steps_per_call=3'], 'must be multiples of --steps_per_call'),
    (['--image_size=28'], 'expected height and width'),
    (['--channels=2'], 'expected 1 or 3'),
    (['--dataset=mnist', '--data_dir=/nowhere'], 'mnist5k'),
    (['--dataset=nothing.npz'], 'nothing.npz: no such file'),
    (['--dataset=./mnist', '--data_dir=/nowhere'], 'mnist: no such folder of images'),
    (['--dataset=./mnist', '--split=train[:9]'], './mnist has no splits'),
    (['extra'], 'unexpected arguments: extra')])
def test_bad_values_are_refused_before_any_work(tmp_path, flags, message):
  done = run(*TINY, f'--workdir={tmp_path / "w"}', *flags)
  assert done.returncode and message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr and not (tmp_path / 'w').exists()


def test_the_kind_of_a_name(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name in ('birds', 'a/b', 'made/1.0.0'):
    (tmp_path / name).mkdir(parents=True)
  (tmp_path / 'made/1.0.0/dataset_info.json').write_text('{}')
  for name, want, with_dir in (
      ('mnist5k', 'mnist5k', 'mnist5k'), ('./mnist5k', 'folder', 'folder'),
      ('x.npz', 'npz', 'npz'), ('a/x.npz', 'npz', 'npz'),
      ('birds', 'folder', 'tfds'), ('./birds', 'folder', 'folder'),
      ('birds/', 'folder', 'folder'), ('~/birds', 'folder', 'folder'),
      ('../birds', 'folder', 'folder'), (str(tmp_path), 'folder', 'folder'),
      ('a/b', 'folder', 'folder'), ('no/thing', 'folder', 'folder'), ('.', 'folder', 'folder'),
      ('mnist', 'tfds', 'tfds'), ('mnist:3.0.1', 'tfds', 'tfds'),
      ('made/1.0.0', 'tfds', 'tfds'), ('./made/1.0.0', 'tfds', 'tfds')):
    assert (build.kind(name), build.kind(name, '/data')) == (want, with_dir), name


def test_the_name_of_a_folder(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name, want in (('mnist', 'mnist'), ('a/b/', 'b'), ('.', tmp_path.name), ('x.npz', 'x.npz')):
    assert build.name_of(name) == want


def test_what_stands_where_a_split_may(tmp_path, monkeypatch):
  """A folder called as a split is one only if written as a path."""
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'test').mkdir()
  config = {'dataset': 'mnist', 'data_dir': '/data', 'split': 'train[:9]'}
  assert build.of_split(config, 'test') == {**config, 'split': 'test'}
  assert build.of_split(config, 'test[5%:]')['dataset'] == 'mnist'
  for path in ('./test', 'a.npz', '/test'):
    assert build.of_split(config, path) == {'dataset': path, 'data_dir': None, 'split': 'train'}
  with pytest.raises(ValueError, match='./test has no splits; expected a folder, as ./test'):
    build.of_split({**config, 'dataset': './test'}, 'test')


def test_a_run_that_diverges_says_so(tmp_path):
  done = run(QUICK, *TINY, '--discriminator_learning_rate=1e38', f'--workdir={tmp_path}')
  assert done.returncode == 1 and 'lower the learning rates' in done.stderr, done.stderr
  assert 'Traceback' not in done.stderr and not (tmp_path / 'synthetic.npz').exists()


def test_a_run_without_a_whole_checkpoint_says_so(outputs, tmp_path):
  shutil.copytree(outputs / 'again', tmp_path / 'w')
  for path in (tmp_path / 'w/checkpoints').rglob('d/*'):
    path.write_bytes(path.read_bytes()[::-1])
  before = (tmp_path / 'w/metrics.jsonl').read_bytes()
  done = run(QUICK, *TINY, f'--workdir={tmp_path / "w"}', '--noconditional')
  text = done.stdout + done.stderr
  assert done.returncode and 'is whole; bring a copy back, or start anew: --fresh' in text
  assert 'mnist_dcgan.py", line' not in text  # Orbax leaves tracebacks of its own
  assert (tmp_path / 'w/metrics.jsonl').read_bytes() == before


def test_an_unwritable_workdir_is_refused(tmp_path):
  (tmp_path / 'file').write_text('')
  done = run(*TINY, f'--workdir={tmp_path / "file"}')
  assert done.returncode and 'cannot be written' in done.stderr + done.stdout


def test_readmes_example_runs():
  blocks = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.S)
  example = next(block for block in blocks if 'ts.build' in block)
  assert len([line for line in example.splitlines() if line.strip()]) <= 24
  names: dict = {}
  exec(compile(example, 'README.md', 'exec'), names)
  assert int(names['state'].step) == names['steps']
  assert names['images'].shape == (16, 8, 8, 1)
