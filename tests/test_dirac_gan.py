"""The Dirac-GAN (Mescheder et al. 2018, https://arxiv.org/abs/1801.04406, section 2).

Data are the point 0, the generator's one sample is theta and the discriminator's logit is
`psi x + bias`, so the gradient field of two simultaneous players is a plane's. Near its rest at
(0, 0) the field is its Jacobian, whose eigenvalues say whether the players come to rest.
"""
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.losses import adversarial, penalties, relativistic
from jaxsynth.objectives.gan import gan

# the loss, the logit at rest, and the slope f'(0) by which each player pulls at the other
LOSSES = {'non-saturating': (adversarial.NON_SATURATING, 0., .5),
          'saturating': (adversarial.SATURATING, 0., .5),
          'least-squares': (adversarial.LEAST_SQUARES, .5, .5),
          'hinge': (adversarial.HINGE, 0., 1.),
          'wasserstein': (adversarial.WASSERSTEIN, 0., 1.),
          'relativistic': (relativistic.RELATIVISTIC, 0., .5),
          'relativistic-average': (relativistic.RELATIVISTIC_AVERAGE, 0., 1.)}
EVERY = pytest.mark.parametrize('name', LOSSES)
BATCH = {'image': jnp.zeros((2, 1, 1, 1))}
KEY = jax.random.key(0)


class Point:
  """A network without init: one parameter, `theta` or `psi`."""

  def __init__(self, apply):
    self.apply = lambda collections, *args, mutable=None, **_: (
        apply(collections['params'], *args) if mutable is None else
        (apply(collections['params'], *args), {}))

  def init(self, rngs, *args, **_):
    return {'params': jnp.zeros(())}


def dirac(name, *terms):
  loss, bias, _ = LOSSES[name]
  return gan(Point(lambda theta, z: jnp.broadcast_to(theta, (len(z), 1, 1, 1))),
             Point(lambda psi, x: psi * x[:, 0, 0, 0] + bias), loss, latent_dim=1,
             penalties=terms)


def field(objective):
  """`(theta, psi) -> ` how simultaneous gradient descent moves them."""
  def moves(point):
    params = dict(zip(('generator', 'discriminator'), point))
    grads, _, _ = ts.joint_grad(objective.loss, tuple(params), params, {
        'generator': {}, 'discriminator': {}}, BATCH, ts.Context(jnp.int32(0), KEY))
    return -jnp.stack([grads['generator'], grads['discriminator']])
  return moves


def eigenvalues(objective):
  return np.sort_complex(np.linalg.eigvals(jax.jacobian(field(objective))(jnp.zeros(2))))


@EVERY
def test_without_a_penalty_the_players_circle(name):
  """Lemma 2.3: eigenvalues +- i f'(0), whose real parts are 0."""
  slope = LOSSES[name][2]
  assert not np.any(field(dirac(name))(jnp.zeros(2)))
  np.testing.assert_allclose(eigenvalues(dirac(name)), [-slope * 1j, slope * 1j], atol=1e-6)


@EVERY
@pytest.mark.parametrize('penalty', [penalties.r1, penalties.r2])
@pytest.mark.parametrize('gamma', [.3, 4.])
def test_r1_and_r2_pull_them_to_rest(name, penalty, gamma):
  """Lemma 3.3 of section 4.1: -gamma / 2 +- sqrt(gamma^2 / 4 - f'(0)^2), real parts below 0."""
  slope = LOSSES[name][2]
  root = np.sqrt(complex(gamma ** 2 / 4 - slope ** 2))
  wanted = np.sort_complex([-gamma / 2 - root, -gamma / 2 + root])
  mine = eigenvalues(dirac(name, penalty(gamma)))
  np.testing.assert_allclose(mine, wanted, atol=1e-5)
  assert mine.real.max() < 0


def orbit(objective, distance=1., steps=1500, rate=.05):
  """How far from rest training by the library's step ends that began so far away."""
  algorithm = ts.build(objective, {player: optax.sgd(rate) for player in (
      'generator', 'discriminator')})
  state = algorithm.init(KEY, BATCH)._replace(params={
      'generator': jnp.asarray(distance), 'discriminator': jnp.zeros(())})
  step = lambda state, _: (algorithm.step(state, BATCH, KEY)[0], None)
  params = jax.jit(lambda s: jax.lax.scan(step, s, length=steps)[0])(state).params
  return float(jnp.hypot(*params.values()))


@EVERY
def test_simultaneous_descent_drifts_outwards_and_r1_brings_it_to_rest(name):
  """Near rest a step of rate h leaves the circle by sqrt(1 + h^2 f'(0)^2), section 2.2."""
  drift = np.sqrt(1 + .05 ** 2 * LOSSES[name][2] ** 2) ** 1500
  np.testing.assert_allclose(orbit(dirac(name), .001) / .001, drift, rtol=.01)
  assert orbit(dirac(name, penalties.r1(1.))) < .01


def test_the_gradient_penalty_does_not_bring_it_to_rest():
  """Section 2.3: WGAN-GP wants a slope of 1 where rest needs 0."""
  assert orbit(dirac('wasserstein', penalties.gradient_penalty(1.))) > .1
  assert orbit(dirac('wasserstein', penalties.r1(1.))) < .01


def test_lazy_r1_brings_it_to_rest_too():
  assert orbit(dirac('relativistic', penalties.r1(1., every=4))) < .01
