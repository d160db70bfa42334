"""Adversarial losses: what each player makes of both sets of logits."""
from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
from jax import Array
import jax.numpy as jnp


class GANLoss(NamedTuple):
  """Both players' losses, each `(real_logits, fake_logits) -> [B]` in nats.

  Attributes:
    generator: falls as fakes are taken for real.
    discriminator: falls as real and fake are told apart.
    coupled: why an example's loss depends on the others in the batch; empty if not.
  """
  generator: Callable[[Array, Array], Array]
  discriminator: Callable[[Array, Array], Array]
  coupled: str = ''


def discriminator_cross_entropy(real_logits: Array, fake_logits: Array) -> Array:
  """`-log sigmoid(real) - log(1 - sigmoid(fake))`, by softplus.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> discriminator_cross_entropy(jnp.array([1e4]), jnp.array([-1e4]))
  Array([0.], dtype=float32)

  Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, equation 1.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return jax.nn.softplus(-real_logits) + jax.nn.softplus(fake_logits)


def generator_non_saturating(real_logits: Array, fake_logits: Array) -> Array:
  """`-log sigmoid(fake)`, by softplus: strong gradients where fakes are rejected.

  Args:
    real_logits: `[B]`, unused.
    fake_logits: `[B]`, of generated examples.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> generator_non_saturating(jnp.zeros(1), jnp.array([-1e4]))
  Array([10000.], dtype=float32)

  Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, section 3.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return jax.nn.softplus(-fake_logits)


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


NON_SATURATING = GANLoss(generator_non_saturating, discriminator_cross_entropy)
RELATIVISTIC_AVERAGE = GANLoss(
    generator_relativistic_average, discriminator_relativistic_average,
    coupled='the loss compares each logit with the mean of the batch')
