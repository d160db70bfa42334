"""A run that was killed ends with the bits of one that never was."""
import json
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
COMMAND = [sys.executable, 'experiments/mnist_dcgan.py', '--batch_size=8', '--steps=300',
           '--generator_width=4', '--discriminator_width=4', '--latent_dim=3',
           '--sample_every=100', '--log_every=3', '--checkpoint_every=7', '--num_synthetic=30']


def start(folder, *flags):
  return subprocess.Popen([*COMMAND, f'--workdir={folder}', *flags], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(folder, *flags):
  process = start(folder, *flags)
  text = process.communicate()[0]
  return process.returncode, text


def last_row(folder):
  path = folder / 'metrics.jsonl'
  lines = path.read_text().splitlines() if path.exists() else []
  return json.loads(lines[-1])['step'] if lines else 0


def outputs(folder, last=300):
  """Every byte that a run promises, and its last checkpoint's digest of every leaf."""
  found = {str(p.relative_to(folder)): p.read_bytes()
           for p in (folder / 'metrics.jsonl', *sorted((folder / 'samples').iterdir()))}
  with np.load(folder / 'synthetic.npz') as arrays:
    found['images'] = arrays['images'].tobytes()
  digest = folder / 'checkpoints' / str(last) / 'digest' / 'metadata'
  found['state'] = json.dumps(json.loads(digest.read_text()), sort_keys=True).encode()
  assert 'opt_state' in found['state'].decode() and 'ema' in found['state'].decode()
  return found


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
  folder = tmp_path_factory.mktemp('whole')
  code, text = finish(folder)
  assert code == 0, text
  return folder


def kill(folder, moment, after_first_step):
  """SIGKILL, `moment` seconds after the process began or made its first step."""
  process = start(folder)
  if after_first_step:
    while ' after ' not in process.stdout.readline():
      assert process.poll() is None
  time.sleep(moment)
  process.send_signal(signal.SIGKILL)
  process.communicate()
  assert process.returncode == -signal.SIGKILL


def test_killed_at_three_random_moments(tmp_path, whole):
  """Wherever the run is just then: starting, compiling, stepping or saving."""
  seed = time.time_ns()
  print(f'moments of seed {seed}')
  moments = random.Random(seed)
  kill(tmp_path, moments.uniform(0, 1), True)
  kill(tmp_path, moments.uniform(0, 4), False)
  kill(tmp_path, moments.uniform(0, 1), True)
  assert not (tmp_path / 'synthetic.npz').exists()
  code, text = finish(tmp_path)
  assert code == 0, text
  got, want = outputs(tmp_path), outputs(whole)
  assert got.keys() == want.keys()
  assert not [name for name in want if got[name] != want[name]]


@pytest.mark.parametrize('flags', [
    ['--conditional', '--discriminator_steps=2', '--parallel=sharded', '--devices=2'],
    ['--steps_per_call=3', '--checkpoint_every=9', '--sample_every=0', '--schedule=cosine',
     '--steps=120']])
def test_stopped_and_resumed_in_every_way_to_run(tmp_path, flags):
  whole, halves = tmp_path / 'whole', tmp_path / 'halves'
  assert finish(whole, '--steps=120', *flags)[0] == 0
  process = start(halves, '--steps=120', *flags)
  done = lambda: [int(p.name) for p in halves.glob('checkpoints/*') if p.name.isdigit()]
  while max(done(), default=0) < 10 and process.poll() is None:
    time.sleep(0.005)
  process.kill()
  process.communicate()
  assert last_row(halves) < 120
  code, text = finish(halves, '--steps=120', *flags)
  assert code == 0, text
  assert outputs(halves, 120) == outputs(whole, 120)


def test_a_finished_run_is_left_as_it_is_and_can_go_on(tmp_path, whole):
  before = outputs(whole)
  assert finish(whole)[0] == 0 and outputs(whole) == before
  assert finish(tmp_path, '--steps=42')[0] == 0
  code, text = finish(tmp_path, '--sample_every=150')
  assert code == 0, text
  after = outputs(tmp_path)
  same = ('metrics.jsonl', 'images', 'state', 'samples/step_000300.png')
  assert {name: after[name] for name in same} == {name: before[name] for name in same}


@pytest.mark.parametrize('flags, message', [
    (['--seed=1', '--b2=0.9'], '--b2: 0.999 before, 0.9 now\n  --seed: 0 before, 1 now'),
    (['--schedule=cosine', '--steps=800'], '--steps: 300 before, 800 now'),
    (['--split=test'], 'data size: 4000 before, 500 now'),
    (['--steps=30'], 'the run is at step 300 already'),
    (['--steps=301', '--steps_per_call=1', '--parallel=pmap', '--noglobal_batch_norm'],
     '--global_batch_norm: True before, False now')])
def test_another_configuration_is_refused_and_nothing_written(whole, flags, message):
  before = (whole / 'config.json').read_bytes()
  code, text = finish(whole, *flags)
  assert code and message in text and 'Traceback' not in text
  assert (whole / 'config.json').read_bytes() == before


def test_other_devices_are_warned_of_and_run(tmp_path):
  assert finish(tmp_path, '--steps=20')[0] == 0
  code, text = finish(tmp_path, '--devices=2', '--parallel=sharded', '--steps=40')
  assert code == 0 and 'bits may differ' in text, text
  code, text = finish(tmp_path, '--devices=2', '--parallel=pmap', '--steps_per_call=3',
                      '--checkpoint_every=3', '--sample_every=0', '--steps=60')
  assert code and 'expected whole calls' in text and 'Traceback' not in text
  code, text = finish(tmp_path, '--devices=2', '--parallel=pmap', '--steps_per_call=2',
                      '--checkpoint_every=4', '--sample_every=0', '--log_every=2',
                      '--steps=60')
  assert code == 0 and last_row(tmp_path) == 60, text


def test_fresh_starts_anew(tmp_path):
  assert finish(tmp_path, '--steps=9')[0] == 0
  code, text = finish(tmp_path, '--seed=1', '--fresh', '--steps=6')
  assert code == 0 and last_row(tmp_path) == 6, text
  assert not (tmp_path / 'samples/step_000009.png').exists()


def test_two_runs_never_share_a_folder(tmp_path):
  first = start(tmp_path, '--steps=6000')
  while last_row(tmp_path) < 3 and first.poll() is None:
    time.sleep(0.01)
  code, text = finish(tmp_path, '--steps=6000')
  first.kill()
  first.communicate()
  assert code and 'in use by another run' in text
