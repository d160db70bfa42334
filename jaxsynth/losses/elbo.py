"""The terms of the evidence lower bound: likelihoods of images, and the divergence of latents."""
from collections.abc import Callable
import math
from typing import NamedTuple

import chex
import jax
from jax import Array
import jax.numpy as jnp


class Likelihood(NamedTuple):
  """What a decoder's output says of an image.

  Attributes:
    negative_log: `(output [B, ...], image [B, ...] in [-1, 1]) -> [B]`, nats.
    mean: `output [B, ...] -> [B, ...]` in [-1, 1], the expected image.
  """
  negative_log: Callable[[Array, Array], Array]
  mean: Callable[[Array], Array]


def kl_standard_normal(mean: Array, log_variance: Array) -> Array:
  """`KL(N(mean, variance) || N(0, I)) = 1/2 sum(mean^2 + variance - 1 - log variance)`.

  Args:
    mean: `[B, D]`.
    log_variance: `[B, D]`.

  Returns:
    `[B]`, nats, at least 0.

  >>> import jax.numpy as jnp
  >>> kl_standard_normal(jnp.array([[0., 2.]]), jnp.zeros((1, 2)))
  Array([2.], dtype=float32)

  Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, appendix B.
  """
  chex.assert_equal_shape([mean, log_variance])
  return .5 * jnp.sum(mean ** 2 + jnp.exp(log_variance) - 1 - log_variance, -1)


def bernoulli() -> Likelihood:
  """Each pixel a coin: `p = sigmoid(output)` for white, a grey pixel counting in part.

  `-log p(x) = sum softplus(output) - x output`, with x in [0, 1]. For grey pixels this is a
  cross entropy and no density, so its nats compare among such models alone.

  >>> import jax.numpy as jnp
  >>> coin = bernoulli()
  >>> coin.negative_log(jnp.array([[1e4, -1e4]]), jnp.array([[1., -1.]]))
  Array([0.], dtype=float32)
  """
  def negative_log(output: Array, image: Array) -> Array:
    chex.assert_equal_shape([output, image])
    return _over_pixels(jax.nn.softplus(output) - (image + 1) / 2 * output)
  return Likelihood(negative_log, lambda output: 2 * jax.nn.sigmoid(output) - 1)


def gaussian(std: float) -> Likelihood:
  """Each pixel normal around `tanh(output)`, with one standard deviation for all.

  `-log p(x) = sum (x - m)^2 / (2 std^2) + log std + log(2 pi) / 2`.

  Args:
    std: above 0, in the units of pixels in [-1, 1].

  Raises:
    ValueError: it is not.

  >>> import jax.numpy as jnp
  >>> round(float(gaussian(1.).negative_log(jnp.zeros((1, 1)), jnp.zeros((1, 1)))[0]), 4)
  0.9189
  """
  if not 0 < std < math.inf:
    raise ValueError(f'std={std}: expected a number above 0')
  constant = math.log(std) + .5 * math.log(2 * math.pi)

  def negative_log(output: Array, image: Array) -> Array:
    chex.assert_equal_shape([output, image])
    return _over_pixels(.5 * ((image - jnp.tanh(output)) / std) ** 2 + constant)
  return Likelihood(negative_log, jnp.tanh)


def _over_pixels(x: Array) -> Array:
  return jnp.sum(x.reshape(len(x), -1), -1)
