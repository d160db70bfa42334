"""Rows of tables: what models see of them, and that it is turned back into what there was."""
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsynth.data import kinded
from jaxsynth.kinds import quantiles, recorded, row_kind
from jaxsynth.kinds.columns import Column
from jaxsynth.kinds.pictures import bars
from jaxsynth.kinds.quantiles import Table
from jaxsynth.metrics import features
from jaxsynth.metrics.features.row_features import Column as Seen

SCHEMA = (Column('age', 'integer'), Column('sex', 'category', ('f', 'm')),
          Column('income', 'number', missing=True), Column('job', 'category', tuple('abc'), True),
          Column('size', 'ordered', ('S', 'M', 'L')), Column('born', 'date', missing=True))


def people(n=2000, seed=0):
  rng = np.random.default_rng(seed)
  rows = np.stack([rng.integers(17, 91, n), rng.integers(0, 2, n), rng.lognormal(10, 1, n),
                   rng.integers(0, 3, n), rng.integers(0, 3, n),
                   rng.integers(-9000, 9000, n)], 1).astype(np.float32)
  for column, share in ((2, .1), (3, .2), (5, .05)):
    rows[rng.random(n) < share, column] = np.nan
  return rows


def test_what_models_see_is_the_normal_score_of_the_mid_quantile():
  kind = kinded.of_rows(people(), SCHEMA, name='people').kind
  rows = people()
  seen = np.asarray(kind.in_model({'row': rows})['row'], np.float64)
  assert seen.dtype.kind == 'f' and np.abs(seen).max() <= 1
  most = stats.norm.ppf(1 - .5 / 2000)
  scores = stats.norm.ppf((stats.rankdata(rows[:, 0]) - .5) / 2000) / most  # ties: their mean
  np.testing.assert_allclose(seen[:, 0], scores, atol=1e-6)
  there = ~np.isnan(rows[:, 2])
  scores = stats.norm.ppf((stats.rankdata(rows[there, 2]) - .5) / there.sum()) / most
  np.testing.assert_allclose(seen[there, 2], .1 + .9 * scores, atol=2e-3)  # 1,024 of 1,800 kept
  assert (seen[~there, 2] == -1).all() and seen[there, 2].min() >= -.8
  np.testing.assert_array_equal(np.unique(seen[:, 1]), [-.5, .5])
  # three jobs, and none: (2 k + 1) / 4 - 1
  np.testing.assert_array_equal(np.unique(seen[:, 3]), [-.75, -.25, .25, .75])
  assert (seen[np.isnan(rows[:, 3]), 3] == .75).all()
  np.testing.assert_allclose(np.unique(seen[:, 4]), [-2 / 3, 0, 2 / 3], atol=1e-7)


def test_rows_come_back():
  rows = people()
  kind = kinded.of_rows(rows, SCHEMA).kind
  again = recorded.kind_of_record([6], json.loads(json.dumps(kind.settings)), 2, ('no', 'yes'))
  back = again.on_disk(kind.in_model({'row': rows})['row'])
  assert back.dtype == np.float32 and again.fields['label'].names == ('no', 'yes')
  exact = [0, 1, 3, 4]  # classes, and at most 512 values
  np.testing.assert_array_equal(back[:, exact], rows[:, exact])
  np.testing.assert_array_equal(np.isnan(back), np.isnan(rows))
  there = ~np.isnan(rows[:, 2])
  ranks = lambda x: np.searchsorted(np.sort(rows[there, 2]), x) / there.sum()
  assert np.abs(ranks(back[there, 2]) - ranks(rows[there, 2])).max() < 2 / 1000
  days = back[~np.isnan(back[:, 5]), 5]
  assert (days == np.round(days)).all()
  kind.checked(back, 'what came back')


def test_normal_numbers_are_drawn_as_the_rows_there_were():
  """A model that draws independent normal scores has the marginal shares of its data."""
  rng = np.random.default_rng(1)
  n = 3000
  gain = np.where(rng.random(n) < .9, 0, rng.lognormal(8, 1, n))  # a value and 300 others
  level = np.where(rng.random(n) < .3, 5, rng.normal(0, 1, n))  # a value and 2,000 others
  count = rng.poisson(2., n)
  rows = np.stack([gain, level, count], 1).astype(np.float32)
  kind = kinded.of_rows(rows, (Column('gain', 'number'), Column('level', 'number'),
                               Column('count', 'integer'))).kind
  known = row_kind.layout(kind)
  assert known.discrete == (0, 2) and known.continuous == (1,)
  drawn = kind.on_disk(jnp.asarray(rng.normal(size=(200_000, 3)) / known.reach, jnp.float32))
  for j in range(3):
    assert stats.ks_2samp(drawn[:, j], rows[:, j]).statistic < .005
  assert set(np.unique(drawn[:, 2])) <= set(np.unique(rows[:, 2]))
  for column, value in ((0, 0), (1, 5)):
    assert abs((drawn[:, column] == value).mean() - (rows[:, column] == value).mean()) < .004
  extreme = kind.on_disk(jnp.array([[-1., -1., -1.], [1., 1., 1.]]))
  np.testing.assert_allclose(extreme, [rows.min(0), rows.max(0)], rtol=1e-5)


def test_a_table_by_hand():
  """Values 1, 3, 3, 3: shares of 1/4 and 3/4, whose middles are 1/8 and 5/8."""
  table = quantiles.fitted(np.array([3, 1, 3, 3]))
  assert table == Table((1., 3.), (0, 1), (1, 4), True)
  most = stats.norm.ppf(7 / 8)
  np.testing.assert_allclose(quantiles.middles(table, 4), [-1, stats.norm.ppf(5 / 8) / most])
  np.testing.assert_allclose(quantiles.ends(table, 4), [stats.norm.ppf(1 / 4) / most])
  np.testing.assert_allclose(quantiles.knots(table, 4)[0] * most, stats.norm.ppf(
      [1 / 8, 1 / 8, 3 / 8, 7 / 8]))
  with pytest.raises(ValueError, match='as many of each, all of them rising'):
    Table.of_json({'values': [1, 1], 'below': [0, 1], 'up_to': [1, 2], 'atoms': True})


def test_the_tails_and_the_common_values_are_kept():
  values = np.r_[np.zeros(50_000), np.random.default_rng(0).lognormal(0, 2, 50_000)]
  table = quantiles.fitted(values)
  assert 450 < len(table.values) <= quantiles.MOST_QUANTILES and not table.atoms
  assert (table.below[0], table.up_to[0], table.up_to[-1]) == (0, 50_000, 100_000)
  largest = np.sort(values.astype(np.float32))[-5:]
  assert np.isin(largest, table.values).sum() >= 4


def test_rare_values_of_huge_tables_stay_apart():
  """Of 50 million rows a value has one: closer to its neighbours than float32 can tell."""
  n = 50_000_000
  counts = np.array([n // 2, 1, 1, 1, n // 2 - 3])
  up_to = np.cumsum(counts).tolist()
  table = Table((0., 1., 2., 3., 4.), tuple(np.subtract(up_to, counts).tolist()), tuple(up_to),
                True)
  for missing in (False, True):
    kind = row_kind.rows((Column('x', 'integer', missing=missing),), [table], n)
    rows = np.arange(5, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(kind.on_disk(kind.in_model({'row': rows})['row']), rows)


def test_the_layout_says_what_engines_need():
  kind = kinded.of_rows(people(), SCHEMA).kind
  known = row_kind.layout(kind)
  assert [(c.name, c.type, c.size, c.missing) for c in known.columns] == [
      ('age', 'integer', 74, False), ('sex', 'category', 2, False), ('income', 'number', 0, True),
      ('job', 'category', 4, True), ('size', 'ordered', 3, False), ('born', 'date', 0, True)]
  assert known.continuous == (2, 5) and np.isnan(known.columns[3].values[-1])
  seen = kind.in_model({'row': people()})['row']
  codes = jax.jit(known.codes)(seen)
  assert codes.dtype == jnp.int32 and codes.shape == (2000, 4)
  np.testing.assert_array_equal(known.positions(codes), seen[:, np.array(known.discrete)])
  gaps = kinded.of_rows([[1.], [np.nan], [2.]], (Column('x', 'integer', missing=True),)).kind
  column, = row_kind.layout(gaps).columns
  assert np.isnan(column.values[0]) and column.positions[0] == -1 and column.size == 3
  assert column.ends[0] == np.float32(-.9)
  with pytest.raises(ValueError, match='examples are series: expected rows'):
    row_kind.layout(kinded.of_series([[1., 2.]]).kind)


def test_rows_of_classes_or_numbers_alone():
  for column, values in ((Column('x', 'category', ('a', 'b')), [[0.], [1.], [1.]]),
                         (Column('x', 'number'), [[1.], [1.], [1.]]),
                         (Column('x', 'number'), np.linspace(0, 1, 999)[:, None])):
    rows = np.array(values, np.float32)
    kind = kinded.of_rows(rows, (column,)).kind
    np.testing.assert_allclose(kind.on_disk(kind.in_model({'row': rows})['row']), rows, atol=1e-6)
    row_kind.layout(kind).codes(jnp.zeros((2, 1)))


def test_features_are_ones_of_classes_beside_numbers():
  rows = people()
  kind = kinded.of_rows(rows, SCHEMA).kind
  net = kind.features('auto', False)
  assert (net.name, net.width) == ('one_hot', 1 + 2 + 2 + 4 + 3 + 2)
  x = features.extract(net, rows, to_model=kind.to_model)
  np.testing.assert_allclose((x[:, 1:3] * 2 ** .5).mean(0), [(rows[:, 1] == k).mean()
                                                             for k in (0, 1)], rtol=1e-5)
  # the covariance of two columns' ones is half of P(a, b) - P(a) P(b)
  both = ((rows[:, 1] == 1) & (rows[:, 3] == 2)).mean()
  expected = both - (rows[:, 1] == 1).mean() * (rows[:, 3] == 2).mean()
  np.testing.assert_allclose(np.cov(x[:, 2], x[:, 7], bias=True)[0, 1] * 2, expected, atol=1e-6)
  lacks = np.isnan(rows[:, 2])
  assert (x[lacks, 3] == 0).all() and (x[lacks, 4] > .7).all() and (x[~lacks, 4] == 0).all()
  assert abs(x[~lacks, 3].std() - 1) < .01 and abs(x[:, 0].std() - 1) < .01
  random = kind.features('random', False)
  assert random.name == 'random_rows_0' and random.sha256 == kind.features('random', 0).sha256
  assert features.extract(random, rows, to_model=kind.to_model).shape == (2000, 256)
  assert features.of_rows([Seen(600)], 3., 'auto').name == 'random_rows_0'
  assert kind.features('pixels', False).image_shape == (6,)
  with pytest.raises(ValueError, match='expected auto, random or pixels'):
    kind.features('mnist', False)
  np.testing.assert_allclose(kind.pooled(rows, 4), x, atol=1e-6)


def test_a_picture_of_a_row_is_bars():
  picture = bars(np.array([[1., -1., 0.]]))
  assert picture.shape == (1, 64, 128, 1)
  dark = picture[0, :, :, 0] == 0
  assert dark[5, 66:].all() and not dark[5, :64].any()
  assert dark[30, :62].all() and not dark[30, 65:].any() and not dark[50].any()
  assert kinded.of_rows(people(), SCHEMA).kind.shown({'row': people(3)}).shape == (3, 64, 128, 1)


@pytest.mark.parametrize('values, schema, message', [
    (np.zeros((1, 1)), (Column('x', 'number'),), 'one row; expected at least 2'),
    (np.full((3, 1), np.nan), (Column('x', 'number', missing=True),), 'x is missing in all 3 rows'),
    ([[np.nan], [0.]], (Column('x', 'number'),), 'row 0: x=nan, expected a value'),
    ([[0.], [2.]], (Column('x', 'category', ('a', 'b')),), 'row 1: x=2.0, expected a position'),
])
def test_rows_that_cannot_be_learned_from_are_refused(values, schema, message):
  with pytest.raises(ValueError, match=f'^mine: {message}|^mine, {message}'):
    kinded.of_rows(values, schema, name='mine')


def test_tables_that_are_not_of_the_schema_are_refused():
  with pytest.raises(ValueError, match='2 columns and 1 tables: expected one each'):
    row_kind.rows((Column('x', 'number'), Column('y', 'number')), [None], 2)
