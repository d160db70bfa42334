"""Flows of rows: columns as numbers and classes, loss and samples of who knows the truth."""
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import pytest

from jaxsynth.data.kinded import of_rows
from jaxsynth.kinds.columns import Column
from jaxsynth.kinds.row_kind import layout
from jaxsynth.kinds.row_layout import Layout, ModelColumn
from jaxsynth.models.row_mlp import RowMLP
from jaxsynth.objectives.row_parts import one_hots, parts_of
from jaxsynth.objectives.table_flow import _cross_entropies, table_flow
from jaxsynth.types import Context

KEY = jax.random.key(0)
# of two classes and three: rows sum to the chance of the first column
JOINT = np.array([[.1, .2, .3], [.25, .1, .05]])
MEANS = np.array([-1., .5])  # of the number, by the first class
TWO = Layout((
    ModelColumn('a', 'category', (0., 1.), (-.5, .5), (0.,)),
    ModelColumn('x', 'number'),
    ModelColumn('b', 'category', (0., 1., 2.), (-2 / 3, 0., 2 / 3), (-1 / 3, 1 / 3))), 4.)


class Truth:
  """Says the true chances of JOINT, and how x of N(MEANS[a], .25) moves where `a` is known."""

  def init(self, rngs, *args, train):
    return {'params': {}}

  def apply(self, collections, x, there, classes, time, *cond, train):
    a, b = classes[:, :2], classes[:, 2:5]
    joint = jnp.asarray(JOINT, jnp.float32)
    given_b = jnp.where(jnp.any(b > 0, 1)[:, None], b @ joint.T, joint.sum(1)[None])
    given_a = jnp.where(jnp.any(a > 0, 1)[:, None], a @ joint, joint.sum(0)[None])
    # of x_t = (1 - t) n + t x: E[x - n | x_t], with x given `a`
    t, mean = time[:, None], a @ jnp.asarray(MEANS, jnp.float32)[:, None]
    spread = .25 * t ** 2 + (1 - t) ** 2
    velocity = mean + (.25 * t - (1 - t)) / spread * (x - t * mean)
    return velocity, jnp.log(jnp.concatenate([given_b, given_a], 1))


def truth(**options):
  return table_flow(Truth(), parts_of(TWO, 0), **options)


def rows_of_truth(n, seed=0):
  rng = np.random.default_rng(seed)
  cell = rng.choice(6, n, p=JOINT.ravel())
  x = (MEANS[cell // 3] + .5 * rng.normal(size=n)) / TWO.reach
  return np.stack([cell // 3 - .5, np.clip(x, -1, 1), (cell % 3 - 1) * 2 / 3], 1).astype(np.float32)


def test_the_bound_of_who_knows_the_chances_is_their_entropy():
  """Of two columns, unmasked in either order, `-log p(a, b)`: on average the entropy."""
  n = 200_000
  _, (_, metrics) = jax.jit(lambda rows: truth().loss(
      {'flow': {}}, {'flow': {}}, {'row': rows}, Context(jnp.int32(0), KEY, False)))(
          rows_of_truth(n))
  entropy = -(JOINT * np.log(JOINT)).sum()
  assert abs(float(metrics['classes']) - entropy) < .02


def test_samples_of_who_knows_the_truth_are_of_it():
  n = 40_000
  rows = np.asarray(jax.jit(truth(steps=8).sample)({'flow': {}}, {'flow': {}},
                                                   jax.random.split(KEY, n), None))
  cell = 3 * (rows[:, 0] > 0) + np.round(rows[:, 2] * 1.5 + 1).astype(int)
  np.testing.assert_allclose(np.bincount(cell, minlength=6) / n, JOINT.ravel(), atol=.01)
  # one step for both columns draws them as if independent
  rows = np.asarray(truth(steps=1).sample({'flow': {}}, {'flow': {}}, jax.random.split(KEY, n)))
  cell = 3 * (rows[:, 0] > 0) + np.round(rows[:, 2] * 1.5 + 1).astype(int)
  product = JOINT.sum(1, keepdims=True) * JOINT.sum(0, keepdims=True)
  np.testing.assert_allclose(np.bincount(cell, minlength=6) / n, product.ravel(), atol=.01)


def test_numbers_flow_to_their_distribution():
  """Of a column that is never masked: `a` of one value, so that x is N(-1, .25)."""
  parts = parts_of(Layout(TWO.columns[1:2], 4.), 0)

  class Normal(Truth):
    def apply(self, collections, x, there, classes, time, *cond, train):
      one_hot = jnp.tile(jnp.array([[1., 0, 0, 0, 0]]), (len(x), 1))
      return super().apply(collections, x, there, one_hot, time, train=train)[0], classes

  rows = jax.jit(table_flow(Normal(), parts, steps=64).sample)(
      {'flow': {}}, {'flow': {}}, jax.random.split(KEY, 20_000), None)
  x = np.asarray(rows[:, 0]) * 4
  assert abs(x.mean() + 1) < .02 and abs(x.std() - .5) < .02


def source():
  rng = np.random.default_rng(0)
  x = np.stack([rng.normal(size=900), rng.normal(size=900), rng.integers(0, 5, 900),
                rng.integers(0, 3, 900), rng.integers(0, 200, 900)], 1).astype(np.float32)
  x[::5, 1], x[::6, 2], x[::7, 3], x[::8, 4] = np.nan, np.nan, np.nan, np.nan
  return of_rows(x, (Column('plain', 'number'), Column('gaps', 'number', missing=True),
                     Column('few', 'integer', missing=True), Column('job', 'category', tuple('abc'),
                                                                    True),
                     Column('atoms', 'integer', missing=True)))


def test_rows_are_parted_and_put_together():
  kind = source().kind
  rows = np.asarray(kind.in_model(source().take(np.arange(900)))['row'])
  parts = parts_of(layout(kind), 128)
  # 200 values are numbers, 5 and the missing one are classes
  assert parts.numbers == (0, 1, 4) and parts.gaps == (1, 2) and parts.sizes == (6, 4, 2, 2)
  numbers, there, codes = parts.split(rows)
  np.testing.assert_array_equal(there[:, 1] == 0, np.isnan(source().values[:, 1]))
  np.testing.assert_array_equal(codes[:, 3] == 1, np.isnan(source().values[:, 4]))
  assert abs(np.asarray(numbers[:, 0]).std() - 1) < .02  # normal scores
  assert abs(np.asarray(numbers[:, 1])[::5].std()) == 0
  np.testing.assert_allclose(parts.joined(numbers, codes), rows, atol=1e-6)
  np.testing.assert_array_equal(kind.on_disk(parts.joined(numbers, codes))[:, 2:],
                                source().values[:, 2:])


def test_cross_entropy_by_hand():
  """`log(1 + e)` of logits 0 and 1 and the first class; `log 3` of equal ones."""
  each = _cross_entropies(jnp.array([[0., 1, 2, 2, 2]]), jnp.array([[0, 2]]), (2, 3))
  np.testing.assert_allclose(each, [[np.log(1 + np.e), np.log(3)]], rtol=1e-6)
  assert one_hots(jnp.zeros((2, 0), int), ()).shape == (2, 0)


def test_numbers_that_are_missing_do_not_count():
  """Their velocity may be anything."""
  kind = source().kind
  parts = parts_of(layout(kind), 128)
  rows = np.asarray(kind.in_model(source().take(np.arange(0, 900, 5)))['row'])
  net = RowMLP(sum(parts.sizes), 8, 1)
  objective = table_flow(net, parts)
  params, variables = objective.init(KEY, {'row': rows})

  @jax.jit
  @jax.grad
  def slope_of(params):
    _, (_, metrics) = objective.loss(params, variables, {'row': rows},
                                     Context(jnp.int32(0), KEY, False))
    return metrics['numbers']
  # of the last layer, the one with an output a number and a class
  (slope,) = (layer['bias'] for layer in slope_of(params)['flow'].values()
              if layer.get('bias', jnp.zeros(0)).shape == (3 + sum(parts.sizes),))
  assert float(slope[1]) == 0 and float(jnp.abs(slope[jnp.array([0, 2])]).min()) > 0


def test_messages():
  with pytest.raises(ValueError, match='steps=0'):
    truth(steps=0)
  with pytest.raises(ValueError, match='class_weight=0'):
    truth(class_weight=0)
  with pytest.raises(ValueError, match=r'rows \[2, 5\]: expected \[B, 3\]'):
    parts_of(TWO, 0).split(jnp.zeros((2, 5)))
  with pytest.raises(ValueError, match='cond: expected None'):
    truth().sample({'flow': {}}, {'flow': {}}, jax.random.split(KEY, 2), jnp.zeros(2, int))
  flow = objectives.tiny_table_flow(3)
  params, variables = flow.init(KEY, objectives.batch())
  wrong = jax.jit(flow.sample)(params, variables, jax.random.split(KEY, 2), jnp.array([0, 3]))
  assert np.isnan(wrong[1]).all() and np.isfinite(wrong[0]).all()
