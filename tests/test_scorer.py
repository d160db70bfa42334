"""Scores as training goes: they change no bit of it, and the best checkpoint is kept."""
import json

import numpy as np
import pytest
import training

from jaxsynth import data, runs

TINY = ('--generator_width=4', '--discriminator_width=4', '--latent_dim=3', '--batch_size=8',
        '--eval_samples=200')
SCORED = ('--eval_every=2', '--steps=8')


def trained(folder, *given):
  return training.trained(folder, *TINY, *given)


def rows(folder):
  return [json.loads(x) for x in (folder / 'scores.jsonl').read_text().splitlines()]


def digest(folder, step=8):
  return json.loads((folder / f'checkpoints/{step}/digest/metadata').read_text())


@pytest.fixture(scope='module')
def scored(tmp_path_factory):
  return trained(tmp_path_factory.mktemp('scored'), *SCORED)


@pytest.mark.long
def test_no_bit_of_training_changes(scored, tmp_path):
  trained(tmp_path, '--steps=8')
  assert digest(tmp_path) == digest(scored)
  for name in ('metrics.jsonl', 'synthetic.npz'):
    assert (tmp_path / name).read_bytes() == (scored / name).read_bytes()


def test_the_best_checkpoint_is_the_least_distance(scored):
  lines = rows(scored)
  assert [row['step'] for row in lines] == [2, 4, 6, 8]
  assert not [key for key in lines[0] if 'time' in key or 'second' in key]
  best = min(lines, key=lambda row: row['frechet'])['step']
  kept = {int(p.name) for p in (scored / 'checkpoints').iterdir()}
  assert kept == {best, 6, 8} and runs.best_step(scored) == best


def test_the_best_step_is_one_whose_checkpoint_is_kept(tmp_path):
  with pytest.raises(FileNotFoundError, match='no checkpoint with a score'):
    runs.best_step(tmp_path)
  lines = [{'step': step, 'frechet': x} for step, x in ((2, 1.), (4, 3.), (6, 2.))]
  torn = ''.join(json.dumps(row) + '\n' for row in lines) + '{"step": 8, "fre'
  (tmp_path / 'scores.jsonl').write_text(torn)
  for step in (4, 6, 8):
    (tmp_path / f'checkpoints/{step}').mkdir(parents=True)
  assert runs.best_step(tmp_path) == 6


@pytest.mark.long
def test_a_resumed_run_scores_the_same_bits(scored, tmp_path):
  trained(tmp_path, '--eval_every=2', '--steps=4')
  with open(tmp_path / 'scores.jsonl', 'a') as f:
    f.write(json.dumps({**rows(scored)[2], 'frechet': 0.}) + '\n{"step": 6, "fre')  # then killed
  trained(tmp_path, *SCORED)
  assert (tmp_path / 'scores.jsonl').read_bytes() == (scored / 'scores.jsonl').read_bytes()
  assert digest(tmp_path) == digest(scored)


@pytest.mark.parametrize('given, message', [
    (['--eval_samples=300', '--steps=10'], 'measured differently'),
    (['--eval_split=nowhere', '--steps=10'], "split 'nowhere'"),
    (['--eval_split=./nowhere.npz', '--steps=10'], 'no such file'),
    (['--eval_split=few.npz', '--steps=10'], '--eval_every: no Frechet distance of 60 real and 200 '
     'other images on 64 features; it needs at least 65 of each; name more by --eval_split')])
def test_other_protocols_are_refused(scored, tmp_path, monkeypatch, given, message):
  np.savez(tmp_path / 'few.npz', images=data.mnist5k('test').images[:60])
  monkeypatch.chdir(tmp_path)
  files = [scored / name for name in ('scores.jsonl', 'metrics.jsonl', 'config.json')]
  before = [file.read_bytes() for file in files]
  with pytest.raises(runs.RunError) as error:
    trained(scored, *SCORED, *given)
  assert message in str(error.value)
  assert [file.read_bytes() for file in files] == before
