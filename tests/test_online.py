"""Training on samples that were never written."""
import itertools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import loop, train_step as ts
from jaxsynth.synthesis import draw, labels, online
from jaxsynth.types import Context


def sample(params, variables, keys, cond):
  """Class c is bright in row c, under noise: a linear classifier can learn it."""
  noise = jax.vmap(lambda key: jax.random.normal(key, objectives.SHAPE))(keys)
  rows = jax.nn.one_hot(cond, 4)[:, :, None, None]
  return jnp.clip(params * rows + noise / 2 - .5, -1, 1)


@pytest.fixture(scope='module')
def trained():
  """A classifier after 40 batches, each made outside the step that takes it."""
  algorithm = ts.build(objectives.classifier(), {'classifier': optax.adam(2e-2)})
  batches = online.batches(sample, 1., {}, 32, 0, 3)
  start = jax.jit(algorithm.init)(jax.random.key(0), {
      'image': jnp.zeros((32, *objectives.SHAPE)), 'label': jnp.zeros(32, jnp.int32)})
  state = loop.run(jax.jit(algorithm.step), start, batches, jax.random.key(1), 40)
  return algorithm, start, state


def test_a_classifier_learns_from_samples_alone(trained):
  algorithm, start, state = trained
  fresh = online.batch_at(sample, 1., {}, 300, 1, 3)(0)

  def accuracy(state):
    return objectives.classifier().loss(
        state.params, state.variables, fresh, Context(state.step, jax.random.key(0), False)
    )[1][1]['accuracy']
  assert accuracy(start) < .6 and accuracy(state) > .9


def test_inside_a_compiled_step_nothing_leaves_the_device(trained):
  """The generator inside the step: a scan over the numbers of the steps."""
  algorithm, start, want = trained
  at = online.batch_at(sample, 1., {}, 32, 0, 3)

  @jax.jit
  def run(state):
    return jax.lax.scan(lambda state, k: algorithm.step(state, at(k), jax.random.key(1)), state,
                        jnp.arange(40, dtype=jnp.uint32))[0]

  def moved(state):
    # a bias before batch norm has no gradient but rounding, which Adam makes steps of
    layers = {name: dict(x) for name, x in state.params['classifier'].items()}
    del layers['Dense_0']['bias']
    return layers
  chex.assert_trees_all_close(moved(run(start)), moved(want), atol=1e-4)


def test_batches_are_functions_of_seed_and_step_and_resume():
  first = list(itertools.islice(online.batches(sample, 1., {}, 8, 0, 3), 5))
  again = list(itertools.islice(online.batches(sample, 1., {}, 8, 0, 3, start=3), 2))
  other = next(online.batches(sample, 1., {}, 8, 1, 3))
  for a, b in zip(first[3:], again):
    np.testing.assert_array_equal(a['image'], b['image'])
    np.testing.assert_array_equal(a['label'], b['label'])
  assert not np.array_equal(first[0]['image'], other['image'])
  assert isinstance(first[0]['image'], jax.Array)


def test_batches_are_the_samples_of_a_data_set():
  drawn = draw.drawer(sample, [1, 2, 1], block=16)(1., {}, draw.key_of(4), 24, 32)
  batch = online.batch_at(sample, 1., {}, 8, 4, [1, 2, 1])(3)
  np.testing.assert_allclose(batch['image'], drawn, atol=1e-6)
  np.testing.assert_array_equal(batch['label'], labels.labels_for(np.arange(24, 32), [1, 2, 1]))


def test_no_labels_and_no_batch():
  batch = online.batch_at(lambda p, v, keys, cond: jax.vmap(jax.random.normal)(keys), {}, {}, 3,
                          0)(0)
  assert list(batch) == ['image']
  with pytest.raises(ValueError, match='batch_size=0'):
    online.batch_at(sample, 1., {}, 0, 0)
