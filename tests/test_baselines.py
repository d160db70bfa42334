"""Baselines of tables: marginals, correlations, neighbours, and the data sets that they write."""
import functools
import json

import baseline
import numpy as np
import programs
import pytest
from scipy import stats
import training

from jaxsynth import data
from jaxsynth.baselines.copula import correlations, gaussian_copula
from jaxsynth.baselines.independent import independent
from jaxsynth.baselines.smote import nearest, smote
from jaxsynth.data import origin
from jaxsynth.evaluation.synthetic import read_synthetic
from jaxsynth.kinds.columns import checked_rows, Column

SCHEMA = (Column('age', 'integer'), Column('income', 'number', missing=True),
          Column('job', 'category', tuple('abc'), True), Column('size', 'ordered', ('S', 'M', 'L')),
          Column('class', 'category', ('no', 'yes')))
METHODS = {'independent': independent, 'copula': gaussian_copula,
           'smote': functools.partial(smote, target=4)}
EVERY = pytest.mark.parametrize('name', METHODS)


def table(n=1500, seed=0):
  """Income rises with age, the size with income, and the class with both."""
  rng = np.random.default_rng(seed)
  z = rng.normal(size=n)
  x = np.stack([np.round(40 + 10 * z), np.exp(10 + z + .5 * rng.normal(size=n)),
                rng.choice(3, n, p=[.6, .3, .1]), np.digitize(z, [-.5, .5]),
                z + rng.normal(size=n) > 0], 1).astype(np.float32)
  x[rng.random(n) < .1, 1], x[rng.random(n) < .05, 2] = np.nan, np.nan
  return x


@EVERY
def test_rows_are_the_schemas_and_of_the_seed(name):
  x = table()
  drawn = METHODS[name](x, SCHEMA, 700, 1)
  assert drawn.shape == (700, 5) and drawn.dtype == np.float32
  checked_rows(drawn, SCHEMA)
  np.testing.assert_array_equal(drawn, METHODS[name](x, SCHEMA, 700, 1))
  assert (drawn != METHODS[name](x, SCHEMA, 700, 2)).any()
  assert (np.nanmin(drawn, 0) >= np.nanmin(x, 0)).all()
  assert (np.nanmax(drawn, 0) <= np.nanmax(x, 0)).all()
  with pytest.raises(ValueError, match='num=0: expected at least 1 row'):
    METHODS[name](x, SCHEMA, 0, 0)
  with pytest.raises(ValueError, match='rows, row 3: age=nan'):
    METHODS[name](np.where(np.arange(1500)[:, None] == 3, np.nan, x), SCHEMA, 9, 0)


@pytest.mark.parametrize('name', ['independent', 'copula'])
def test_columns_are_those_of_the_table(name):
  x = table()
  drawn = METHODS[name](x, SCHEMA, 20_000, 0)
  for j in (0, 1):
    there = [values[~np.isnan(values[:, j]), j] for values in (x, drawn)]
    assert stats.ks_2samp(*there).statistic < .02
    assert abs(np.isnan(drawn[:, j]).mean() - np.isnan(x[:, j]).mean()) < .01
  for j in (2, 3, 4):
    shares = [np.bincount(np.nan_to_num(values[:, j], nan=3).astype(int), minlength=4) / len(values)
              for values in (x, drawn)]
    np.testing.assert_allclose(*shares, atol=.015)


def test_independent_columns_are_independent():
  drawn = independent(table(), SCHEMA, 20_000, 0)
  there = ~np.isnan(drawn[:, 1])
  assert abs(stats.spearmanr(drawn[there, 0], drawn[there, 1]).statistic) < .03
  assert abs(np.corrcoef(drawn[:, 3], drawn[:, 4])[0, 1]) < .03


def test_a_copula_keeps_the_correlation_of_normal_scores():
  """Of two columns that are normal together, whatever is done to each alone: .8."""
  rng = np.random.default_rng(0)
  z = rng.multivariate_normal([0, 0], [[1, .8], [.8, 1]], 4000)
  x = np.stack([np.exp(z[:, 0]), z[:, 1] ** 3], 1)
  drawn = gaussian_copula(x, (Column('a', 'number'), Column('b', 'number')), 20_000, 0)
  expected = 6 / np.pi * np.arcsin(.8 / 2)  # Spearman's of normal numbers: Pearson 1907
  assert abs(stats.spearmanr(drawn).statistic - expected) < .02


def test_correlations_have_a_root():
  scores = np.array([[1., 1., 5.], [2., 2., 5.], [4., 4., 5.]])  # twice the same, and a constant
  matrix = correlations(scores)
  np.testing.assert_allclose(matrix, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-5)
  np.linalg.cholesky(matrix)


def test_neighbours_are_the_nearest_of_the_class():
  x, asked = table(60), np.array([3, 10, 59])
  every_near = nearest(x, SCHEMA, asked, 4, 3)
  unit = (x[:, :2] - np.nanmean(x[:, :2], 0)) / np.nanstd(x[:, :2].astype(np.float64), 0)
  for row, near in zip(asked, every_near):
    distance = np.zeros(60)
    for j in range(2):  # one value that is missing counts 1, and as the mean
      a, b = unit[:, j], unit[row, j]
      distance += (np.nan_to_num(a) - np.nan_to_num(b)) ** 2 + (np.isnan(a) != np.isnan(b))
    for j in (2, 3):
      a, b = np.nan_to_num(x[:, j], nan=-1), np.nan_to_num(x[row, j], nan=-1)
      distance += a != b
    distance[(x[:, 4] != x[row, 4]) | (np.arange(60) == row)] = np.inf
    np.testing.assert_allclose(distance[near], np.sort(distance)[:3], rtol=1e-4)


def test_smote_lies_between_neighbours_of_one_class():
  """On a line with two classes apart, rows stay within each, and classes keep their shares."""
  x = np.stack([np.r_[np.arange(30.), 100 + np.arange(10.)], np.r_[np.zeros(30), np.ones(10)]], 1)
  drawn = smote(x, (Column('x', 'number'), Column('class', 'category', ('a', 'b'))), 4000, 0,
                target=1, neighbours=2)
  low, high = drawn[drawn[:, 1] == 0, 0], drawn[drawn[:, 1] == 1, 0]
  assert 0 <= low.min() and low.max() <= 29 and 100 <= high.min() and high.max() <= 109
  assert abs(len(high) / 4000 - .25) < .03 and (low % 1 > 0).mean() > .9
  majority = smote(np.array([[0, 0], [0, 1], [0, 1], [0, 1]]), (
      Column('x', 'number'), Column('c', 'category', ('a', 'b'))), 50, 0, neighbours=3)
  assert (majority[:, 1] == 1).all()


def test_smote_says_what_it_cannot():
  schema = (Column('x', 'number'), Column('class', 'category', ('a', 'b')))
  with pytest.raises(ValueError, match='one row of class 1: it has no neighbour'):
    smote(np.array([[0., 0], [1, 0], [2, 1]]), schema, 50, 0, target=1)
  with pytest.raises(ValueError, match='target=0: expected the place of a column of classes'):
    smote(np.array([[0., 0], [1, 0]]), schema, 5, 0, target=0)
  with pytest.raises(ValueError, match='neighbours=0'):
    smote(np.array([[0., 0], [1, 0]]), schema, 5, 0, neighbours=0)


@EVERY
def test_the_program_writes_what_others_read(name, tmp_path):
  flags = [f'--baseline={name}', *training.data_of('table_'), '--num=300', '--seed=3']
  for given in ([f'--out={tmp_path}/x.npz'], [f'--out={tmp_path}', '--name=things']):
    programs.call(baseline, *flags, *given)
  file, folder = (read_synthetic(tmp_path / path) for path in ('x.npz', 'things'))
  assert file.num_classes == folder.num_classes == 3
  assert file.examples.class_names == folder.examples.class_names == ('a', 'b', 'c')
  np.testing.assert_array_equal(file.examples.values, folder.examples.values)
  np.testing.assert_array_equal(file.examples.labels, folder.examples.labels)
  assert file.examples.values.shape == (300, 3)
  for path in ('x.npz', 'things/1.0.0'):
    assert origin.is_synthetic(data.DatasetSpec(str(tmp_path / path)))
  about = json.loads((tmp_path / 'things/1.0.0/metadata.json').read_text())
  assert about['model']['baseline'] == name and about['seed'] == 3
