"""Distributions in the plane: what they say of themselves, and families that learn them."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.data import two_d
from jaxsynth.losses import flow, likelihoods, paths
from jaxsynth.metrics import points
from jaxsynth.metrics.flow_likelihood import log_likelihood
from jaxsynth.models.time_mlp import TimeMLP
from jaxsynth.objectives import solvers
from jaxsynth.objectives.flow_matching import field_of, flow_matching
from jaxsynth.objectives.gan import gan
from jaxsynth.objectives.vae import vae

PLANES = {'moons': two_d.moons, 'rings': two_d.rings, 'eight': two_d.eight_gaussians,
          'twenty_five': two_d.twenty_five_gaussians, 'checkerboard': two_d.checkerboard}
EIGHT = two_d.eight_gaussians()
KEY = jax.random.key(0)


@pytest.mark.parametrize('name', PLANES)
def test_points_are_near_their_modes_and_reach_all(name):
  plane = PLANES[name]()
  drawn = np.asarray(plane.draw(KEY, 4000))
  assert drawn.shape == (4000, 2) and drawn.dtype == np.float32 and np.abs(drawn).max() <= 1
  of_all = points.reached(drawn, plane.modes, plane.std)
  assert of_all.modes == of_all.total and of_all.quality > .95
  assert points.reached(drawn[:, ::-1] + .45, plane.modes, plane.std).quality < .8
  np.testing.assert_array_equal(drawn, plane.draw(KEY, 4000))


def test_the_checkerboard_fills_its_dark_squares_alone():
  drawn = np.asarray(two_d.checkerboard().draw(KEY, 4000))
  column, row = np.floor((drawn.T + .8) / .4).astype(int)
  assert ((row + column) % 2 == 0).all()
  assert np.bincount(4 * row + column, minlength=16).max() == 500


def test_reached_by_hand():
  modes = [[0., 0.], [1., 0.], [0., 1.]]
  near = points.reached([[.02, 0.], [0., .029], [1., .031], [5., 5.]], modes, .01)
  assert near[:3] == (1, 3, .5) and near.points.tolist() == [2, 0, 0]
  assert points.reached([[0., 0.], [1., 0.]], modes, .01, least=2).modes == 0


def test_sliced_distances_of_moved_points_are_the_mean_shadow_of_the_move():
  """Of a move by d in the plane: d times the mean of |cos|, 2 / pi."""
  a = np.random.default_rng(0).normal(size=(50, 2))
  moved = points.sliced_wasserstein(a, a + [3., 4.], directions=20000)
  np.testing.assert_allclose(moved, 5 * 2 / np.pi, rtol=.01)
  assert points.sliced_wasserstein(a, a[::-1]) == 0


@pytest.mark.parametrize('make, message', [
    (lambda: points.reached(np.zeros((1, 2)), np.zeros((1, 3)), 1.), 'as many columns'),
    (lambda: points.reached(np.zeros((1, 2)), np.zeros((1, 2)), 0.), 'std=0.0'),
    (lambda: points.sliced_wasserstein(np.zeros((1, 2)), np.zeros((2, 2))), 'as many points'),
    (lambda: points.sliced_wasserstein(*np.zeros((2, 1, 2)), directions=0), 'directions=0')])
def test_what_does_not_fit_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


def learned(objective, optimizers, steps, plane=EIGHT):
  """A state after some steps on fresh points, all in one compiled loop."""
  algorithm = ts.build(objective, optimizers, ema=ts.EMA())
  batch_at = lambda key: {'image': two_d.as_images(plane.draw(key, 256))}

  @jax.jit
  def trained(key):
    state = algorithm.init(key, batch_at(key))
    step = lambda state, k: (algorithm.step(state, batch_at(jax.random.fold_in(key, k)), key)[0],
                             None)
    return jax.lax.scan(step, state, jnp.arange(steps))[0]
  return trained(KEY)


def scores(objective, state, plane=EIGHT, n=2000):
  keys = jax.random.split(jax.random.key(1), n)
  drawn = jax.jit(objective.sample)(*ts.averaged(state), keys, None).reshape(n, 2)
  real = plane.draw(jax.random.key(2), n)
  near = points.reached(drawn, plane.modes, plane.std, least=n // len(plane.modes) // 4)
  return near.modes, near.quality, points.sliced_wasserstein(drawn, real)


SLOW = pytest.mark.slow
RATE = optax.cosine_decay_schedule(1e-2, 1000)
EDM = dict(path=paths.edm(.02, 10.), prediction=flow.preconditioned(.53),
           times=flow.log_normal(-1.5, 1.2, 10.))


@pytest.mark.long
@pytest.mark.parametrize('options, least, most', [
    pytest.param(EDM, .85, .03, id='edm'),
    pytest.param(dict(times=flow.logit_normal(.5)), .6, .06, id='rectified', marks=SLOW)])
def test_a_flow_learns_eight_gaussians(options, least, most):
  objective = flow_matching(TimeMLP(64, 2), (1, 1, 2), solver_steps=12, **options)
  modes, quality, distance = scores(
      objective, learned(objective, {'flow': optax.adam(RATE)}, 1000))
  assert modes == 8 and quality > least and distance < most


@SLOW
def test_likelihoods_of_a_learned_flow_are_nearly_those_of_the_data():
  """Of the data's own points they are less, by the divergence of the model."""
  net = TimeMLP(64, 2)
  wide = two_d.mixture(EIGHT.modes, .12)
  state = learned(flow_matching(net, (1, 1, 2)), {'flow': optax.adam(RATE)}, 1000, wide)
  path = paths.rectified()
  field = field_of(net, path, flow.VELOCITY, *ts.averaged(state))
  drawn = wide.draw(jax.random.key(5), 256)
  likelihood = jax.jit(lambda x: log_likelihood(
      lambda x, t: solvers.velocity(field, path, x, t), two_d.as_images(x), path.times(24)))(drawn)
  distance = jnp.sum((drawn[:, None] - wide.modes[None]) ** 2, -1)
  exact = jax.nn.logsumexp(-distance / (2 * .12 ** 2), -1) - jnp.log(8 * 2 * jnp.pi * .12 ** 2)
  assert -.3 < float(jnp.mean(likelihood - exact)) < .02  # -.23 where it was measured


class Dense(nn.Module):
  """A network over points, with as many outputs as asked for."""
  outputs: int
  image: bool = False

  @nn.compact
  def __call__(self, x, *, train):
    x = x.reshape(len(x), -1)
    for _ in range(2):
      x = nn.leaky_relu(nn.Dense(64)(x), .2)
    x = nn.Dense(self.outputs)(x)
    return two_d.as_images(x) if self.image else x


class Normal(nn.Module):
  """An encoder."""

  @nn.compact
  def __call__(self, x, *, train):
    mean, log_variance = jnp.split(Dense(4)(x, train=train), 2, -1)
    return mean, log_variance


@SLOW
def test_a_vae_learns_eight_gaussians():
  objective = vae(Normal(), Dense(2, True), likelihoods.gaussian(.05), latent_dim=2)
  state = learned(objective, {'vae': optax.adam(optax.cosine_decay_schedule(3e-3, 4000))}, 4000)
  modes, quality, distance = scores(objective, state)
  assert modes == 8 and quality > .4 and distance < .1


@SLOW
def test_a_gan_learns_eight_gaussians():
  objective = gan(Dense(2, True), Dense(1), latent_dim=8)
  state = learned(objective, {'generator': optax.adam(5e-4, b1=.5),
                              'discriminator': optax.adam(5e-4, b1=.5)}, 8000)
  modes, quality, distance = scores(objective, state)
  assert modes >= 6 and quality > .4 and distance < .15
