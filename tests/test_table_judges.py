"""Classifiers as judges of tables."""
import numpy as np
import pytest

from jaxsynth.kinds.columns import Column
from jaxsynth.metrics.tables import classifiers, detection, usefulness

pytest.importorskip('sklearn', reason='pip install scikit-learn, to judge tables')
SCHEMA = (Column('x', 'number', missing=True), Column('y', 'number'),
          Column('k', 'category', ('a', 'b', 'c'), missing=True))


def table(n, seed, tied=True):
  """x and y are near to each other if they are tied; the class says the sign of x."""
  rng = np.random.default_rng(seed)
  x = rng.normal(size=n)
  y = x + .1 * rng.normal(size=n) if tied else rng.normal(size=n) * 1.005
  return np.stack([x, y, np.where(x > 0, 2, rng.integers(0, 2, n))], 1)


def test_features():
  rows = np.array([[1., 2, 2], [np.nan, 3, np.nan]])
  np.testing.assert_array_equal(classifiers.features(rows, SCHEMA),
                                [[1, 2, 0, 0, 1, 0], [np.nan, 3, 0, 0, 0, 1]])
  np.testing.assert_array_equal(classifiers.features(rows, SCHEMA, 'boosting'), rows)


@pytest.mark.parametrize('name', usefulness.NAMES)
def test_nobody_tells_draws_of_one_distribution_apart(name):
  judged = detection.detection(table(600, 0), table(600, 1), SCHEMA, name)
  assert judged.score > .85 and len(judged.auc) == 3


def test_boosting_sees_ties_that_single_columns_hide():
  real, apart = table(900, 0), table(900, 1, tied=False)
  judged = detection.detection(real, apart, SCHEMA, falls=True)
  assert judged.score < .2 and detection.detection(real, apart, SCHEMA, 'logistic').score > .8
  assert set(np.argsort(judged.falls)[1:]) == {0, 1}, judged.falls  # and not by the class


def test_a_score_is_of_the_folds_areas():
  judged = detection.detection(table(300, 0), table(300, 1, tied=False), SCHEMA)
  np.testing.assert_allclose(judged.score, np.mean([1 - max(0, 2 * a - 1) for a in judged.auc]))
  again = detection.detection(table(300, 0), table(300, 1, tied=False), SCHEMA)
  assert judged.auc == again.auc and not judged.falls.size


def test_missing_values_do_not_stop_a_judge():
  real, holes = table(300, 0), table(300, 1)
  holes[::2, 0], holes[1::2, 2] = np.nan, np.nan
  for name in usefulness.NAMES:
    assert detection.detection(real, holes, SCHEMA, name).score < .9


@pytest.mark.parametrize('name', usefulness.NAMES)
def test_what_rows_teach(name):
  rows, fresh = table(600, 0), table(400, 1)
  labels, truth = ((x[:, 1] > 0).astype(int) for x in (rows, fresh))
  taught = usefulness.usefulness(rows, labels, fresh, truth, SCHEMA, 2, name)
  assert taught.auc > .95 and taught.accuracy > .9
  shuffled = np.random.default_rng(0).permutation(labels)
  assert usefulness.usefulness(rows, shuffled, fresh, truth, SCHEMA, 2, name).auc < .8


def test_three_classes_and_one_that_is_not_there():
  rows = table(600, 0)
  labels = rows[:, 2].astype(int)
  few = labels != 1
  taught = usefulness.usefulness(rows[few], labels[few], rows, labels, SCHEMA, 3)
  assert taught.auc > .7 and taught.accuracy < 1
  by_hand = usefulness.right(np.array([0, 1, 2, 2]), np.array(
      [[.8, .1, .1], [.5, .4, .1], [.1, .2, .7], [.6, .4, 0]]))
  # class 0 is above 2 of 3 others and beats the third; class 1 ties with one; class 2 wins twice
  # of row 2, and loses twice of row 3
  np.testing.assert_allclose(by_hand, [(1 + 2.5 / 3 + 2 / 4) / 3, 2 / 4])


def test_bad_input():
  rows, labels = table(30, 0), np.zeros(30, int)
  with pytest.raises(ValueError, match='all 30 rows are of class 0'):
    usefulness.usefulness(rows, labels, rows, labels, SCHEMA, 2)
  with pytest.raises(ValueError, match=r'test: labels \[29\] of 30 rows'):
    usefulness.usefulness(rows, labels, rows, labels[1:], SCHEMA, 2)
  with pytest.raises(ValueError, match='expected at least 3'):
    detection.detection(rows[:2], rows, SCHEMA)


def test_a_package_that_is_missing_is_named(monkeypatch):
  monkeypatch.setitem(__import__('sys').modules, 'sklearn.ensemble', None)
  with pytest.raises(ImportError, match=r"needs scikit-learn: pip install 'jaxsynth\[report\]'"):
    detection.detection(table(9, 0), table(9, 1), SCHEMA)
