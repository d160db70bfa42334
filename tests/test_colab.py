"""The notebooks of Colab and Kaggle, run on this machine's CPU with small networks."""
import importlib.metadata
import json
import pathlib
import re

from notebook_cells import cells, executed
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
COLAB = ROOT / 'experiments/colab/mnist_dcgan_tpu.ipynb'
KAGGLE = ROOT / 'experiments/colab/kaggle_v5e8.ipynb'
NOT_HERE = ('install', 'drive')
SMALL = '--generator_width=4 --discriminator_width=4 --latent_dim=3'


@pytest.mark.notebook
def test_from_training_to_what_the_images_are_worth(tmp_path, monkeypatch, capsys):
  names, shown = executed(
      COLAB, monkeypatch, tmp_path, NOT_HERE, WORK=tmp_path, CODE=ROOT, DATASET='mnist5k', STEPS=2,
      IMAGES=200, MORE=f'{SMALL} --batch_size=8 --num_synthetic=0 --notensorboard',
      CLASSIFIER='--sizes=200 --parts=1 --seeds=1 --steps=2')
  text = capsys.readouterr().out
  assert 'unchanged: jax, jaxlib' in text and 'CpuDevice' in text
  assert names['grids'][-1].stem == 'step_000002' and shown[0].size == (560, 560)
  assert len(names['digits']) == 200 and '200 images; the first are' in text
  assert sorted(path.name for path in tmp_path.glob('run/checkpoints/*'))
  scores = json.loads((tmp_path / 'scores/scores.json').read_text())['scores']
  assert np.isfinite(scores['frechet']['value']) and scores['frechet']['floor'] > 0
  study = json.loads((tmp_path / 'downstream/downstream.json').read_text())
  assert {'200 real', '200 synthetic'} <= {row['name'] for row in study['settings']}
  assert not (tmp_path / 'data').exists()  # nothing was downloaded


@pytest.mark.notebook
def test_eight_devices_give_the_numbers_of_one(tmp_path, monkeypatch, capsys):
  names, _ = executed(KAGGLE, monkeypatch, tmp_path, NOT_HERE, WORK=tmp_path, CODE=ROOT, STEPS=2,
                      BATCH=16, EVERY=1, MORE=f'{SMALL} --checkpoint_every=2')
  text = capsys.readouterr().out
  assert names['MODES'].keys() == {'jit', 'pmap', 'sharded', 'fsdp'}
  for mode, devices in names['MODES'].items():
    record = json.loads((tmp_path / mode / 'config.json').read_text())
    assert len(record['devices']) == devices == (1 if mode == 'jit' else 8)
    assert names['apart'][mode] < 1e-5
    assert re.search(rf'{mode} +{devices} devices  step 1: .* apart  \d+ images/s', text)
  assert names['apart']['jit'] == 0


@pytest.mark.parametrize('path', [COLAB, KAGGLE], ids=lambda path: path.stem)
def test_an_installation_leaves_jax_as_it_is(path, tmp_path):
  """pip is told the versions that are installed; if it changes one all the same, a cell says so."""
  written, install, check = [x for x in cells(path, 'code') if 'KEPT' in x or 'pip install' in x]
  names = {'WORK': str(tmp_path)}
  exec(written, names)
  lines = (tmp_path / 'constraints.txt').read_text().splitlines()
  assert {f'{name}=={importlib.metadata.version(name)}' for name in (
      'jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'numpy')} <= set(lines)
  assert '--constraint={CONSTRAINTS}' in install and names['CONSTRAINTS'].parent == tmp_path
  checks = check.partition('\n!')[0]
  exec(checks, names)
  names['KEPT']['jax'] = '0.0.1'
  with pytest.raises(AssertionError, match="pip changed {'jax'"):
    exec(checks, names)


def test_the_address_is_written_once():
  """So that a fork changes one line."""
  for path in (COLAB, KAGGLE):
    assert path.read_text().count('github.com') == 1
    assert "REPOSITORY = 'https://github.com/" in cells(path, 'code')[0]
