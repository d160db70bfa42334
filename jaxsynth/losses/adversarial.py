"""Adversarial losses: what each player makes of both sets of logits."""
from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
from jax import Array


class GANLoss(NamedTuple):
  """Both players' losses, each `(real_logits, fake_logits) -> [B]` in nats.

  Attributes:
    generator: falls as fakes are taken for real.
    discriminator: falls as real and fake are told apart.
  """
  generator: Callable[[Array, Array], Array]
  discriminator: Callable[[Array, Array], Array]


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


NON_SATURATING = GANLoss(generator_non_saturating, discriminator_cross_entropy)
