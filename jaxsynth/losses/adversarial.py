"""Adversarial losses of a real and a fake logit: what each player makes of both sets."""
from collections.abc import Callable
import functools
from typing import NamedTuple

import chex
import jax
from jax import Array
import jax.numpy as jnp


class GANLoss(NamedTuple):
  """Both players' losses, each `(real_logits, fake_logits) -> [B]`.

  Attributes:
    generator: falls as fakes are taken for real.
    discriminator: falls as real and fake are told apart.
    coupled: why an example's loss depends on the others in the batch; empty if not.
  """
  generator: Callable[[Array, Array], Array]
  discriminator: Callable[[Array, Array], Array]
  coupled: str = ''


def discriminator_cross_entropy(real_logits: Array, fake_logits: Array,
                                smoothing: float = 0.) -> Array:
  """`-(1 - s) log sigmoid(real) - s log(1 - sigmoid(real)) - log(1 - sigmoid(fake))`.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.
    smoothing: `s`, the share by which real examples count as fakes, so that logits stay
      bounded; fakes never count as real. Salimans et al. 2016,
      https://arxiv.org/abs/1606.03498, section 3.4.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> discriminator_cross_entropy(jnp.array([1e4]), jnp.array([-1e4]))
  Array([0.], dtype=float32)

  Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, equation 1.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  # -log sigmoid(x) = softplus(-x), and softplus(x) = softplus(-x) + x
  loss = jax.nn.softplus(-real_logits) + jax.nn.softplus(fake_logits)
  return loss + smoothing * real_logits if smoothing else loss


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


def generator_saturating(real_logits: Array, fake_logits: Array) -> Array:
  """`log(1 - sigmoid(fake))`, the two players' game with one value; gradients vanish early.

  Args:
    real_logits: `[B]`, unused.
    fake_logits: `[B]`, of generated examples.

  Returns:
    `[B]`, nats, at most 0.

  >>> import jax.numpy as jnp
  >>> generator_saturating(jnp.zeros(1), jnp.array([1e4]))
  Array([-10000.], dtype=float32)

  Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, equation 1.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return -jax.nn.softplus(fake_logits)


def discriminator_least_squares(real_logits: Array, fake_logits: Array,
                                smoothing: float = 0.) -> Array:
  """`(real - (1 - s))^2 / 2 + fake^2 / 2`.

  Args:
    real_logits: `[B]`, of real examples; wanted at 1 - `smoothing`.
    fake_logits: `[B]`, of generated ones; wanted at 0.
    smoothing: `s`.

  Returns:
    `[B]`, at least 0.

  >>> import jax.numpy as jnp
  >>> discriminator_least_squares(jnp.array([1., 0.]), jnp.array([0., 2.])).tolist()
  [0.0, 2.5]

  Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation 9.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return (jnp.square(real_logits - (1 - smoothing)) + jnp.square(fake_logits)) / 2


def generator_least_squares(real_logits: Array, fake_logits: Array) -> Array:
  """`(fake - 1)^2 / 2`: pulled to the real side of the boundary, from either side of it.

  Args:
    real_logits: `[B]`, unused.
    fake_logits: `[B]`, of generated examples.

  Returns:
    `[B]`, at least 0.

  >>> import jax.numpy as jnp
  >>> generator_least_squares(jnp.zeros(2), jnp.array([1., -1.])).tolist()
  [0.0, 2.0]

  Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation 9.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return jnp.square(fake_logits - 1) / 2


def discriminator_hinge(real_logits: Array, fake_logits: Array) -> Array:
  """`max(0, 1 - real) + max(0, 1 + fake)`: nothing to gain beyond a margin of 1.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.

  Returns:
    `[B]`, at least 0.

  >>> import jax.numpy as jnp
  >>> discriminator_hinge(jnp.array([1., 0.]), jnp.array([-1., 2.])).tolist()
  [0.0, 4.0]

  Lim & Ye 2017, https://arxiv.org/abs/1705.02894, section 3.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return jax.nn.relu(1 - real_logits) + jax.nn.relu(1 + fake_logits)


def discriminator_wasserstein(real_logits: Array, fake_logits: Array) -> Array:
  """`fake - real`, whose least mean over 1-Lipschitz functions is minus the distance.

  It is unbounded, so it needs a penalty (`penalties.gradient_penalty`) or spectral
  normalisation.

  Args:
    real_logits: `[B]`, of real examples.
    fake_logits: `[B]`, of generated ones.

  Returns:
    `[B]`.

  >>> import jax.numpy as jnp
  >>> discriminator_wasserstein(jnp.array([3.]), jnp.array([1.])).tolist()
  [-2.0]

  Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, equation 2.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return fake_logits - real_logits


def generator_linear(real_logits: Array, fake_logits: Array) -> Array:
  """`-fake`: the same gradient wherever fakes are; the hinge's and Wasserstein's generator.

  Args:
    real_logits: `[B]`, unused.
    fake_logits: `[B]`, of generated examples.

  Returns:
    `[B]`.

  >>> import jax.numpy as jnp
  >>> generator_linear(jnp.zeros(1), jnp.array([2.])).tolist()
  [-2.0]

  Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, algorithm 1.
  """
  chex.assert_equal_shape([real_logits, fake_logits])
  return -fake_logits


def smoothed(loss: GANLoss, smoothing: float) -> GANLoss:
  """The loss with one-sided label smoothing.

  Args:
    loss: whose discriminator takes `smoothing`: `NON_SATURATING`, `SATURATING` or
      `LEAST_SQUARES`.
    smoothing: the share `s` by which real examples count as fakes, in [0, 1).

  Raises:
    ValueError: a share out of range, or a loss without labels.

  >>> import jax.numpy as jnp
  >>> smoothed(LEAST_SQUARES, .1).discriminator(jnp.array([.9]), jnp.zeros(1)).tolist()
  [0.0]
  """
  if not 0 <= smoothing < 1:
    raise ValueError(f'smoothing={smoothing}: expected a share in [0, 1)')
  if loss.discriminator not in (discriminator_cross_entropy, discriminator_least_squares):
    raise ValueError('smoothing: expected a loss with labels of real and fake, as NON_SATURATING, '
                     'SATURATING and LEAST_SQUARES have; the others compare logits')
  return loss._replace(discriminator=functools.partial(loss.discriminator, smoothing=smoothing))


NON_SATURATING = GANLoss(generator_non_saturating, discriminator_cross_entropy)
SATURATING = GANLoss(generator_saturating, discriminator_cross_entropy)
LEAST_SQUARES = GANLoss(generator_least_squares, discriminator_least_squares)
HINGE = GANLoss(generator_linear, discriminator_hinge)
WASSERSTEIN = GANLoss(generator_linear, discriminator_wasserstein)
