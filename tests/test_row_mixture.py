"""Mixtures of products: their probabilities, and what is drawn of them, against enumeration."""
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import integrate, stats

from jaxsynth import train_step as ts
from jaxsynth.data.kinded import of_rows
from jaxsynth.kinds.columns import Column
from jaxsynth.kinds.row_kind import layout
from jaxsynth.models import row_draws
from jaxsynth.models.row_mixture import RowMixture
from jaxsynth.objectives.table_mixture import table_mixture

DRAW = jax.jit(row_draws.draw, static_argnums=0)
COMPLETE = jax.jit(row_draws.complete, static_argnums=0)
LIKELIHOOD = jax.jit(RowMixture.log_likelihood, static_argnums=0)
SCHEMA = (Column('job', 'category', tuple('abc')), Column('age', 'integer', missing=True),
          Column('car', 'category', ('no', 'yes'), True), Column('rooms', 'integer'))


def source(continuous=False, n=80):
  """Rows of four columns of few values, and perhaps two of many, one of them with gaps."""
  rng = np.random.default_rng(0)
  rows = np.stack([rng.integers(0, 3, n), rng.integers(20, 25, n), rng.integers(0, 2, n),
                   rng.integers(0, 4, n)], 1).astype(np.float32)
  rows[::7, 1], rows[::5, 2] = np.nan, np.nan
  schema = SCHEMA
  if continuous:
    many = rng.normal(size=(800, 2)).astype(np.float32)
    many[::6, 1] = np.nan
    rows = np.concatenate([np.resize(rows, (800, 4)), many], 1)
    schema += (Column('x', 'number'), Column('y', 'number', missing=True))
  return of_rows(rows, schema, rng.integers(0, 2, len(rows)))


def mixture(continuous=False, components=5, num_classes=2):
  return RowMixture(layout(source(continuous).kind), components, num_classes)


def every_row(model):
  """All rows that there can be, as a model sees them."""
  columns = [column.positions for column in model.layout.columns if column.size]
  return jnp.array(list(itertools.product(*columns)), jnp.float32)


def some_params(model, seed=1):
  params = model.init(jax.random.key(seed))
  return {**params, 'weights': jnp.linspace(-1, 1, model.components),
          'shared': jnp.linspace(-.5, 1, len(params['shared']))}


def probabilities(model, params, label):
  rows = every_row(model)
  return np.asarray(jnp.exp(LIKELIHOOD(model, params, rows, jnp.full(len(rows), label))))


def test_probabilities_of_all_rows_and_labels_sum_to_one():
  model = mixture()
  params = some_params(model)
  both = [probabilities(model, params, label) for label in range(2)]
  assert len(both[0]) == 3 * 6 * 3 * 4 and abs(np.sum(both) - 1) < 1e-5
  without = jnp.exp(LIKELIHOOD(model, params, every_row(model)))
  np.testing.assert_allclose(without, both[0] + both[1], rtol=1e-5)


def test_a_component_is_the_product_that_its_parameters_say():
  """Of one component: `softmax`, and the difference of a logistic's distribution, by scipy."""
  model = mixture(components=1, num_classes=None)
  params = some_params(model)
  classes = np.split(np.asarray(params['shared'] + params['own'][0], np.float64), [3, 5, 8])
  job, lacks_age, car = (np.exp(x) / np.exp(x).sum() for x in classes[:3])
  values = []
  for line, column in enumerate((1, 3)):
    ends = np.array(model.layout.columns[column].ends)[int(column == 1):] * model.layout.reach
    scale = .01 + np.exp(params['log_scales'][0, line])
    values.append(np.diff(np.concatenate([[0], stats.logistic.cdf(
        ends, params['means'][0, line], scale), [1]])))
  age = np.concatenate([lacks_age[1:], lacks_age[0] * values[0]])
  expected = np.einsum('a,b,c,d->abcd', job, age, car, values[1]).ravel()
  np.testing.assert_allclose(
      np.exp(LIKELIHOOD(model, params, every_row(model))), expected, rtol=1e-4)


def test_a_density_integrates_to_one():
  model = mixture(True, components=3, num_classes=None)
  params = some_params(model)
  grid = jnp.linspace(-3, 3, 4001)
  known = jnp.zeros((4001, 6), bool)

  def along(column, x):
    rows = jnp.zeros((4001, 6)).at[:, column].set(x)
    return np.exp(LIKELIHOOD(model, params, rows, None, known.at[:, column].set(True)))
  assert abs(integrate.trapezoid(along(4, grid), grid) - 1) < 1e-3
  missing = float(along(5, jnp.full(4001, -1.))[0])
  # what lies below -.9 is missing, whatever the density says there
  there = integrate.trapezoid(np.where(grid < -.9, 0, along(5, grid)), grid)
  assert 0 < missing < 1 and .9 < missing + there < 1.001


def test_hidden_columns_are_summed_over():
  model = mixture()
  params = some_params(model)
  rows = every_row(model)
  joint = np.exp(LIKELIHOOD(model, params, rows, jnp.ones(len(rows), int)))
  for hidden in ((0,), (1, 2), (0, 1, 2, 3)):
    known = jnp.ones(rows.shape, bool).at[:, jnp.array(hidden)].set(False)
    some = np.exp(LIKELIHOOD(model, params, rows, jnp.ones(len(rows), int), known))
    summed = joint.reshape(3, 6, 3, 4).sum(hidden, keepdims=True)
    np.testing.assert_allclose(some.reshape(3, 6, 3, 4), np.broadcast_to(summed, (3, 6, 3, 4)),
                               rtol=1e-4)


def frequencies(model, rows):
  """How often each of all rows is there."""
  sizes = [column.size for column in model.layout.columns]
  codes = np.asarray(model.layout.codes(rows))
  return np.bincount(np.ravel_multi_index(tuple(codes.T), sizes), minlength=np.prod(sizes)) / len(
      rows)


def test_samples_are_as_frequent_as_they_are_likely():
  model = mixture()
  params, n = some_params(model), 100_000
  keys = jax.random.split(jax.random.key(2), n)
  for label in (None, 0, 1):
    labels = None if label is None else jnp.full(n, label)
    expected = sum(probabilities(model, params, x) for x in range(2)) if label is None else (
        probabilities(model, params, label))
    expected = expected / expected.sum()
    drawn = frequencies(model, DRAW(
        model, params, keys, labels))
    assert np.abs(drawn - expected).sum() / 2 < .02
    likely = expected > 1e-4  # chi-squared over cells: mean 1 a cell
    assert np.mean((drawn - expected)[likely] ** 2 / expected[likely]) * n < 1.5


def test_what_is_not_known_is_drawn_given_what_is():
  model = mixture()
  params, n = some_params(model), 60_000
  row = every_row(model)[100]
  known = jnp.array([False, True, False, True])
  rows, labels = COMPLETE(
      model, params, jax.random.split(jax.random.key(3), n), jnp.tile(row, (n, 1)),
      jnp.tile(known, (n, 1)))
  np.testing.assert_array_equal(rows[:, 1::2], np.tile(row[1::2], (n, 1)))
  table = np.stack([probabilities(model, params, x) for x in range(2)], 1).reshape(3, 6, 3, 4, 2)
  at = np.asarray(model.layout.codes(row[None]))[0]
  expected = table[:, at[1], :, at[3]]
  expected = expected / expected.sum()
  codes = np.asarray(model.layout.codes(rows))
  drawn = np.zeros((3, 3, 2))
  np.add.at(drawn, (codes[:, 0], codes[:, 2], np.asarray(labels)), 1 / n)
  assert np.abs(drawn - expected).max() < .01


def test_given_labels_are_kept_and_numbers_stay_in_the_model():
  model = mixture(True)
  params, keys = some_params(model), jax.random.split(jax.random.key(0), 2000)
  rows = DRAW(model, params, keys, jnp.arange(2000) % 2)
  assert rows.shape == (2000, 6) and float(jnp.abs(rows).max()) <= 1
  lacking = np.asarray(rows[:, 5]) == -1
  assert .01 < lacking.mean() < .99 and np.asarray(rows[~lacking, 5]).min() >= -.8
  same, labels = COMPLETE(model, params, keys, rows, jnp.ones(rows.shape, bool),
                                    jnp.ones(2000, int))
  np.testing.assert_array_equal(same, rows)
  assert (np.asarray(labels) == 1).all()


def test_it_learns_which_columns_go_together():
  """Two columns that are one another's, of an unconditional mixture: their entropy is log 2."""
  code = np.arange(64) % 2
  rows = of_rows(np.stack([code, code], 1), (Column('a', 'category', ('x', 'y')),
                                             Column('b', 'category', ('x', 'y'))))
  model = RowMixture(layout(rows.kind), 4)
  objective = table_mixture(model, row_draws.draw)
  algorithm = ts.build(objective, {'mixture': optax.adam(.1)})
  batch = {'row': rows.kind.in_model(rows.take(np.arange(64)))['row']}
  state, step = algorithm.init(jax.random.key(0), batch), jax.jit(algorithm.step)
  for _ in range(150):
    state, metrics = step(state, batch, jax.random.key(1))
  assert np.log(2) < metrics['mixture/loss'] < np.log(2) + .02


def test_messages():
  model = mixture(num_classes=None)
  params, keys = some_params(model), jax.random.split(jax.random.key(0), 2)
  with pytest.raises(ValueError, match=r'rows \[2, 3\]: expected \[B, 4\]'):
    model.log_likelihood(params, jnp.zeros((2, 3)))
  with pytest.raises(ValueError, match='labels: expected none'):
    row_draws.draw(model, params, keys, jnp.zeros(2, int))
  with pytest.raises(ValueError, match='label 2: expected integers in'):
    conditional = mixture()
    row_draws.draw(conditional, some_params(conditional), keys, np.array([0, 2]))
  with pytest.raises(ValueError, match='hidden=1: expected a share'):
    table_mixture(model, row_draws.draw, hidden=1)
  with pytest.raises(ValueError, match='needs \'label\''):
    table_mixture(mixture(), row_draws.draw).init(jax.random.key(0), {'row': jnp.zeros((2, 4))})
