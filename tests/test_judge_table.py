"""The program that judges a synthetic table, and its page."""
import json
import pathlib
import re

import numpy as np
import programs
import pytest

from jaxsynth import report
from jaxsynth.data import DatasetSpec
from jaxsynth.data.examples import Examples, read_split
from jaxsynth.data.kinded_npz import arrays_of
from jaxsynth.downstream import table_meanings, table_study
from jaxsynth.downstream.verdicts import Mean
from jaxsynth.downstream.whole_tables import independent, whole_tables
from jaxsynth.pages import tables as page

pytest.importorskip('sklearn', reason='pip install scikit-learn, to judge tables')
PROGRAM = pathlib.Path(__file__).parent.parent / 'experiments' / 'judge_table.py'
NAMES = ('synthetic', 'train', 'test')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  """A table of 800 rows: the town says the land, debts are below wealth, the ill are old."""
  rng = np.random.default_rng(3)
  lines = ['age,town,land,ill,debt,wealth']
  for _ in range(800):
    age, town, wealth = rng.integers(18, 90), rng.integers(0, 4), rng.gamma(2, 9)
    ill = 'yes' if rng.normal(age, 9) > 60 else 'no'
    lines.append(f'{age},{"ABCD"[town]},{"XXYY"[town]},{ill},{wealth * rng.random():.4f},'
                 f'{wealth:.4f}')
  path = tmp_path_factory.mktemp('table')
  (path / 'people.csv').write_text('\n'.join(lines))
  return path


@pytest.fixture(scope='module')
def sets(folder):
  spec = DatasetSpec(str(folder / 'people.csv'), label_column='ill')
  return {split: read_split(spec, split) for split in ('train', 'test', 'validation')}


@pytest.fixture(scope='module')
def apart(sets):
  """Independent columns."""
  train = sets['train']
  rows = independent(whole_tables(train, train, sets['test']).train, 300, seed=1)
  return train._replace(name='apart', values=np.delete(rows, 3, 1),
                        labels=rows[:, 3].astype(np.int32))


def study_of(sets, synthetic):
  tables = whole_tables(synthetic, sets['train'], sets['test'])
  return table_study.study(tables, runs=1)


@pytest.fixture(scope='module')
def study(sets, apart):
  return study_of(sets, apart)


def texts_of(html):
  return re.sub(r'<[^>]*>', ' ', html)


def test_whole_tables_have_the_label_where_the_file_has_it(sets):
  tables = whole_tables(sets['validation'], sets['train'], sets['test'])
  assert [column.name for column in tables.schema] == 'age town land ill debt wealth'.split()
  assert tables.label == 3 and tables.schema[3].categories == ('no', 'yes')
  np.testing.assert_array_equal(tables.test[:, 3], sets['test'].labels)
  np.testing.assert_array_equal(tables.test[:, [0, 4]], sets['test'].values[:, [0, 3]])


@pytest.mark.long
def test_independent_columns_are_judged_by_the_program(folder, apart):
  np.savez(folder / 'apart.npz', **arrays_of(apart.kind, apart.values), labels=apart.labels,
           class_names=np.array(apart.class_names))
  programs.call(programs.module_of(PROGRAM), f'--real={folder}/people.csv', '--label_column=ill',
                f'--synthetic={folder}/apart.npz', f'--report={folder}/out', '--runs=1',
                '--rule=age >= 30', "--rule=town != 'A'")
  result = json.loads((folder / 'out/judges.json').read_text())
  scores = {name: {whose: x['value'] for whose, x in by.items()}
            for name, by in result['scores'].items()}
  assert scores['shape']['synthetic'] > .9 and scores['told apart by boosting']['synthetic'] < .5
  assert scores['told apart by boosting']['real'] > .6
  assert scores['learned by boosting, AUC']['real'] > .85 > (
      scores['learned by boosting, AUC']['synthetic'] + .1)
  broken = {x['rule']: x['synthetic'] for x in result['rules']}
  assert broken['town decides land'] > .3 and broken['debt <= wealth'] > .1
  assert broken['age >= 30'] > .1 and broken["town != 'A'"] > .1
  assert scores['broken rules']['synthetic'] > .5
  assert result['rows'] == {'synthetic': 300, 'train': 424, 'test': 191}
  text = texts_of((folder / 'out/report.html').read_text())
  assert 'This table is not a substitute for real rows.' in text
  assert '▼ told apart by boosting' in text and 'town decides land' in text
  assert {x['name'] for x in result['columns']} == set('age town land ill debt wealth'.split())
  assert len(result['pairs']) == 15


def test_no_real_row_is_printed_unless_it_is_asked_for(sets, apart, study):
  """Values of wealth are of one row each."""
  wealth = lambda rows: {f'{x:.4f}'.rstrip('0') for x in rows[:, 4].tolist()}
  real, made = wealth(np.concatenate([sets[x].values for x in ('train', 'test')])), wealth(
      apart.values[:8])
  tables = whole_tables(apart, sets['train'], sets['test'])
  about = {**dict.fromkeys(NAMES, 'people'), 'rows': dict.fromkeys(NAMES, 9),
           'flags': {'seed': 0, 'runs': 1}}
  shown = texts_of(report.render(page.page(tables, study, about)))
  assert {x for x in real if f' {x} ' in shown} <= made
  assert 'No real row is printed here' in shown
  shown = texts_of(report.render(page.page(tables, study, about, show_real=True)))
  assert len({x for x in real - made if f' {x} ' in shown}) >= 4
  assert 'prints real rows of the train set' in shown


@pytest.mark.long
def test_copies_are_not_handed_on(sets):
  train = sets['train']
  study = study_of(sets, train)
  assert study.scores['copies of train']['synthetic'].value == 1
  assert study.scores['nearer to train']['synthetic'].value > .65  # of half
  assert page.verdict(study).startswith('Do not hand this table on')


@pytest.mark.long
def test_fresh_rows_can_stand_in_for_others(sets):
  study = study_of(sets, sets['validation'])
  scores = study.scores
  assert scores['learned by boosting, AUC']['synthetic'].value > .8
  assert abs(scores['nearer to train']['synthetic'].value - .5) < .1
  assert 'Do not hand' not in page.verdict(study)


def test_marks_stand_beside_real_rows():
  at = lambda x: Mean(x, None, None)
  marks = [table_meanings.mark('told apart by boosting', at(x), at(.99)) for x in (.8, .6, .4)]
  assert marks == ['good', 'neutral', 'bad']
  marks = [table_meanings.mark('nearer to train', at(x), at(.5)) for x in (.2, .56, .7)]
  assert marks == ['good', 'neutral', 'bad']


@pytest.mark.long
def test_a_table_without_labels_is_judged_by_the_rest(folder, sets):
  bare = {split: x._replace(labels=None, class_names=None) for split, x in sets.items()}
  study = study_of(bare, bare['validation'])
  assert not any(name.startswith('learned') for name in study.scores)
  assert page.verdict(study)


def test_what_cannot_be_judged_is_refused(folder, sets):
  images = Examples('pictures', np.zeros((40, 4, 4, 1), np.uint8))
  with pytest.raises(ValueError, match='pictures: images, expected rows of a table'):
    whole_tables(images, sets['train'], sets['test'])
  with pytest.raises(ValueError, match='no labels, and the others have them'):
    whole_tables(sets['validation']._replace(labels=None), sets['train'], sets['test'])
  with pytest.raises(ValueError, match='5 rows, expected at least 30'):
    whole_tables(sets['validation'].take(np.arange(5)), sets['train'], sets['test'])
  with pytest.raises(ValueError, match='are in people.csv/train too'):
    whole_tables(sets['validation'], sets['train'], sets['train'])
  train = sets['train']
  np.savez(folder / 'some.npz', **arrays_of(train.kind, train.values), labels=train.labels,
           class_names=np.array(train.class_names))
  assert "rule 'height > 1': height, expected a column: age, town, land" in programs.refused(
      programs.module_of(PROGRAM), f'--real={folder}/people.csv', '--label_column=ill',
      f'--synthetic={folder}/some.npz', f'--report={folder}/no', '--rule=height > 1')
