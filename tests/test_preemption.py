"""A run that SIGTERM reaches saves the step it is at, and ends with the bits of one undisturbed."""
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import training

from jaxsynth import hooks, runs
from jaxsynth.runs.preemption import Preemption

pytestmark = pytest.mark.long

ROOT = pathlib.Path(__file__).parent.parent
GIVEN = ('--steps=8', '--checkpoint_every=5', '--sample_every=4', '--eval_every=4',
         '--eval_samples=200')


def contents(folder):
  names = ('metrics.jsonl', 'scores.jsonl', 'synthetic.npz', 'samples/step_000008.png',
           'checkpoints/8/digest/metadata')
  return {name: (folder / name).read_bytes() for name in names}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  return contents(training.trained(tmp_path_factory.mktemp('whole'), *GIVEN))


@pytest.mark.parametrize('at', [1, 5, 7])
def test_a_signal_is_a_checkpoint_and_the_run_goes_on(tmp_path, monkeypatch, whole, at):
  """In the first step, in one that is saved anyway, and in the last but one."""
  progress = hooks.Progress.__call__

  def asked(self, step, *rest):
    progress(self, step, *rest)
    if step == at:
      os.kill(os.getpid(), signal.SIGTERM)
  handler = signal.getsignal(signal.SIGTERM)
  with monkeypatch.context() as patched:
    patched.setattr(hooks.Progress, '__call__', asked)
    with pytest.raises(runs.Preempted, match=f'after step {at}, which has a checkpoint') as error:
      training.trained(tmp_path, *GIVEN)
  assert error.value.step == at and signal.getsignal(signal.SIGTERM) is handler
  assert max(int(p.name) for p in (tmp_path / 'checkpoints').iterdir()) == at
  assert not (tmp_path / 'synthetic.npz').exists()
  training.trained(tmp_path, *GIVEN)
  assert contents(tmp_path) == whole


def test_without_a_signal_nothing_is_saved():
  saved = []
  with Preemption(lambda *args: saved.append(args)) as preemption:
    preemption(1, None, {})
    assert signal.getsignal(signal.SIGTERM) == preemption._ask
  assert not saved


def test_the_command_exits_75(tmp_path):
  command = [sys.executable, 'tests/killed.py', 'asked', '3', 'mnist_dcgan', '--batch_size=8',
             '--generator_width=4', '--discriminator_width=4', '--latent_dim=3', '--steps=9',
             '--num_synthetic=20', '--sample_every=0', '--notensorboard', f'--workdir={tmp_path}']
  done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
  assert done.returncode == 75, done.stderr
  assert done.stderr.splitlines()[-1] == ('stopped by SIGTERM after step 3, which has a '
                                          'checkpoint; the same command goes on')
  assert [p.name for p in (tmp_path / 'checkpoints').iterdir()] == ['3'] and not done.stdout
