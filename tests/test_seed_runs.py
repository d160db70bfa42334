"""Runs of several seeds in one process."""
import json
import pathlib
import subprocess
import sys

from common import experiments
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
TINY = ('--steps=4', '--batch_size=8', '--generator_width=4', '--discriminator_width=4',
        '--latent_dim=3', '--sample_every=2', '--log_every=2', '--num_synthetic=30')


def run(*given):
  return subprocess.run([sys.executable, 'experiments/mnist_dcgan.py', *map(str, given)],
                        cwd=ROOT, text=True, capture_output=True)


@pytest.mark.long
def test_runs_of_several_seeds_are_those_of_each_alone(tmp_path):
  """To the bit, as they are trained one after another."""
  done = run(*TINY, '--num_seeds=2', '--seed=3', f'--workdir={tmp_path / "both"}')
  assert done.returncode == 0 and '2 seeds: discriminator/loss' in done.stdout
  run(*TINY, '--seed=4', f'--workdir={tmp_path / "alone"}')
  for name in ('metrics.jsonl', 'config.json', 'synthetic.npz'):
    assert ((tmp_path / 'both/seed_4' / name).read_bytes()
            == (tmp_path / 'alone' / name).read_bytes()), name
  summary = json.loads((tmp_path / 'both/seeds.json').read_text())
  values = summary['values']['generator/loss']
  last = [json.loads((tmp_path / f'both/seed_{k}/metrics.jsonl').read_text().splitlines()[-1])
          for k in (3, 4)]
  assert summary['seeds'] == [3, 4] and values['seeds'] == [x['generator/loss'] for x in last]
  np.testing.assert_allclose([values['mean'], values['std']], [
      np.mean(values['seeds']), np.std(values['seeds'], ddof=1)])
  assert experiments.load(tmp_path / 'both/seed_3').run.summary
