"""Notebooks run from their first cell to their last, with few steps."""
import json
import pathlib

import jax
from notebook_cells import as_python, cells, executed
import numpy as np
import pytest

from jaxsynth.data import DatasetSpec, open_dataset

ROOT = pathlib.Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / 'experiments').rglob('*.ipynb'))
BIG = 2 ** 18  # bytes of a notebook


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_tells_what_to_expect(path):
  written = json.loads(path.read_text())
  assert written['nbformat'] == 4 and path.stat().st_size < BIG
  kinds = [cell['cell_type'] for cell in written['cells']]
  assert kinds[0] == 'markdown' and kinds.count('markdown') >= kinds.count('code') / 2
  for text in cells(path, 'markdown') + cells(path, 'code'):
    assert max(map(len, text.splitlines())) <= 120
  for source in cells(path, 'code'):
    compile(as_python(source), path.name, 'exec')
  for cell in written['cells']:
    assert not cell.get('outputs'), 'what a machine showed is no text of a notebook'


@pytest.mark.notebook
def test_your_own_model(tmp_path, monkeypatch, capsys):
  with jax.numpy_rank_promotion('allow'):  # as everywhere but in tests
    names, _ = executed(ROOT / 'experiments/notebooks/your_own_model.ipynb', monkeypatch, tmp_path,
                        STEPS=8)
  assert int(names['state'].step) == 8 and np.isfinite(names['metrics']['flow/loss'])
  assert names['images'].shape == (1000, 16, 16, 1) and names['images'].dtype == np.uint8
  assert set(np.bincount(names['labels'])) <= {333, 334}
  written = open_dataset(DatasetSpec(str(tmp_path / 'own_data/shapes_synth/1.0.0')))
  assert written.size == 4000 and written.class_names == ('cross', 'ring', 'bars')
  assert {'frechet', 'near_copies', 'class_balance'} < set(names['scores'])
  accuracy = {row['name']: row['accuracy']['value'] for row in names['study']['settings']}
  assert '1,000 real' in accuracy and accuracy['1,000 real'] > .3
  text = capsys.readouterr().out
  assert 'step 8: loss' in text and '4000 examples; the first is a cross' in text
