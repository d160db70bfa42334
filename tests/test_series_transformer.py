"""The transformer of series: shapes, what it is told, and how it begins."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.models.series_transformer import SeriesTransformer
from jaxsynth.objectives import network


def started(shape=(24, 6), cond=None, **options):
  """A network whose parameters are all moved from zero, and a function of its inputs."""
  net = SeriesTransformer(16, 2, 2, 16, **options)
  args = (jnp.zeros((1, *shape)), jnp.zeros(1), *(() if cond is None else (jnp.zeros((1, cond)),)))
  params, _ = network.init(net, jax.random.key(0), *args)
  leaves, tree = jax.tree.flatten(params)
  keys = jax.random.split(jax.random.key(1), len(leaves))
  moved = jax.tree.unflatten(tree, [x + .2 * jax.random.normal(k, x.shape)
                                    for k, x in zip(keys, leaves)])
  apply = jax.jit(lambda p, *args: network.apply(net, p, {}, *args)[0])
  return params, moved, apply


def test_it_begins_as_nothing_and_sees_all_steps_places_time_and_label():
  params, moved, apply = started(cond=3)
  x, time = jax.random.normal(jax.random.key(2), (2, 24, 6)), jnp.array([.2, .7])
  label = jnp.eye(3)[:2]
  assert not np.any(apply(params, x, time, label))
  y = apply(moved, x, time, label)
  assert y.shape == x.shape and y.dtype == jnp.float32
  changed = lambda *args: np.abs(apply(moved, *args) - y).max((1, 2)) > 1e-4
  assert changed(x, time + .1, label).all() and changed(x, time, label[::-1]).all()
  assert changed(x[:, ::-1], time, label).all()
  far = np.abs(apply(moved, x.at[:, -1].add(1.), time, label) - y)
  assert (far[:, 0].max(-1) > 1e-4).all()  # the first step sees the last
  rolled = np.roll(apply(moved, jnp.roll(x, 1, 1), time, label), -1, 1)
  assert np.abs(rolled - y).max() > 1e-3  # places count


def test_examples_do_not_see_each_other_and_images_are_series_of_rows():
  _, moved, apply = started((5, 4, 3))
  x, time = jax.random.normal(jax.random.key(2), (4, 5, 4, 3)), jnp.linspace(.1, .9, 4)
  y = apply(moved, x, time)
  assert y.shape == x.shape
  np.testing.assert_allclose(apply(moved, x[1:2], time[1:2]), y[1:2], atol=1e-5)


def test_sizes():
  count = lambda net: sum(x.size for x in jax.tree.leaves(jax.eval_shape(
      lambda: network.init(net, jax.random.key(0), jnp.zeros((1, 24, 6)), jnp.zeros(1))[0])))
  # time 4,224 + 16,512; a step 448, its place 1,536; the last layers 16,512 + 390; and three blocks
  # of 49,536 for scales, shifts and gates, 12,480 + 4,160 of attention, 16,640 + 16,448 after it
  assert count(SeriesTransformer()) == 39_622 + 3 * 99_264
  with pytest.raises(ValueError, match='heads=5: expected a divisor of the width 64'):
    count(SeriesTransformer(heads=5))
