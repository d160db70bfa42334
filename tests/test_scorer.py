"""Scores as training goes: they change no bit of it, and the best checkpoint is kept."""
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
TINY = ['--flagfile=experiments/flags/quickstart.flags', '--batch_size=8', '--latent_dim=3',
        '--generator_width=4', '--discriminator_width=4', '--sample_every=0', '--log_every=2',
        '--num_synthetic=20', '--eval_samples=200', '--tensorboard=false']
SCORED = ['--eval_every=2', '--steps=8']


def run(folder, *flags):
  done = subprocess.run([sys.executable, 'experiments/mnist_dcgan.py', *TINY, *flags,
                         f'--workdir={folder}'], cwd=ROOT, text=True, capture_output=True)
  return done.returncode, done.stdout + done.stderr


def rows(folder):
  return [json.loads(x) for x in (folder / 'scores.jsonl').read_text().splitlines()]


def digest(folder, step=8):
  return json.loads((folder / f'checkpoints/{step}/digest/metadata').read_text())


@pytest.fixture(scope='module')
def scored(tmp_path_factory):
  folder = tmp_path_factory.mktemp('scored')
  code, text = run(folder, *SCORED)
  assert code == 0, text
  return folder


def test_no_bit_of_training_changes(scored, tmp_path):
  assert run(tmp_path, '--steps=8')[0] == 0
  assert digest(tmp_path) == digest(scored)
  for name in ('metrics.jsonl', 'synthetic.npz'):
    assert (tmp_path / name).read_bytes() == (scored / name).read_bytes()


def test_the_best_checkpoint_is_the_least_distance(scored):
  found = rows(scored)
  assert [row['step'] for row in found] == [2, 4, 6, 8]
  assert not [key for key in found[0] if 'time' in key or 'second' in key]
  best = min(found, key=lambda row: row['frechet'])['step']
  kept = {int(p.name) for p in (scored / 'checkpoints').iterdir()}
  assert kept == {best, 6, 8}


def test_a_resumed_run_scores_the_same_bits(scored, tmp_path):
  assert run(tmp_path, '--eval_every=2', '--steps=4')[0] == 0
  with open(tmp_path / 'scores.jsonl', 'a') as f:
    f.write(json.dumps({**rows(scored)[2], 'frechet': 0.}) + '\n{"step": 6, "fre')  # then killed
  code, text = run(tmp_path, *SCORED)
  assert code == 0, text
  assert (tmp_path / 'scores.jsonl').read_bytes() == (scored / 'scores.jsonl').read_bytes()
  assert digest(tmp_path) == digest(scored)


@pytest.mark.parametrize('flags, message', [
    (['--eval_samples=300', '--steps=10'], 'measured differently'),
    (['--eval_split=nowhere', '--steps=10'], "split 'nowhere'"),
    (['--eval_split=./nowhere.npz', '--steps=10'], 'no such file')])
def test_other_protocols_are_refused(scored, flags, message):
  code, text = run(scored, *SCORED, *flags)
  assert code and message in text and 'Traceback' not in text, text
