"""Likelihoods of images, as values: what the output of a decoder says of a pixel."""
from collections.abc import Callable
import math
from typing import Any, NamedTuple

import chex
import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

LEVEL = 2 / 255  # from one grey level to the next, in [-1, 1]
# the standard deviation of rounding to grey levels: a density cannot be known more finely
ROUNDING = LEVEL / math.sqrt(12)
WIDEST = 1e4  # in pixels' units


class Likelihood(NamedTuple):
  """What a decoder's output says of an image.

  Attributes:
    negative_log: `(output [B, H, W, outputs * C], image [B, H, W, C] in [-1, 1]) -> [B]`, nats.
    mean: `output -> [B, H, W, C]` in [-1, 1], the expected image.
    sample: `(key, output) -> [B, H, W, C]` in [-1, 1], an image drawn.
    outputs: channels of the decoder for each channel of the image; those of one kind (means,
      scales) lie together.
    misfit: `images uint8 [n, H, W, C] -> why they have no likelihood under it`, empty where
      they have; on the host, before any work.
  """
  negative_log: Callable[[Array, Array], Array]
  mean: Callable[[Array], Array]
  sample: Callable[[Array, Array], Array]
  outputs: int = 1
  misfit: Callable[[Any], str] = lambda images: ''


def bernoulli() -> Likelihood:
  """Each pixel a coin: `p = sigmoid(output)` for white, a grey pixel counting in part.

  `-log p(x) = sum softplus(output) - x output`, with x in [0, 1]. For grey pixels this is a
  cross entropy and no density, so its nats compare among such models alone; `misfit` says so.

  >>> import jax.numpy as jnp
  >>> coin = bernoulli()
  >>> coin.negative_log(jnp.array([[1e4, -1e4]]), jnp.array([[1., -1.]]))
  Array([0.], dtype=float32)
  >>> coin.misfit(np.array([0, 7, 255]))
  'a Bernoulli likelihood is of pixels 0 and 255 alone, and there are others, as 7: binarise them'
  """
  def negative_log(output: Array, image: Array) -> Array:
    chex.assert_equal_shape([output, image])
    return _over_pixels(jax.nn.softplus(output) - (image + 1) / 2 * output)

  def sample(key: Array, output: Array) -> Array:
    return jnp.where(jax.random.bernoulli(key, jax.nn.sigmoid(output)), 1., -1.)

  def misfit(images: Any) -> str:
    grey = np.setdiff1d(images, [0, 255])
    return '' if not len(grey) else (
        'a Bernoulli likelihood is of pixels 0 and 255 alone, and there are others, as '
        f'{grey[0]}: binarise them')
  return Likelihood(negative_log, lambda output: 2 * jax.nn.sigmoid(output) - 1, sample,
                    misfit=misfit)


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

  def sample(key: Array, output: Array) -> Array:
    return jnp.clip(jnp.tanh(output) + std * jax.random.normal(key, output.shape), -1, 1)
  return Likelihood(negative_log, jnp.tanh, sample)


def learned_gaussian(least_std: float = ROUNDING) -> Likelihood:
  """Each pixel normal around `tanh(m)`, with a standard deviation of its own, learned.

  The outputs are `m` and then `s`, with `std = least_std + softplus(s)`. Without a least one
  a pixel that never changes has a likelihood without bound; the default is that of rounding
  to 255 levels.

  Args:
    least_std: above 0, in the units of pixels in [-1, 1].

  Raises:
    ValueError: it is not.

  >>> import jax.numpy as jnp
  >>> output = jnp.array([[[[0., math.log(math.e - 1)]]]])  # softplus of the second is 1
  >>> round(float(learned_gaussian(1e-9).negative_log(output, jnp.zeros((1, 1, 1, 1)))[0]), 4)
  0.9189

  Rybkin et al. 2021, https://arxiv.org/abs/2006.13202, section 3, on why it is learned.
  """
  if not 0 < least_std < math.inf:
    raise ValueError(f'least_std={least_std}: expected a number above 0')

  def of(output: Array) -> tuple[Array, Array]:
    mean, scale = jnp.split(output, 2, -1)
    return jnp.tanh(mean), least_std + jnp.minimum(jax.nn.softplus(scale), WIDEST)

  def negative_log(output: Array, image: Array) -> Array:
    mean, std = of(output)
    chex.assert_equal_shape([mean, image])
    return _over_pixels(.5 * ((image - mean) / std) ** 2 + jnp.log(std)
                        + .5 * math.log(2 * math.pi))

  def sample(key: Array, output: Array) -> Array:
    mean, std = of(output)
    return jnp.clip(mean + std * jax.random.normal(key, mean.shape), -1, 1)
  return Likelihood(negative_log, lambda output: of(output)[0], sample, 2, _two_levels)


def discretised_logistic() -> Likelihood:
  """Each pixel one of 256 grey levels, with the mass that a logistic has within the level.

  The outputs are the means `m` and then the logarithms of the scales `s`. With `F` the
  logistic's distribution function and `h` half a level, the level x has the probability
  `F(x + h) - F(x - h)`, the darkest all below and the brightest all above. So nats are of
  grey levels: `nats / (pixels log 2)` is bits a dimension.

  >>> import jax.numpy as jnp
  >>> levels = jnp.arange(256.).reshape(256, 1, 1, 1) / 127.5 - 1
  >>> output = jnp.broadcast_to(jnp.array([.3, -2.]), (256, 1, 1, 2))
  >>> nats = discretised_logistic().negative_log(output, levels)
  >>> round(float(jnp.sum(jnp.exp(-nats))), 4)
  1.0

  Salimans et al. 2017, https://arxiv.org/abs/1701.05517, section 2.1, with one component.
  """
  def of(output: Array) -> tuple[Array, Array]:
    mean, log_scale = jnp.split(output, 2, -1)
    return mean, jnp.clip(log_scale, -7, math.log(WIDEST))

  def negative_log(output: Array, image: Array) -> Array:
    mean, log_scale = of(output)
    chex.assert_equal_shape([mean, image])
    inverse = jnp.exp(-log_scale)
    above = (image - mean + LEVEL / 2) * inverse
    below = (image - mean - LEVEL / 2) * inverse
    # log(F(above) - F(below)) = -softplus(-above) - softplus(below) + log(1 - e^(below - above))
    inside = (-jax.nn.softplus(-above) - jax.nn.softplus(below)
              + jnp.log(-jnp.expm1(-LEVEL * inverse)))
    darkest, brightest = image < -1 + LEVEL / 2, image > 1 - LEVEL / 2
    log_p = jnp.where(darkest, -jax.nn.softplus(-above),
                      jnp.where(brightest, -jax.nn.softplus(below), inside))
    return _over_pixels(-log_p)

  def sample(key: Array, output: Array) -> Array:
    mean, log_scale = of(output)
    x = mean + jnp.exp(log_scale) * jax.random.logistic(key, mean.shape)
    return jnp.clip(jnp.round((x + 1) / LEVEL) * LEVEL - 1, -1, 1)
  return Likelihood(negative_log, lambda output: jnp.clip(of(output)[0], -1, 1), sample, 2)


def _two_levels(images: Any) -> str:
  levels = np.unique(images)
  return '' if len(levels) > 2 else (
      f'a Gaussian of learned variance has no best fit to images of {len(levels)} grey levels '
      'alone: take a Bernoulli or a discretised-logistic likelihood')


def _over_pixels(x: Array) -> Array:
  return jnp.sum(x.reshape(len(x), -1), -1)
