"""Scores of tables against numbers worked out by hand."""
import numpy as np
import pytest

from jaxsynth.kinds.columns import Column
from jaxsynth.metrics.tables import closest, copies, shapes, trends

NAN = np.nan
SCHEMA = (Column('height', 'number', missing=True), Column('age', 'integer'),
          Column('eyes', 'category', ('blue', 'brown', 'green'), missing=True))


def test_shape_by_hand():
  real = np.array([[1., 0, 0], [2, 0, 0], [3, 5, 1], [NAN, 9, NAN]])
  made = np.array([[2., 0, 0], [3, 5, 1], [4, 5, 2], [NAN, 5, 2]])
  scored = shapes.shape(real, made, SCHEMA)
  # heights 1 2 3 and 2 3 4: F - G is 1/3 from 1 to 3; ages: 2/4 - 1/4, then 1/4 at 5
  # eyes 2/3 1/3 0 and 1/4 1/4 1/2: (5/12 + 1/12 + 6/12) / 2
  np.testing.assert_allclose(scored.scores, [1 - 1 / 3, 1 - 1 / 4, 1 - 1 / 2])
  np.testing.assert_allclose(scored.mean, np.mean([2 / 3, 3 / 4, 1 / 2]))
  np.testing.assert_allclose(shapes.missing(real, made, SCHEMA), [1, 1, .75])


def test_a_column_without_values_has_no_shape_and_is_left_out_of_the_mean():
  real = np.array([[NAN, 0, 0], [NAN, 1, 1]])
  scored = shapes.shape(real, real, SCHEMA)
  assert np.isnan(scored.scores[0]) and scored.mean == 1


def test_trend_by_hand():
  real = np.array([[0., 0, 0], [10, 10, 0], [NAN, 5, 1], [5, 5, NAN]])
  made = np.array([[0., 10, 0], [10, 0, 0], [5, 5, 1], [5, 5, 2]])
  scored = trends.trend(real, made, SCHEMA)
  # heights and ages: correlations 1 and -1. Ages and eyes: ages 0, 5, 10 are bins 1, 6 and 11;
  # the pairs (1, blue) (11, blue) (6, brown) agree, and the fourth is none in the one and green
  # in the other. Heights: NaN lies with the largest value in bin 11, so that real pairs are
  # (1, blue) (11, blue) (11, brown) (6, none), others (1, blue) (11, blue) (6, brown) (6, green)
  np.testing.assert_allclose(scored.scores, [[NAN, 0, .5], [0, NAN, .75], [.5, .75, NAN]],
                             atol=1e-12)
  np.testing.assert_allclose(scored.mean, 1.25 / 3)


def test_only_pairs_that_are_tied_in_the_real_table_count_as_tied():
  schema = [Column(name, 'category', ('no', 'yes')) for name in 'abc']
  real = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]])  # a is b, and c is free
  apart = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 1]])  # a is c, and b is free
  scored = trends.trend(real, apart, schema)
  np.testing.assert_allclose(trends.ties(real, schema)[0], [NAN, 1, 0])
  np.testing.assert_allclose([scored.tied, scored.mean], [.5, 2 / 3])


def test_cramer_is_scipys():
  from scipy.stats.contingency import association
  rng = np.random.default_rng(0)
  a = rng.integers(0, 4, 300)
  b = (a + rng.integers(0, 3, 300)) % 5
  schema = [Column(name, 'category', tuple('abcde')) for name in 'xy']
  counts = np.histogram2d(a, b, [np.arange(5), np.arange(6)])[0].astype(int)
  np.testing.assert_allclose(trends.ties(np.stack([a, b], 1), schema)[0, 1],
                             association(counts, 'cramer'))


def test_the_nearest_row_by_hand():
  rows = np.array([[0., 0, 0], [10, 40, 0], [NAN, 20, 1], [5, 20, NAN]])
  spans = closest.ranges([rows])
  np.testing.assert_array_equal(spans[:2], [[0, 10], [0, 40]])
  asked = np.array([[1., 10, 0], [NAN, 20, 0], [5, 10, NAN]])
  by_hand = [
      [.1 + .25, .9 + .75, 1 + .25 + 2, .4 + .25 + 2],  # to each of the four rows
      [1 + .5, 1 + .5, 0 + 0 + 2, 1 + 0 + 2],
      [.5 + .25 + 2, .5 + .75 + 2, 1 + .25 + 2, 0 + .25 + 0]]
  near = closest.nearest(*closest.encode([asked, rows], SCHEMA, spans))
  np.testing.assert_allclose(near.distances, np.min(by_hand, 1), rtol=1e-6)
  np.testing.assert_array_equal(near.indices, [0, 0, 3])


def test_the_nearest_row_is_found_among_thousands():
  rng = np.random.default_rng(1)
  schema = [Column('x', 'number'), Column('y', 'number'), Column('k', 'category', tuple('abcd'))]
  draw = lambda n: np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 4, n)])
  a, b = draw(700), draw(4500)
  ea, eb = closest.encode([a, b], schema, closest.ranges([a, b]))
  every = (np.abs(ea.numbers[:, None] - eb.numbers[None]).sum(-1)
           + 2. * (ea.codes[:, None, 0] != eb.codes[None, :, 0]))
  near = closest.nearest(ea, eb)
  np.testing.assert_allclose(near.distances, every.min(1), rtol=1e-5, atol=1e-7)
  assert (near.indices == every.argmin(1)).mean() > .99


def test_the_share_nearer_to_train_is_a_half_without_learning_and_one_of_copies():
  rng = np.random.default_rng(2)
  schema = [Column(name, 'number') for name in 'ab']
  train, holdout, fresh = (rng.normal(size=(n, 2)) for n in (3000, 1000, 1000))
  thinned = closest.closest(fresh, train, holdout, schema)
  assert len(thinned.train) == len(thinned.held) == 1000  # else three quarters would be nearer
  assert abs(thinned.nearer.share.value - .5) < 3 * thinned.nearer.standard_error < .1
  noisy = train[thinned.train] + rng.normal(size=(1000, 2)) * 1e-4
  assert closest.closest(noisy, train, holdout, schema).nearer.share.value > .98


def test_copies_by_hand():
  train = np.array([[1., 2, 0], [NAN, 2, NAN], [1, 2, 0]])
  holdout = np.array([[1., 2, 1], [7, 7, 2]])
  made = np.array([[NAN, 2, NAN], [-0., 0, 1], [0., 0, 1], [1, 2, 2]])
  counted = copies.copies(made, train, holdout, SCHEMA)
  assert [x.hits for x in counted] == [1, 0, 1, 1] and [x.total for x in counted] == [4, 2, 4, 3]


@pytest.mark.parametrize('rows,message', [
    (np.zeros((0, 3)), r'synthetic: float64\[0, 3\], expected rows \[N, 3\]'),
    (np.zeros((2, 2)), r'expected rows \[N, 3\]'),
    ([[0, 0, 3]], 'synthetic, row 0: eyes=3.0, expected a position among 3 categories'),
    ([[0, 0, 0], [0, np.inf, 0]], 'synthetic, row 1: age=inf, expected a finite number'),
    ([['a', 'b', 'c']], 'of numbers')])
def test_bad_rows_are_refused(rows, message):
  for score in (shapes.shape, trends.trend):
    with pytest.raises(ValueError, match=message):
      score(np.zeros((2, 3)), rows, SCHEMA)
