"""Judgements of several tables side by side."""
import json
import pathlib

import programs

PROGRAM = pathlib.Path(__file__).parent.parent / 'experiments/benchmarks/table_engines.py'


def write(folder, name, auc, train=9):
  value = lambda x: {'value': x, 'low': None, 'high': None}
  (folder / name).mkdir(parents=True)
  (folder / name / 'judges.json').write_text(json.dumps({
      'train': 'x/train', 'test': 'x/test', 'rows': {'train': train, 'test': 5}, 'scores': {
          'learned by boosting, AUC': {'synthetic': value(auc), 'real': value(.93),
                                       'independent': value(.5)},
          'copies of train': {'synthetic': value(.0012), 'real': value(0.)}}}))


def test_rows_stand_by_their_worth_between_real_and_published(tmp_path):
  write(tmp_path / 'judged', 'better', .91)
  write(tmp_path / 'judged', 'a worse one', .8)
  programs.call(programs.module_of(PROGRAM), f'--judged={tmp_path}/judged',
                f'--out={tmp_path}/table.md', '--published=adult')
  lines = (tmp_path / 'table.md').read_text().splitlines()
  assert lines[0].startswith('|  | AUC | shape | trend') and len(lines) == 2 + 4 + 7
  assert [line.split(' | ')[:2] for line in lines[2:6]] == [
      ['| real rows', '0.930'], ['| independent columns', '0.500'], ['| a worse one', '0.800'],
      ['| better', '0.910']]
  assert '| 0.0012 |' in lines[4] and lines[-1].startswith('| TabPC, published | 0.916 | 0.994')
  assert len({line.count('|') for line in lines}) == 1


def test_sets_of_other_rows_do_not_compare(tmp_path):
  write(tmp_path, 'a', .9)
  write(tmp_path, 'b', .9, train=8)
  assert 'b: train rows are 8 of x/train, those of a are 9' in programs.refused(
      programs.module_of(PROGRAM), f'--judged={tmp_path}')
  assert 'no folder with a judges.json' in programs.refused(
      programs.module_of(PROGRAM), f'--judged={tmp_path}/a')
