"""A run that was stopped ends with the bits of one that never was."""
import json
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
import training

from jaxsynth import hooks, runs

ROOT = pathlib.Path(__file__).parent.parent
STEPS = 42
FLAGS = ('--batch_size=8', '--generator_width=4', '--discriminator_width=4', '--latent_dim=3',
         '--sample_every=14', '--log_every=3', '--checkpoint_every=7', '--num_synthetic=30',
         f'--steps={STEPS}')


def trained(folder, *given, **options):
  return training.trained(folder, *FLAGS, *given, tiny=False, **options)


def last_row(folder):
  return json.loads((folder / 'metrics.jsonl').read_text().splitlines()[-1])['step']


def outputs(folder, last=STEPS):
  """Every byte that a run promises, and its last checkpoint's digest of every leaf."""
  files = {str(p.relative_to(folder)): p.read_bytes()
           for p in (folder / 'metrics.jsonl', *sorted((folder / 'samples').iterdir()))}
  with np.load(folder / 'synthetic.npz') as arrays:
    files['images'] = arrays['images'].tobytes()
  digest = folder / 'checkpoints' / str(last) / 'digest' / 'metadata'
  files['state'] = json.dumps(json.loads(digest.read_text()), sort_keys=True).encode()
  assert 'opt_state' in files['state'].decode() and 'ema' in files['state'].decode()
  return files


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  return trained(tmp_path_factory.mktemp('runs') / 'whole')


def by_command(folder, *place):
  """Runs the command; with a place, it must die there."""
  command = ['tests/killed.py', *place, 'mnist_dcgan'] if place else ['experiments/mnist_dcgan.py']
  done = subprocess.run([sys.executable, *command, *FLAGS, f'--workdir={folder}'], cwd=ROOT,
                        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
  assert done.returncode == (-signal.SIGKILL if place else 0), done.stdout


@pytest.mark.long
def test_killed_again_and_again(tmp_path):
  """Starting, while a checkpoint is written, between two, before one, and at the very end."""
  whole, torn = tmp_path / 'whole', tmp_path / 'torn'
  by_command(whole)
  by_command(torn, 'saving', '14')
  assert not (torn / 'checkpoints/14').exists()  # it was not whole
  by_command(torn, 'stepping', '19')
  by_command(torn, 'logged', '28')
  assert last_row(torn) == 27
  by_command(torn, 'drawn', str(STEPS))
  assert not (torn / 'synthetic.npz').exists() and list(torn.glob('.synthetic.npz.*.aside'))
  by_command(torn)
  got, want = outputs(torn), outputs(whole)
  assert got.keys() == want.keys()
  assert not [name for name in want if got[name] != want[name]]
  assert not list(torn.glob('.*.aside'))


class Stopped(BaseException):
  """Neither an error nor Ctrl-C."""


@pytest.mark.long
@pytest.mark.parametrize('given, at', [
    ([], 1),  # before there was a checkpoint
    (['--conditional', '--discriminator_steps=2', '--parallel=sharded', '--devices=2'], 24),
    (['--steps_per_call=2', '--checkpoint_every=8', '--log_every=2', '--schedule=cosine',
      '--sample_every=0'], 18)])
def test_stopped_and_resumed_in_every_way_to_run(tmp_path, monkeypatch, given, at):
  whole, halves = trained(tmp_path / 'whole', *given), tmp_path / 'halves'
  progress = hooks.Progress.__call__

  def stop(self, step, *rest):
    progress(self, step, *rest)
    if step == at:
      raise Stopped
  with monkeypatch.context() as patched, pytest.raises(Stopped):
    patched.setattr(hooks.Progress, '__call__', stop)
    trained(halves, *given)
  assert not (halves / 'synthetic.npz').exists()
  trained(halves, *given)
  assert outputs(halves) == outputs(whole)


@pytest.mark.long
def test_a_finished_run_is_left_as_it_is_and_can_go_on(tmp_path, whole):
  before = outputs(whole)
  assert outputs(trained(whole)) == before
  trained(tmp_path, '--steps=21')
  after = outputs(trained(tmp_path, '--sample_every=21', '--eval_samples=300'))
  same = ('metrics.jsonl', 'images', 'state', f'samples/step_{STEPS:06d}.png')
  assert {name: after[name] for name in same} == {name: before[name] for name in same}
  assert outputs(whole) == before


@pytest.mark.parametrize('given, message', [
    (['--seed=1', '--b2=0.9'], '--b2: 0.999 before, 0.9 now\n  --seed: 0 before, 1 now'),
    (['--schedule=cosine', '--steps=84'], '--steps: 42 before, 84 now'),
    (['--split=test'], 'data size: 4000 before, 500 now'),
    (['--steps=21'], 'the run is at step 42 already'),
    (['--steps=43', '--parallel=pmap', '--noglobal_batch_norm'],
     '--global_batch_norm: True before, False now'),
    (['--steps=64', '--steps_per_call=4', '--log_every=4', '--checkpoint_every=4',
      '--sample_every=4'], 'expected whole calls')])
def test_another_configuration_is_refused_and_nothing_written(whole, given, message):
  before = outputs(whole) | {'config': (whole / 'config.json').read_bytes()}
  with pytest.raises(runs.RunError) as error:
    trained(whole, *given)
  assert message in str(error.value)
  assert outputs(whole) | {'config': (whole / 'config.json').read_bytes()} == before


def test_another_program_is_refused(whole):
  with pytest.raises(runs.RunError, match='experiment: mnist_dcgan before, mnist_vae now'):
    training.trained(whole, f'--steps={STEPS}', name='mnist_vae')


@pytest.mark.long
def test_other_devices_are_warned_of_and_run(tmp_path, caplog):
  trained(tmp_path, '--steps=7')
  assert 'bits may differ' not in caplog.text
  trained(tmp_path, '--steps=14', '--devices=2', '--parallel=pmap')
  assert '--devices: 1 before, 2 now; bits may differ' in caplog.text
  assert last_row(tmp_path) == 12 and (tmp_path / 'checkpoints/14').is_dir()


@pytest.mark.long
def test_fresh_starts_anew(tmp_path):
  trained(tmp_path, '--steps=9')
  trained(tmp_path, '--seed=1', '--steps=6', fresh=True)
  assert last_row(tmp_path) == 6 and not (tmp_path / 'samples/step_000009.png').exists()


def test_two_runs_never_share_a_folder(tmp_path, monkeypatch):
  """While one trains, another is refused."""
  progress, refused = hooks.Progress.__call__, []

  def meddle(self, step, *rest):
    with pytest.raises(runs.RunError, match='in use by another run'):
      trained(tmp_path, '--steps=6')
    refused.append(step)
    progress(self, step, *rest)
  monkeypatch.setattr(hooks.Progress, '__call__', meddle)
  trained(tmp_path, '--steps=3')
  assert refused == [1, 2, 3]
