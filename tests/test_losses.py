"""Losses against hand arithmetic and closed-form gradients."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.losses import adversarial


def test_values_by_hand():
  """log(1 + e^-1) = 0.3132617 and log(1 + e^-2) = 0.1269280: logits 1 and -2."""
  real, fake = jnp.array([1.]), jnp.array([-2.])
  loss = adversarial.NON_SATURATING
  np.testing.assert_allclose(loss.discriminator(real, fake), [0.3132617 + 0.1269280], rtol=1e-6)
  np.testing.assert_allclose(loss.generator(real, fake), [2.1269280], rtol=1e-6)


def test_gradients_in_closed_form():
  """d/dr = sigmoid(r) - 1, d/df = sigmoid(f); the generator's d/df = sigmoid(f) - 1."""
  real, fake = jnp.linspace(-3, 3, 7), jnp.linspace(2, -4, 7)
  loss = adversarial.NON_SATURATING
  total = lambda f: lambda r, x: jnp.sum(f(r, x))
  by_real, by_fake = jax.grad(total(loss.discriminator), (0, 1))(real, fake)
  np.testing.assert_allclose(by_real, jax.nn.sigmoid(real) - 1, rtol=1e-5)
  np.testing.assert_allclose(by_fake, jax.nn.sigmoid(fake), rtol=1e-5)
  np.testing.assert_allclose(jax.grad(total(loss.generator), 1)(real, fake),
                             jax.nn.sigmoid(fake) - 1, rtol=1e-5)


def test_relativistic_average_by_hand():
  """Means 2 and -1. Real 1 and 3 against -1: softplus(-2), softplus(-4); fake 0 and -2
  against 2: the same. The generator's: softplus(2 - f) + softplus(r + 1)."""
  real, fake = jnp.array([1., 3.]), jnp.array([0., -2.])
  loss, softplus = adversarial.RELATIVISTIC_AVERAGE, lambda x: np.log1p(np.exp(x))
  np.testing.assert_allclose(loss.discriminator(real, fake),
                             [2 * softplus(-2.), 2 * softplus(-4.)], rtol=1e-6)
  np.testing.assert_allclose(loss.generator(real, fake),
                             [2 * softplus(2.), 2 * softplus(4.)], rtol=1e-6)


EVERY = pytest.mark.parametrize(
    'loss', [adversarial.NON_SATURATING, adversarial.RELATIVISTIC_AVERAGE])


@EVERY
@pytest.mark.parametrize('logit', [-1e4, 1e4])
def test_finite_at_the_edge(loss, logit):
  real, fake = jnp.full((3,), logit), jnp.full((3,), -logit)
  for f in (loss.generator, loss.discriminator):
    value, grads = jax.value_and_grad(lambda r, x, f=f: jnp.sum(f(r, x)), (0, 1))(real, fake)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in grads)


@EVERY
def test_shapes_must_agree(loss):
  for f in (loss.generator, loss.discriminator):
    with pytest.raises(AssertionError):
      f(jnp.zeros(3), jnp.zeros(4))
