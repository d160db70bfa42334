"""What is said of a data set before anything is changed."""
import json

import collect
import numpy as np
import programs
import pytest

from jaxsynth import data
from jaxsynth.data.fingerprint import fingerprint


def test_the_sets_of_all_roles_are_recorded(tmp_path, capsys):
  programs.call(collect, '--dataset=mnist5k', f'--report={tmp_path / "deep/out"}')
  assert 'train: 4,000 images\n' in capsys.readouterr().out
  record = json.loads((tmp_path / 'deep/out/collection.json').read_text())
  assert list(record) == ['dataset', 'names', 'credit', 'roles', 'sets']
  assert record['names'] == list('0123456789') and record['credit']['homepage']
  assert record['roles'] == {'train': 'train', 'validation': 'validation', 'test': 'test'}
  assert {role: x['split'] for role, x in record['sets'].items()} == record['roles']
  source = data.mnist5k('test')
  test = record['sets']['test']
  assert test == {'split': 'test', **fingerprint(source)}
  assert (test['size'], test['least'], test['greatest']) == (500, 0, 255)
  assert test['zero'] == pytest.approx((source.images == 0).mean())
  assert test['classes'] == np.bincount(source.labels).tolist()


def test_a_set_without_splits_is_named_by_its_file_and_halved_later(tmp_path):
  file, out = tmp_path / 'some.npz', tmp_path / 'out'
  np.savez(file, images=data.mnist5k('test').images[:20])
  programs.call(collect, f'--dataset={file}', f'--report={out}')
  record = json.loads((out / 'collection.json').read_text())
  assert record['dataset'] == 'some.npz' and record['names'] == [] and record['credit'] is None
  assert record['roles'] == {'train': None, 'validation': None, 'test': None}
  assert list(record['sets']) == ['train'] and record['sets']['train']['split'] == 'some.npz'


@pytest.mark.parametrize('flags, message', [
    (['--dataset=nothing.npz'], 'nothing.npz: no such file'),
    (['--test_split=train'], '--split=train is trained on')])
def test_what_cannot_be_collected_is_said(tmp_path, flags, message):
  assert message in programs.refused(collect, *flags, f'--report={tmp_path / "r"}')
  assert not (tmp_path / 'r').exists()
