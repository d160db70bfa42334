"""The main job as a user runs it, at toy size."""
import importlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
import types

from absl import flags
from common import experiments, machine, program, train
import jax
import numpy as np
from PIL import Image
import pytest
import training

from jaxsynth import checkpoint, data, parallel, runs, synthesis

ROOT = pathlib.Path(__file__).parent.parent
PROGRAMS = sorted(path.stem for path in (ROOT / 'experiments').glob('*.py'))
TINY = ('--steps=4', '--batch_size=8', '--generator_width=4', '--discriminator_width=4',
        '--latent_dim=3', '--sample_every=2', '--log_every=2', '--num_synthetic=30')


def run(*given):
  return subprocess.run([sys.executable, 'experiments/mnist_dcgan.py', *map(str, given)],
                        cwd=ROOT, text=True, capture_output=True)


@pytest.fixture(scope='module')
def outputs(tmp_path_factory):
  """A run of each way to compile, conditional under `sharded`; that of jit twice, by command."""
  folder = tmp_path_factory.mktemp('runs')
  for name in ('jit', 'again'):
    done = run(*TINY, f'--workdir={folder / name}')
    assert done.returncode == 0, done.stderr
    (folder / name / 'stderr').write_text(done.stderr)
  for name, given in {'pmap': ('--parallel=pmap', '--devices=2'),
                      'sharded': ('--conditional', '--parallel=sharded', '--devices=2',
                                  '--discriminator_steps=2')}.items():
    training.trained(folder / name, *given, *TINY, tiny=False)
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
  assert (out / 'timings.jsonl').read_text() and list((out / 'tensorboard').iterdir())
  with np.load(out / 'synthetic.npz') as arrays:
    assert arrays['images'].shape == (30, 28, 28, 1) and arrays['images'].dtype == np.uint8
    assert ('labels' in arrays) == (name == 'sharded')
    if name == 'sharded':
      assert np.bincount(arrays['labels']).tolist() == [3] * 10


def test_its_progress_is_lines_in_a_log(outputs):
  text = (outputs / 'jit/stderr').read_text()
  assert 'step 4/4' in text and 'images/s' in text and '\r' not in text


def test_the_same_command_writes_the_same_bits(outputs):
  for name in ('metrics.jsonl', 'samples/step_000004.png', 'config.json'):
    assert (outputs / 'jit' / name).read_bytes() == (outputs / 'again' / name).read_bytes()
  first, second = (np.load(outputs / n / 'synthetic.npz')['images'] for n in ('jit', 'again'))
  np.testing.assert_array_equal(first, second)


def test_a_config_rebuilds_its_run(outputs):
  record = json.loads((outputs / 'sharded/config.json').read_text())
  assert set(record) == {'format', 'experiment', 'flags', 'data', 'versions', 'devices',
                         'platform'}
  assert record['experiment'] == 'mnist_dcgan' and record['flags']['steps'] == 4
  model = experiments.load(outputs / 'sharded')
  assert model.run.phases == 2 and model.run.num_classes == 10
  assert model.spec == data.DatasetSpec()
  images, labels = runs.own_samples(model, 3)
  with np.load(outputs / 'sharded/synthetic.npz') as arrays:
    assert np.abs(images.astype(int) - arrays['images'][:3]).max() <= 1
  assert labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize('path', sorted((ROOT / 'experiments/flags').glob('mnist_*.flags')) + [
    ROOT / 'experiments/flags/quickstart.flags'], ids=lambda path: path.stem)
def test_flagfiles_are_flags_of_their_programs(path):
  told = re.search(rf'experiments/(\w+)\.py[\s#\\]+--flagfile=experiments/flags/{path.stem}\.flags',
                   path.read_text(encoding='utf-8'))
  assert told, 'it does not say how it is used'
  name = told[1]
  plain = training.config_of(name=name, tiny=False)
  assert training.config_of(f'--flagfile={path}', name=name, tiny=False) != plain


@pytest.mark.parametrize('how', ['jit', 'sharded'])
def test_a_run_compiles_its_step_once(how):
  """New state, restored state, or a step's own output: one program."""
  config = training.config_of(f'--parallel={how}', f'--devices={1 + (how == "sharded")}')
  source = data.open_dataset(data.DatasetSpec.of(config))
  model = experiments.program('mnist_dcgan').build(config, runs.About((28, 28, 1), 10))
  algorithm = model.algorithm()
  compiled = parallel.compiled(algorithm.step, how, jax.devices()[:config['devices']])
  host = source.take(np.arange(8))
  first = jax.jit(algorithm.init)(jax.random.key(0), data.to_float(host))
  for start in (jax.device_get(first), first):
    state = compiled.put_state(start)
    for _ in range(2):
      batch = data.to_float(jax.tree.map(compiled.put_batch, dict(host)))
      state, _ = jax.block_until_ready(compiled.step(state, batch, jax.random.key(1)))
    assert compiled.step._cache_size() == 1 and int(state.step) == 2


def test_compiled_programs_are_kept_where_they_can_be(outputs, monkeypatch, caplog):
  kept = pathlib.Path(os.environ['XDG_CACHE_HOME'], 'jaxsynth/compiled').glob('*/*')
  assert any('train_step' in path.name for path in kept)
  monkeypatch.setenv('XDG_CACHE_HOME', str(outputs / 'jit/config.json'))
  machine.keep_compiled()
  assert 'compiled programs are not kept' in caplog.text


@pytest.mark.parametrize('name', PROGRAMS)
def test_help_tells_of_all_flags(name, monkeypatch):
  module = (experiments.program(name) if name in experiments.names() else
            importlib.import_module(name))
  define = module.pipeline_options.define if name == 'pipeline' else module.define_flags
  values = flags.FlagValues()
  monkeypatch.setattr(sys, 'argv', [f'experiments/{name}.py'])
  define(values)
  program.show_in_help(values)
  text = values.main_module_help()
  assert len(list(values)) > 2
  for flag in values:
    assert f'\n  --{"[no]" if values[flag].boolean else ""}{flag}: ' in text, flag


def test_help_as_a_user_asks_for_it():
  done = run('--help')
  text = done.stdout
  assert done.returncode == 0 and not done.stderr
  assert 'Trains a DCGAN' in text
  for name in ('dataset', 'workdir', 'generator_width'):
    assert f'\n  --{name}: ' in text, name


REFUSED = [
    (['--b1=1'], 'expected less than 1'),
    (['--steps=0'], 'steps'),
    (['--generator_strides=1,x'], 'expected positive integers with commas'),
    (['--generator_learning_rate=0'], 'expected more than 0'),
    (['--devices=2'], 'needs --parallel=pmap, sharded or fsdp'),
    (['--conditional_norm'], '--conditional_norm needs --conditional'),
    (['--devices=3', '--parallel=pmap'], 'must be a multiple of --devices'),
    (['--loss=hinged'], 'non_saturating'),
    (['--r1=-1'], 'r1'), (['--penalty_every=0'], 'penalty_every'),
    (['--loss=hinge', '--label_smoothing=.1'], '--label_smoothing must be less than 1, and needs'),
    (['--packing=2', '--conditional'], 'packing: expected a positive integer, and 1 with labels'),
    (['--checkpoint_every=2', '--keep_every=3'], 'must be a multiple of --checkpoint_every'),
    (['--augment=ada', '--ada_images=0'], 'ada_images'),
    (['--augment=ada', '--loss=relativistic'], 'follows the sign of real logits'),
    (['--last_penalty=.1'], 'needs a --schedule'), (['--penalty_every=4'], 'needs a penalty'),
    (['--conditioning=auxiliary'], '--conditioning needs --conditional'),
    (['--steps_per_call=3'], 'must be multiples of --steps_per_call'),
    (['--image_size=28'], 'expected height and width'),
    (['--channels=2'], 'expected 1 or 3'),
    (['--dataset=mnist', '--data_dir=/nowhere'], 'mnist5k'),
    (['--dataset=nothing.npz'], 'nothing.npz: no such file'),
    (['--dataset=./mnist', '--data_dir=/nowhere'], 'mnist: no such folder of images'),
    (['--dataset=./mnist', '--split=train[:9]'], './mnist has no splits')]


@pytest.mark.parametrize('given, message', REFUSED)
def test_bad_values_are_refused_before_any_work(tmp_path, given, message):
  with pytest.raises((flags.Error, *program.MENDABLE)) as error:
    training.trained(tmp_path / 'w', *TINY, *given)
  assert message in str(error.value) and not (tmp_path / 'w').exists()


@pytest.mark.parametrize('given, message', [
    (['--b1=1'], 'expected less than 1'), (['--dataset=nothing.npz'], 'no such file'),
    (['extra'], 'unexpected arguments: extra')])
def test_what_is_refused_is_one_message(tmp_path, given, message):
  done = run(*TINY, f'--workdir={tmp_path / "w"}', *given)
  assert done.returncode == 1 and not done.stdout
  (line,) = done.stderr.splitlines()
  assert line.startswith('mnist_dcgan.py: ') and message in line and not (tmp_path / 'w').exists()


def test_more_devices_than_there_are(monkeypatch):
  monkeypatch.setattr(jax.config, 'update', lambda *_: None)
  assert len(machine.take_devices(2)) == 2
  with pytest.raises(ValueError, match='--devices=99, but there are 4'):
    machine.take_devices(99)


def test_a_run_that_diverges_says_so(monkeypatch, tmp_path):
  """A step whose loss is no number, in place of one with a learning rate of 1e38."""
  def compiled(*_, **__):
    put = jax.numpy.asarray
    return parallel.Compiled(lambda state, batch, key: (
        state._replace(step=state.step + 1), {'generator/loss': jax.numpy.log(-1. - state.step)}),
        put, lambda state: jax.tree.map(put, state))
  monkeypatch.setattr(parallel, 'compiled', compiled)
  with pytest.raises(FloatingPointError, match='step 2: generator/loss = nan; lower the learning'):
    training.trained(tmp_path, *TINY)
  assert not (tmp_path / 'synthetic.npz').exists()


@pytest.mark.parametrize('error, kind, message', [
    (checkpoint.CheckpointError('none is whole'), checkpoint.CheckpointError,
     'none is whole: --fresh'),
    (FloatingPointError('step 3'), SystemExit, 'step 3\nThe checkpoints before it stay'),
    (OSError('disk full'), SystemExit,
     'disk full\nthe same command goes on from the checkpoint of step 3')])
def test_what_stops_a_run_comes_with_what_to_do(monkeypatch, tmp_path, error, kind, message):
  def broken(*_, **__):
    raise error
  monkeypatch.setattr(train, 'train_in', broken)
  (tmp_path / 'checkpoints/3').mkdir(parents=True)
  values = types.SimpleNamespace(workdir=str(tmp_path), fresh=False, num_seeds=1)
  monkeypatch.setattr(train.flags, 'FLAGS', values)
  monkeypatch.setattr(machine, 'take_devices', lambda *_: jax.devices()[:1])
  monkeypatch.setattr(train.processes, 'join', lambda _: None)
  with pytest.raises(kind, match=message):
    train._main('mnist_dcgan', training.config_of(), None)


def test_a_run_without_a_whole_checkpoint_says_so(outputs, tmp_path):
  folder = shutil.copytree(outputs / 'pmap', tmp_path / 'w')
  for path in (folder / 'checkpoints').rglob('d/*'):
    path.write_bytes(path.read_bytes()[::-1])
  before = {path: path.read_bytes() for path in folder.glob('*.*')}
  with pytest.raises(checkpoint.CheckpointError, match='bring a copy back, or start anew'):
    training.trained(folder, *TINY, '--parallel=pmap', '--devices=2', tiny=False)
  assert before == {path: path.read_bytes() for path in before}


def test_an_unwritable_workdir_is_refused(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(runs.RunError, match='--workdir=.*cannot be written'):
    training.trained(tmp_path / 'file', *TINY)


def test_samples_of_a_run_are_drawn_by_address(outputs):
  model = experiments.load(outputs / 'pmap')
  draw = synthesis.drawer(model.run.sample, model.run.num_classes)
  key = jax.random.key(4)
  few, all_ = (draw(model.params, model.variables, key, *span) for span in ((3, 5), (0, 9)))
  np.testing.assert_array_equal(few, all_[3:5])


def test_readmes_example_runs():
  blocks = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.S)
  example = next(block for block in blocks if 'ts.build' in block)
  assert len([line for line in example.splitlines() if line.strip()]) <= 24
  names: dict = {}
  exec(compile(example, 'README.md', 'exec'), names)
  assert int(names['state'].step) == names['steps']
  assert names['images'].shape == (16, 8, 8, 1)
  own_loss = textwrap.dedent('  ' + next(block for block in blocks if 'GANLoss' in block).strip())
  assert len(own_loss.splitlines()) <= 5
  exec(compile(own_loss, 'README.md', 'exec'), names)
  batch = {'image': names['data'][:8]}
  context = names['ts'].Context(names['state'].step, names['key'])
  losses, _ = names['objective'].loss(*names['objective'].init(names['key'], batch), batch, context)
  assert all(np.isfinite(x) for x in losses.values())


@pytest.mark.parametrize('steps, message', [
    ((), 'there was no checkpoint yet, so the same command starts anew'),
    ((9, 10), 'the same command goes on from the checkpoint of step 10')])
def test_who_stops_a_run_is_told_how_it_goes_on(tmp_path, monkeypatch, steps, message):
  def stopped(*args, **kwargs):
    raise KeyboardInterrupt
  for step in steps:
    (tmp_path / f'checkpoints/{step}').mkdir(parents=True)
  monkeypatch.setattr(train, 'train_in', stopped)
  values = flags.FlagValues()
  experiments.program('mnist_dcgan').define_flags(values)
  values(['mnist_dcgan', f'--workdir={tmp_path}'])
  monkeypatch.setattr(flags, 'FLAGS', values)
  with pytest.raises(SystemExit, match=f'stopped; {message}'):
    train._main('mnist_dcgan', {'devices': 1, 'parallel': 'jit', 'seed': 0}, None)


def test_a_data_set_that_is_not_there_is_no_run_to_go_on_with(tmp_path, monkeypatch):
  values = flags.FlagValues()
  define_flags = experiments.program('mnist_dcgan').define_flags
  define_flags(values)
  values(['mnist_dcgan', f'--workdir={tmp_path}', '--dataset=./nowhere'])
  monkeypatch.setattr(flags, 'FLAGS', values)
  with pytest.raises(FileNotFoundError, match='no such folder of images$'):
    train._main('mnist_dcgan', experiments.recorded(define_flags, values), None)
