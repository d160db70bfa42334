"""Relativistic adversarial losses: of how much more real one example is than another."""
import chex
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.losses.adversarial import GANLoss


def discriminator_relativistic(real_logits: Array, fake_logits: Array) -> Array:
  """`-log sigmoid(real - fake)`, of the i-th real example and the i-th fake.

  A fake is held against one real example, so that a generator of few modes loses to
  the others: no boundary is common to all.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> discriminator_relativistic(jnp.array([3., 1e4]), jnp.array([3., 0.])).round(4).tolist()
  [0.6930999755859375, 0.0]

  Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, section 4.1; with R1 and R2
  Huang et al. 2025, https://arxiv.org/abs/2501.05441.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return jax.nn.softplus(fake_logits - real_logits)


def generator_relativistic(real_logits: Array, fake_logits: Array) -> Array:
  """`-log sigmoid(fake - real)`: the discriminator's with the two exchanged.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> generator_relativistic(jnp.array([1e4]), jnp.array([0.])).tolist()
  [10000.0]

  Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, section 4.1.
  """
  return discriminator_relativistic(fake_logits, real_logits)


def discriminator_relativistic_average(real_logits: Array, fake_logits: Array) -> Array:
  """`-log sigmoid(real - mean(fake)) - log sigmoid(mean(real) - fake)`.

  How much more real than the average fake, and how much less than the average real.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> discriminator_relativistic_average(jnp.array([1e4, 2e4]), jnp.array([-1e4, 0.]))
  Array([0., 0.], dtype=float32)

  Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, section 4.2.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return (jax.nn.softplus(jnp.mean(fake_logits) - real_logits)
          + jax.nn.softplus(fake_logits - jnp.mean(real_logits)))


def generator_relativistic_average(real_logits: Array, fake_logits: Array) -> Array:
  """The discriminator's with the two exchanged: fakes more real than the average real.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> generator_relativistic_average(jnp.zeros(1), jnp.array([-1e4]))
  Array([20000.], dtype=float32)

  Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734, section 4.2.
  """
  return discriminator_relativistic_average(fake_logits, real_logits)


RELATIVISTIC = GANLoss(generator_relativistic, discriminator_relativistic)
RELATIVISTIC_AVERAGE = GANLoss(
    generator_relativistic_average, discriminator_relativistic_average,
    coupled='the loss compares each logit with the mean of the batch')
