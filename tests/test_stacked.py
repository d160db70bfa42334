"""Stacked MNIST: what is stacked, which modes are seen, and the program that counts them."""
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
import training

from jaxsynth import data
from jaxsynth.data.stacked import stacked
from jaxsynth.metrics.modes import stack
from jaxsynth.metrics.stacked_digits import modes_of

ROOT = pathlib.Path(__file__).parent.parent


def test_channels_are_three_digits_and_the_mode_is_of_their_labels():
  images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 1), np.uint8)
  many, modes = stacked(images, np.arange(10), 20000, 0)
  assert many.shape == (20000, 2, 3, 3) and (many == many[:, :1, :1]).all()
  np.testing.assert_array_equal(modes, stack(many[:, 0, 0].astype(int)))
  assert len(set(modes.tolist())) == 1000
  counts = np.stack([np.bincount(many[:, 0, 0, c], minlength=10) for c in range(3)])
  assert np.abs(counts / 2000 - 1).max() < .1  # each channel is even
  again, _ = stacked(images, np.arange(10), 20000, 0)
  other, _ = stacked(images, np.arange(10), 20000, 1)
  assert (again == many).all() and (other != many).any()


@pytest.mark.parametrize('images, labels, num', [
    (np.zeros((4, 2, 2, 3), np.uint8), np.zeros(4, int), 1),
    (np.zeros((4, 2, 2, 1)), np.zeros(4, int), 1),
    (np.zeros((4, 2, 2, 1), np.uint8), np.zeros(3, int), 1),
    (np.zeros((4, 2, 2, 1), np.uint8), np.zeros(4, int), 0)])
def test_what_cannot_be_stacked(images, labels, num):
  with pytest.raises(ValueError, match='expected'):
    stacked(images, labels, num, 0)


def test_the_shipped_network_sees_the_modes():
  source = data.mnist5k('test')
  every = source.take(np.arange(source.size))
  images, modes = stacked(every['image'], every['label'], 300, 0)
  assert (modes_of(images) == modes).mean() > .95
  with pytest.raises(ValueError, match=r'images \[300, 28, 28, 1\]: expected'):
    modes_of(images[..., :1])


@pytest.mark.long
def test_the_program_trains_each_seed_and_counts_at_each_kept_checkpoint(tmp_path):
  (tmp_path / 'tiny.flags').write_text('\n'.join((
      '--generator_width=4', '--discriminator_width=4', '--latent_dim=3', '--batch_size=8',
      '--steps=6', '--checkpoint_every=2', '--keep_every=2', '--sample_every=0',
      '--num_synthetic=0', '--notensorboard')))

  def run(*more):
    return subprocess.run([
        sys.executable, 'experiments/stacked_mnist.py', '--dataset=mnist5k', '--num_seeds=2',
        f'--train_flags={tmp_path}/tiny.flags', f'--out={tmp_path}/out', '--num=1000',
        '--samples=1000', *more], cwd=ROOT, capture_output=True, text=True)
  first = run()
  result = json.loads((tmp_path / 'out/modes.json').read_text())
  assert [x['seed'] for x in result['seeds']] == [0, 1]
  for seed in result['seeds']:
    assert [x['step'] for x in seed['curve']] == [2, 4, 6]
    assert [x['images_seen'] for x in seed['curve']] == [16, 32, 48]
    assert all(1 <= x['modes'] <= 1000 and x['reverse_kl'] > 0 for x in seed['curve'])
  assert result['floor']['modes'] > 500 and f'floor {result["floor"]["modes"]}' in first.stdout
  assert re.search(r'step 2: \d+ modes', first.stdout)
  assert not re.search(r'step \d+: \d+ modes', run().stdout)  # nothing is drawn again
  assert json.loads((tmp_path / 'out/modes.json').read_text()) == result
  other = run('--samples=2000')
  assert other.returncode == 1 and 'is of other settings' in other.stderr


@pytest.mark.parametrize('path', sorted((ROOT / 'experiments/flags').glob('stacked_*.flags')),
                         ids=lambda path: path.stem)
def test_flagfiles_are_flags_of_the_programs_that_they_name(path, monkeypatch):
  monkeypatch.chdir(ROOT)
  name = re.search(r'--experiment=(\w+) ', path.read_text())[1]
  assert f'--train_flags=experiments/flags/{path.name}' in path.read_text()
  config = training.config_of(f'--flagfile={path}', name=name, tiny=False)
  assert config['keep_every'] and not config['conditional']
