"""Adversarial losses against hand arithmetic and closed-form gradients."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.losses import adversarial, relativistic

EVERY = {'non-saturating': adversarial.NON_SATURATING, 'saturating': adversarial.SATURATING,
         'least-squares': adversarial.LEAST_SQUARES, 'hinge': adversarial.HINGE,
         'wasserstein': adversarial.WASSERSTEIN, 'relativistic': relativistic.RELATIVISTIC,
         'relativistic-average': relativistic.RELATIVISTIC_AVERAGE,
         'smoothed': adversarial.smoothed(adversarial.NON_SATURATING, .1)}
LOSS = pytest.mark.parametrize('loss', EVERY.values(), ids=EVERY)
s = jax.nn.sigmoid

# of logits 1 and -2: log(1 + e^-1) = 0.3132617, log(1 + e^-2) = 0.1269280,
# log(1 + e^-3) = 0.0485874, and log(1 + e^x) = log(1 + e^-x) + x
VALUES = {'non-saturating': (.3132617 + .1269280, 2.1269280),
          'saturating': (.3132617 + .1269280, -.1269280),
          'least-squares': (0 + 2, 4.5),
          'hinge': (0, 2),
          'wasserstein': (-3, 2),
          'relativistic': (.0485874, 3.0485874),
          'relativistic-average': (2 * .0485874, 2 * 3.0485874),
          'smoothed': (.3132617 + .1269280 + .1, 2.1269280)}


@pytest.mark.parametrize('name', EVERY)
def test_values_by_hand(name):
  real, fake = jnp.array([1.]), jnp.array([-2.])
  discriminator, generator = VALUES[name]
  loss = EVERY[name]
  np.testing.assert_allclose(loss.discriminator(real, fake), [discriminator], rtol=1e-5)
  np.testing.assert_allclose(loss.generator(real, fake), [generator], rtol=1e-5)


# d/dreal and d/dfake of the discriminator's loss, then of the generator's
GRADIENTS = {
    'non-saturating': lambda r, f: (s(r) - 1, s(f), 0 * r, s(f) - 1),
    'saturating': lambda r, f: (s(r) - 1, s(f), 0 * r, -s(f)),
    'least-squares': lambda r, f: (r - 1, f, 0 * r, f - 1),
    'hinge': lambda r, f: (-1. * (r < 1), 1. * (f > -1), 0 * r, -jnp.ones_like(f)),
    'wasserstein': lambda r, f: (-jnp.ones_like(r), jnp.ones_like(f), 0 * r, -jnp.ones_like(f)),
    'relativistic': lambda r, f: (-s(f - r), s(f - r), s(r - f), -s(r - f)),
    'smoothed': lambda r, f: (s(r) - .9, s(f), 0 * r, s(f) - 1)}


@pytest.mark.parametrize('name', GRADIENTS)
def test_gradients_in_closed_form(name):
  real, fake = jnp.linspace(-3, 3.2, 7), jnp.linspace(2, -4.1, 7)
  ours = [jax.grad(lambda r, x, f=f: jnp.sum(f(r, x)), (0, 1))(real, fake)
          for f in (EVERY[name].discriminator, EVERY[name].generator)]
  for mine, wanted in zip((*ours[0], *ours[1]), GRADIENTS[name](real, fake), strict=True):
    np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-6)


def test_relativistic_average_by_hand():
  """Means 2 and -1. Real 1 and 3 against -1: softplus(-2), softplus(-4); fake 0 and -2
  against 2: the same. The generator's: softplus(2 - f) + softplus(r + 1)."""
  real, fake = jnp.array([1., 3.]), jnp.array([0., -2.])
  loss, softplus = relativistic.RELATIVISTIC_AVERAGE, lambda x: np.log1p(np.exp(x))
  np.testing.assert_allclose(loss.discriminator(real, fake),
                             [2 * softplus(-2.), 2 * softplus(-4.)], rtol=1e-6)
  np.testing.assert_allclose(loss.generator(real, fake),
                             [2 * softplus(2.), 2 * softplus(4.)], rtol=1e-6)


def test_the_relativistic_loss_knows_differences_alone():
  real, fake = jnp.linspace(-3, 3, 7), jnp.linspace(2, -4, 7)
  for f in (relativistic.RELATIVISTIC.discriminator, relativistic.RELATIVISTIC.generator):
    np.testing.assert_allclose(f(real, fake), f(real + 5, fake + 5), rtol=1e-5)


@LOSS
@pytest.mark.parametrize('logit', [-1e4, 1e4])
def test_finite_at_the_edge(loss, logit):
  real, fake = jnp.full((3,), logit), jnp.full((3,), -logit)
  for f in (loss.generator, loss.discriminator):
    value, grads = jax.value_and_grad(lambda r, x, f=f: jnp.sum(f(r, x)), (0, 1))(real, fake)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in grads)


@LOSS
def test_shapes_must_agree(loss):
  for f in (loss.generator, loss.discriminator):
    with pytest.raises(AssertionError):
      f(jnp.zeros(3), jnp.zeros(4))


def test_smoothing_bounds_the_wanted_logit():
  """Least where sigmoid(real) is 0.9, at log 9; of least squares at 0.9."""
  for loss, least in ((adversarial.NON_SATURATING, np.log(9)), (adversarial.LEAST_SQUARES, .9)):
    smooth = adversarial.smoothed(loss, .1).discriminator
    slope = jax.grad(lambda r, f=smooth: jnp.sum(f(r, jnp.zeros(1))))(jnp.array([least]))
    np.testing.assert_allclose(slope, [0.], atol=1e-6)


@pytest.mark.parametrize('loss, smoothing, message', [
    (adversarial.HINGE, .1, 'as NON_SATURATING'), (adversarial.NON_SATURATING, 1., r'in \[0, 1\)'),
    (adversarial.NON_SATURATING, -.1, r'in \[0, 1\)')])
def test_smoothing_that_is_refused(loss, smoothing, message):
  with pytest.raises(ValueError, match=message):
    adversarial.smoothed(loss, smoothing)
