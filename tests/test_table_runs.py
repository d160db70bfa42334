"""Rows of tables through everything that images go through: trained on, drawn, written, judged."""
import csv
import importlib.util
import json
import pathlib
import subprocess
import sys

from common.experiments import HERE as PROGRAMS
import jax
import numpy as np
import pytest
import training

from jaxsynth import data, downstream, evaluation, runs
from jaxsynth.data import analysis, examples, kinded, origin, roles, spec as specs
from jaxsynth.data.examples import Examples
from jaxsynth.data.kinded_npz import kinded_npz
from jaxsynth.data.tables.embedded import embedded
from jaxsynth.downstream.learners import learner_of
from jaxsynth.evaluation.comparison import compare
from jaxsynth.evaluation.synthetic import read_synthetic, Synthetic
from jaxsynth.kinds import row_kind
from jaxsynth.kinds.columns import Column
from jaxsynth.pages import analysis as analysis_page, evaluation as evaluation_page
from jaxsynth.report import render

ADULT = pathlib.Path(__file__).parents[2] / 'shared/tables/adult'
SCHEMA = (Column('age', 'integer'), Column('job', 'category', ('clerk', 'smith', 'none'), True),
          Column('income', 'number', missing=True))
FLOW = ('--network=mlp', '--hidden=8', '--levels=1')


def people(n, seed=0):
  rng = np.random.default_rng(seed)
  labels = np.arange(n) % 2
  rows = np.stack([rng.integers(20, 60, n) + 9 * labels, rng.integers(0, 3, n),
                   rng.lognormal(9 + labels, .5, n)], 1).astype(np.float32)
  for column in (1, 2):
    rows[rng.random(n) < .1, column] = np.nan
  return rows, labels


def in_a_file(tmp_path, n=400):
  rows, labels = people(n)
  source = kinded.of_rows(rows, SCHEMA, labels, None, ('no', 'yes'), 'people')
  cells = source.kind.texts({'row': rows, 'label': labels})
  cells['sick'] = cells.pop('label')
  with open(tmp_path / 'people.csv', 'w', newline='', encoding='utf-8') as f:
    csv.writer(f).writerows([list(cells), *zip(*cells.values())])
  return tmp_path / 'people.csv'


def test_a_file_is_a_data_set(tmp_path):
  path = in_a_file(tmp_path)
  spec = data.DatasetSpec(str(path), label_column='sick')
  assert spec.kind == 'table' and specs.files_of(spec) == {'people.csv': path}
  assert roles.roles(spec) == ('train', 'validation', 'test')
  train, test = (data.open_dataset(spec.of_split(x)) for x in ('train', 'test'))
  assert train.kind.settings == test.kind.settings and train.class_names == ('no', 'yes')
  assert train.kind.settings['size'] == train.size == 210  # it is fitted on these alone
  assert train.kind.settings['label'] == ['sick', 3] and train.kind.shape == (3,)
  part = spec.of_split(str(path))
  assert (part.split, part.like) == ('all', (str(path), 'train')) and part.kind == 'table'
  assert data.open_dataset(part).kind.settings == train.kind.settings
  assert spec.places == {'dataset': str(path), 'data_dir': None, 'schema': None}
  with pytest.raises(ValueError, match='a table, or a series in the order of time?'):
    data.open_dataset(data.DatasetSpec(str(path)))
  for more, message in (({'channels': 1}, 'holds rows and no images'),
                        ({'window': 9}, 'are of a series, and --table')):
    with pytest.raises(ValueError, match=message):
      data.open_dataset(spec._replace(**more))


def test_tables_of_packages():
  source = data.open_dataset(data.DatasetSpec('breast_cancer', 'test'))
  assert source.take(np.arange(2))['row'].shape == (2, 30) and source.num_classes == 2
  whole = embedded('breast_cancer')
  # of UCI's first line: 17.99, 10.38, 122.8, ... 0.1189, malignant
  np.testing.assert_allclose(whole.rows[0, [0, 1, 2, 29]], [17.99, 10.38, 122.8, .1189])
  assert np.bincount(whole.labels).tolist() == [212, 357] and whole.names[0] == 'malignant'
  spec = data.DatasetSpec('breast_cancer')
  assert specs.files_of(spec) == {} and 'Wolberg' in specs.credit(spec).citation
  assert spec._replace(data_dir='/data').kind == 'tfds' and not origin.is_synthetic(spec)
  if importlib.util.find_spec('palmerpenguins') is None:
    with pytest.raises(ImportError, match=r"pip install 'jaxsynth\[demo\]'"):
      embedded('penguins')
    pytest.skip('palmerpenguins is not installed')
  penguins = embedded('penguins')
  assert penguins.rows.shape == (344, 7) and np.isnan(penguins.rows).sum() == 19
  assert penguins.names == ('Adelie', 'Chinstrap', 'Gentoo') and penguins.notes == ()


def test_an_npz_of_rows_says_what_they_are(tmp_path):
  rows, labels = people(60)
  np.savez(tmp_path / 'x.npz', rows=rows, labels=labels, columns=['age', 'job', 'income'])
  plain = data.open_dataset(data.DatasetSpec(str(tmp_path / 'x.npz')))
  assert [x['type'] for x in plain.kind.settings['schema']] == ['integer', 'integer', 'number']
  assert plain.size == 60 and plain.class_names is None and plain.num_classes == 2
  spec = data.DatasetSpec(str(tmp_path / 'x.npz'), 'train', label_column='age')
  assert data.open_dataset(spec).kind.shape == (2,)


@pytest.mark.long
def test_from_training_to_a_csv(tmp_path):
  """Stopped and gone on with it is the same run; its samples are read wherever they are written."""
  path = in_a_file(tmp_path)
  given = (f'--dataset={path}', '--label_column=sick', '--conditional', '--eval_every=2',
           '--eval_samples=200', '--eval_split=all', '--num_synthetic=120', *FLOW)
  for name, parts in (('whole', (4,)), ('parts', (2, 4))):
    for steps in parts:
      training.trained(tmp_path / name, *given, f'--steps={steps}', name='mnist_flow')
  whole, parts = (kinded_npz(tmp_path / name / 'synthetic.npz') for name in ('whole', 'parts'))
  np.testing.assert_array_equal(whole.values, parts.values)
  record = json.loads((tmp_path / 'whole/config.json').read_text())
  assert whole.kind.settings == record['data']['kind'] and whole.class_names == ('no', 'yes')
  with open(tmp_path / 'whole/synthetic.csv', newline='', encoding='utf-8') as f:
    names, *lines = csv.reader(f)
  assert names == ['age', 'job', 'income', 'sick'] and len(lines) == 120
  assert {line[1] for line in lines} <= {'clerk', 'smith', 'none', ''}
  assert all(line[0].isdigit() for line in lines)
  # the csv has the same numbers as the .npz
  again = examples.read_split(data.DatasetSpec(str(path), label_column='sick'),
                              str(tmp_path / 'whole/synthetic.csv'))
  np.testing.assert_array_equal(again.values, whole.values)
  np.testing.assert_array_equal(again.labels, whole.labels)
  for name in ('synthetic.csv', 'synthetic.npz'):
    assert origin.is_synthetic(data.DatasetSpec(str(tmp_path / 'whole' / name), table=True))


@pytest.mark.long
def test_from_a_run_to_a_data_set_and_its_csv(tmp_path):
  training.trained(tmp_path / 'run', f'--dataset={in_a_file(tmp_path)}', '--label_column=sick',
                   '--conditional', '--steps=2', *FLOW, name='mnist_flow')
  for name, *given in (('synthesize', '--run=run', '--num=150', '--out=data', '--name=drawn'),
                       ('table', '--synthetic=data/drawn', '--out=drawn.csv')):
    subprocess.run([sys.executable, str(PROGRAMS / f'{name}.py'), *given], check=True,
                   capture_output=True, cwd=tmp_path)
  drawn = data.open_dataset(data.DatasetSpec('drawn', data_dir=str(tmp_path / 'data')))
  record = json.loads((tmp_path / 'run/config.json').read_text())
  assert drawn.kind.settings == record['data']['kind'] and drawn.size == 150
  assert origin.is_synthetic(data.DatasetSpec('drawn', data_dir=str(tmp_path / 'data')))
  names, *lines = (tmp_path / 'drawn.csv').read_text().splitlines()
  assert names == 'age,job,income,sick' and len(lines) == 150
  read = read_synthetic(tmp_path / 'data/drawn').examples
  np.testing.assert_array_equal(read.values, drawn.values)


def test_a_unet_is_not_of_rows():
  config = training.config_of('--dataset=breast_cancer', name='mnist_flow')
  program = training.experiments.program('mnist_flow')
  with pytest.raises(runs.RunError, match='30 numbers, .*--network=mlp learns rows'):
    program.build(config, runs.About((30,), 2))
  kind = kinded.of_rows(people(9)[0], SCHEMA).kind
  assert row_kind.layout(runs.About((3,), kind=kind).kind).discrete == (0, 1, 2)


def sets(*names):
  kind = kinded.of_rows(people(400)[0], SCHEMA, people(400)[1]).kind
  return [Examples(name, *people(400, seed), kind=kind) for seed, name in enumerate(names)]


def test_scores_and_page_are_of_rows():
  real, train, drawn = sets('real', 'train', 'drawn')
  drawn = drawn._replace(values=np.concatenate([train.values[:100], drawn.values[100:]]))
  comparison = compare(Synthetic(drawn, 2, {'kind': 'npz'}), real, train=train)
  net = comparison.kind.features('auto', False)
  outcome = evaluation.evaluate(comparison, net, False)
  assert outcome.details['memorisation']['exact_copies'] >= 100
  assert outcome.scores['near_copies'].value > .2 > outcome.scores['near_copies'].floor
  text = render(evaluation_page.page(comparison, outcome))
  assert 'real rows of real' in text and 'Which real rows are nearest' in text
  assert 'each left of it' not in text
  assert 'each left of it' in render(evaluation_page.page(comparison, outcome, show_real=True))
  other = drawn._replace(kind=kinded.of_rows(
      people(9)[0], SCHEMA[:2] + (Column('income', 'number', missing=True)._replace(name='x'),)
  ).kind)
  with pytest.raises(ValueError, match='rows of age, job, x, and those of real are of age, job, '):
    compare(Synthetic(other, 2, {'kind': 'npz'}), real, train=train)


def test_rows_that_come_twice_by_chance_are_no_leak():
  schema = (Column('a', 'category', tuple('xyz')),)
  values = np.random.default_rng(0).integers(0, 3, (900, 1)).astype(np.float32)
  kind = kinded.of_rows(values, schema).kind
  twice = Examples('a', values[:300], kind=kind), Examples('b', values[300:], kind=kind)
  assert examples.count_shared(*twice) == 300
  with pytest.raises(ValueError, match='300 of 300 rows of a are in b too'):
    examples.check_disjoint(*twice)  # all are
  examples.check_disjoint(twice[0]._replace(values=np.r_[values[:300], np.full((9, 1), 2.5)]),
                          twice[1])


def test_classifiers_learn_rows():
  train, test, drawn = sets('train', 'test', 'drawn')
  result = downstream.study(train, test, drawn, sizes=['all'], parts=[1.], seeds=[0, 1],
                            recipe=downstream.Recipe(60, 64))
  # a quarter of incomes are on the wrong side of the middle: by age and income some .8 are right
  assert all(.7 < x['accuracy']['value'] < .95 for x in result['settings'])
  row = train.kind.in_model({'row': train.values[:1]})['row'][0]
  augment = learner_of(train.kind).augment
  moved, label = augment(jax.random.key(0), row, np.int32(1))
  assert moved[1] == row[1] and (moved[0] != row[0]) and label == 1


def test_an_analysis_is_of_rows(tmp_path):
  rows, labels = people(120)
  source = kinded.of_rows(rows, SCHEMA, labels, name='people')
  both = {'train': source, 'test': source._replace(values=rows[:40], labels=labels[:40])}
  result = analysis.analyze(both, pairs=40)
  said = [(f.kind, f.text) for f in result.findings]
  assert any('also in train' in text for _, text in said)
  assert not any(kind == 'not finite' for kind, _ in said)  # a missing value is one of the values
  text = render(analysis_page.page(result, both, 'people', ('0', '1')))
  assert 'each number of train' in text and 'They are not shown' in text


def test_the_adult_census(tmp_path):
  if not ADULT.is_dir():
    pytest.skip(f'{ADULT} is absent')
  names = ['age', 'workclass', 'fnlwgt', 'education', 'education_num', 'marital_status',
           'occupation', 'relationship', 'race', 'sex', 'capital_gain', 'capital_loss',
           'hours_per_week', 'native_country', 'income']
  (tmp_path / 'adult.json').write_text(json.dumps(names))
  spec = data.DatasetSpec(str(ADULT / 'adult.data'), 'all', schema=str(tmp_path / 'adult.json'),
                          label_column='income')
  source = data.open_dataset(spec)
  assert source.size == 32_561 and np.bincount(source.labels).tolist() == [24_720, 7_841]
  assert np.isnan(source.values).sum() == 1_836 + 1_843 + 583  # as UCI counts them
  test = data.open_dataset(spec.of_split(str(ADULT / 'adult.test')))
  assert test.size == 16_281 and np.bincount(test.labels).tolist() == [12_435, 3_846]
  back = source.kind.on_disk(source.kind.in_model(source.take(np.arange(source.size)))['row'])
  for j, column in enumerate(row_kind.layout(source.kind).columns):
    if column.name != 'fnlwgt':
      np.testing.assert_array_equal(back[:, j], source.values[:, j], column.name)
  ranks = np.searchsorted(np.sort(source.values[:, 2]), [back[:, 2], source.values[:, 2]])
  assert np.abs(ranks[0] - ranks[1]).max() < 2 * 32_561 / 512
