"""The objective that matches released means: its estimate, its labels, what it sees and learns."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import data, train_step as ts
from jaxsynth.objectives.mean_embedding import mean_embedding, spread_labels, squared_distance
from jaxsynth.privacy import embedding_release, embeddings

KEY = jax.random.key(3)


def test_the_distance_is_that_of_all_pairs_of_different_samples():
  rng = np.random.default_rng(0)
  labels = np.array([0, 0, 0, 1, 1, 2])  # the last class has one sample, whose square is kept
  phi = rng.normal(size=(6, 4))
  phi /= np.linalg.norm(phi, axis=1, keepdims=True)
  released = rng.normal(size=(4, 3))
  counts = np.bincount(labels)
  expected = np.sum(released ** 2)
  for k in range(3):
    of_class = phi[labels == k]
    products = of_class @ of_class.T
    if len(of_class) > 1:  # the mean over pairs i != j
      products = products[~np.eye(len(of_class), dtype=bool)]
    expected += (counts[k] / 6) ** 2 * products.mean() - 2 * released[:, k] @ of_class.sum(0) / 6
  drawn = phi.T @ np.eye(3)[labels] / 6
  got = squared_distance(*map(jnp.float32, (released, drawn, counts / 6)), 6)
  assert float(got) == pytest.approx(expected, rel=1e-5)


def test_the_estimate_has_no_bias():
  """Of small batches of unit vectors with a known mean; the plain square would be .2 above."""
  mean = jnp.array([.6, 0.])
  released = jnp.array([[.5], [.3]])

  def estimate(key):
    signs = jax.random.rademacher(key, (4,), jnp.float32)
    phi = jnp.stack([jnp.full(4, .6), .8 * signs], 0)  # of norm 1
    return squared_distance(released, phi.mean(1, keepdims=True), jnp.ones(1), 4)
  values = jax.vmap(estimate)(jax.random.split(KEY, 20000))
  expected = float(jnp.sum((mean - released[:, 0]) ** 2))
  assert float(values.mean()) == pytest.approx(expected, abs=4 * float(values.std()) / 20000 ** .5)


def test_labels_come_in_the_shares_of_the_classes():
  shares = jnp.array([.1, 0., .65, .25])
  labels = jax.vmap(lambda key: spread_labels(key, jnp.arange(60), shares))(
      jax.random.split(KEY, 500))
  counts = jax.vmap(lambda row: jnp.bincount(row, length=4))(labels)
  assert np.abs(counts - 60 * shares[None]).max() < 3  # independent draws: some 10
  for place in (0, 17, 59):  # each label has the probability of its class
    seen = np.bincount(labels[:, place], minlength=4) / 500
    np.testing.assert_allclose(seen, shares, atol=.09)
  part = spread_labels(KEY, jnp.arange(20, 30), shares)
  np.testing.assert_array_equal(part, spread_labels(KEY, jnp.arange(60), shares)[20:30])


@pytest.mark.parametrize('num_classes', [None, 3])
def test_nothing_of_a_batch_but_its_size_is_seen(num_classes):
  """What is compiled takes no value of it: neither gradients nor metrics nor variables."""
  objective, batch = objectives.tiny_means(num_classes=num_classes), objectives.batch()
  params, variables = objective.init(KEY, batch)

  def everything(batch):
    ctx = ts.Context(jnp.int32(0), KEY)
    return ts.joint_grad(objective.loss, ('generator',), params, variables, batch, ctx)
  traced = jax.make_jaxpr(everything)(batch).jaxpr
  inputs = {str(var) for var in traced.invars}
  used = {str(var) for equation in traced.eqns for var in equation.invars}
  assert len(inputs) == 3 and not inputs & {*used, *map(str, traced.outvars)}
  grads = everything(jax.tree.map(jnp.zeros_like, batch))[0]
  assert optax.tree.norm(grads) > 0


def test_a_batch_in_parts_is_refused_with_the_reason():
  from jaxsynth.accumulate import accumulate
  with pytest.raises(ValueError, match='the mean of the whole batch to what was released'):
    accumulate(objectives.tiny_means(), 2)


class Points(nn.Module):
  """Latents and labels to images of two pixels."""

  @nn.compact
  def __call__(self, z, label, *, train):
    x = jnp.concatenate([z, jax.nn.one_hot(label, 2)], -1)
    for _ in range(2):
      x = nn.relu(nn.Dense(32)(x))
    return jnp.tanh(nn.Dense(2)(x)).reshape(-1, 1, 2, 1)


def points(n, seed=0):
  """Points in the plane as images of two pixels: a ring, and a spot that has a third of them."""
  rng = np.random.default_rng(seed)
  labels = (rng.uniform(size=n) < 1 / 3).astype(np.int32)
  angle = rng.uniform(0, 2 * np.pi, n)
  ring = .6 * np.stack([np.cos(angle), np.sin(angle)], -1)
  spot = np.array([.5, -.4]) + .1 * rng.normal(size=(n, 2))
  xy = np.where(labels[:, None] == 1, spot, ring + .05 * rng.normal(size=(n, 2)))
  return data.ArraySource.of(data.to_uint8(xy).reshape(n, 1, 2, 1), labels, 2, 'points')


@pytest.mark.long
@pytest.mark.parametrize('epsilon', [np.inf, 1.])
def test_it_learns_points_from_a_release_alone(epsilon):
  """A ring and a spot; of other data there is nothing but a batch of zeros."""
  source = points(20000)
  embedding = embeddings.fourier(embeddings.pixels((1, 2, 1)), (.1, .3), 200)
  objective = mean_embedding(Points(), embedding, latent_dim=4, num_classes=2)
  algorithm = ts.build(objective, {'generator': optax.adam(3e-3)})
  batch = {'image': jnp.zeros((500, 1, 2, 1)), 'label': jnp.zeros(500, jnp.int32)}
  state = jax.jit(algorithm.init)(KEY, batch)
  state = state._replace(variables=embedding_release.take(
      source, KEY, state.variables, embedding=embedding, num_classes=2, epsilon=epsilon,
      delta=1e-6))
  np.testing.assert_allclose(state.variables['shared']['shares'], [2 / 3, 1 / 3], atol=.01)
  step = ts.jit(algorithm.step)
  for _ in range(800):
    state, _ = step(state, batch, KEY)
  cond = jnp.arange(4000) % 2
  drawn = np.asarray(objective.sample(state.params, state.variables,
                                      jax.random.split(KEY, 4000), cond)).reshape(-1, 2)
  ring, spot = drawn[::2], drawn[1::2]
  radius = np.linalg.norm(ring, axis=1)
  assert abs(radius.mean() - .6) < .05 and radius.std() < .12
  quadrants = np.histogram2d(*ring.T, bins=[[-2, 0, 2]] * 2)[0] / len(ring)
  np.testing.assert_allclose(quadrants, .25, atol=.06)
  np.testing.assert_allclose(spot.mean(0), [.5, -.4], atol=.04)
  assert .05 < spot.std() < .6


def test_bad_input_is_refused():
  embedding = embeddings.fourier(embeddings.pixels(objectives.SHAPE), (1.,), 8)
  make = lambda **options: mean_embedding(objectives.TinyGenerator(), embedding, latent_dim=5,
                                          **options)
  with pytest.raises(ValueError, match='temperature=0.0: expected a number above 0'):
    make(temperature=0.)
  image = objectives.batch()['image']
  with pytest.raises(ValueError, match="a generator given the label needs 'label'"):
    make(num_classes=3).init(KEY, {'image': image})
  with pytest.raises(ValueError, match=r'generated is \(4, 4, 1\), the data are \(5, 4, 1\)'):
    make().init(KEY, {'image': jnp.zeros((2, 5, 4, 1))})
  params, variables = make().init(KEY, {'image': image})
  with pytest.raises(ValueError, match='cond: expected None'):
    make().sample(params, variables, jax.random.split(KEY, 2), jnp.arange(2))
