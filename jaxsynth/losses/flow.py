"""What a network of a flow predicts, how one prediction becomes another, and when it learns.

On a path `x_t = alpha data + sigma noise` every usual target is `a data + b noise` with `a, b`
functions of the time, so a prediction is those two functions, and all are one another's
linear images as long as `x_t` is known.
"""
from collections.abc import Callable
import math
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.losses.paths import over, Path, rates

EDGE = 1e-3  # how near to its singular end a prediction is asked
Times = Callable[[Array], Array]  # a key to a time []


class Prediction(NamedTuple):
  """What a network says of `x_t`.

  Attributes:
    coefficients: `(path, t) -> (a, b)`, shaped as `t`; the network's target is
      `a data + b noise`.
    scale: `(path, t)` to what `x_t` is multiplied by on its way into the network.
    span: the times between which data and noise follow from it.
  """
  coefficients: Callable[[Path, Array], tuple[Array, Array]]
  scale: Callable[[Path, Array], Array] = lambda path, t: jnp.ones_like(t)
  span: tuple[float, float] = (0., 1.)


class Ends(NamedTuple):
  """Where a point comes from and where it goes, as expected at `x_t`: each `[B, ...]`."""
  data: Array
  noise: Array


# the velocity: Lipman et al. 2023, https://arxiv.org/abs/2210.02747, equation 14
VELOCITY = Prediction(rates)
# the noise: Ho et al. 2020, https://arxiv.org/abs/2006.11239, equation 14
NOISE = Prediction(lambda path, t: (jnp.zeros_like(t), jnp.ones_like(t)), span=(EDGE, 1.))
DATA = Prediction(lambda path, t: (jnp.ones_like(t), jnp.zeros_like(t)), span=(0., 1 - EDGE))


def preconditioned(data_std: float = .5) -> Prediction:
  """EDM's network, whose input and target have variance 1 at every time.

  With `D(x) = c_skip x + c_out F(c_in x)` for the data and `s` their standard deviation,

      c_in = 1 / sqrt(alpha^2 s^2 + sigma^2),  c_skip = alpha s^2 c_in^2,  c_out = sigma s c_in,

  which is table 1 of Karras et al. 2022, https://arxiv.org/abs/2206.00364, for any path. The
  target of `F` is `(data - c_skip x_t) / c_out = c_in (sigma / s data - alpha s noise)`. A
  weight of 1 on it is their `1 / c_out^2` on the data.

  Args:
    data_std: `s`, above 0, of zero-mean data.

  Raises:
    ValueError: it is not.
  """
  if not 0 < data_std < math.inf:
    raise ValueError(f'data_std={data_std}: expected a number above 0')

  def scale(path: Path, t: Array) -> Array:
    return jax.lax.rsqrt((path.alpha(t) * data_std) ** 2 + path.sigma(t) ** 2)

  def coefficients(path: Path, t: Array) -> tuple[Array, Array]:
    unit = scale(path, t)
    return unit * path.sigma(t) / data_std, -unit * path.alpha(t) * data_std
  return Prediction(coefficients, scale)


def target(path: Path, prediction: Prediction, ends: Ends, t: Array) -> Array:
  """What the network is to say: `a data + b noise`, `[B, ...]` at times `[B]` or `[]`."""
  a, b = (over(x, ends.data) for x in prediction.coefficients(path, t))
  return a * ends.data + b * ends.noise


def ends(path: Path, prediction: Prediction, x: Array, output: Array, t: Array) -> Ends:
  """Data and noise of which `x_t` and the network's output are made.

  The solution of `x = alpha data + sigma noise`, `output = a data + b noise`.

  Args:
    path: the path.
    prediction: what the output is.
    x: `[B, ...]`, on the path at `t`.
    output: `[B, ...]`.
    t: `[B]` or `[]`, within the prediction's span.

  >>> from jaxsynth.losses import paths
  >>> path, t = paths.rectified(), jnp.array(.75)
  >>> x = paths.mixed(path, jnp.array([2.]), jnp.array([-1.]), t)  # of the velocity 2 - -1
  >>> [float(y[0]) for y in ends(path, VELOCITY, x, jnp.array([3.]), t)]
  [2.0, -1.0]
  """
  alpha, sigma, a, b = (over(y, x) for y in (
      path.alpha(t), path.sigma(t), *prediction.coefficients(path, t)))
  det = a * sigma - b * alpha
  return Ends((sigma * output - b * x) / det, (a * x - alpha * output) / det)


def weight(path: Path, prediction: Prediction, measured: Prediction, t: Array) -> Array:
  """What makes a squared error of one prediction that of another: `[B]` at times `[B]`.

  An error of the output moves data by `sigma / det` and noise by `-alpha / det`, with
  `det = a sigma - b alpha`; so that of the other prediction by the ratio of their `det`.
  """
  alpha, sigma = path.alpha(t), path.sigma(t)
  det, other = (a * sigma - b * alpha for a, b in (
      p.coefficients(path, t) for p in (prediction, measured)))
  return (other / det) ** 2


def uniform() -> Times:
  """All times alike."""
  return lambda key: jax.random.uniform(key)


def logit_normal(mean: float = 0., std: float = 1.) -> Times:
  """`1 / (1 + exp(-u))`, `u` normal: more often between than at the ends.

  Esser et al. 2024, https://arxiv.org/abs/2403.03206, section 3.1; with time running as
  here, a mean above 0 is nearer to the data.

  Raises:
    ValueError: a std that is not above 0.
  """
  _check_std(std)
  return lambda key: jax.nn.sigmoid(mean + std * jax.random.normal(key))


def log_normal(mean: float = -1.2, std: float = 1.2, sigma_max: float = 80.) -> Times:
  """The times of `paths.edm` at which `log(sigma)` is normal, and sigma at most `sigma_max`.

  Karras et al. 2022, table 1.

  Raises:
    ValueError: a std that is not above 0.
  """
  _check_std(std)
  return lambda key: 1 - jnp.exp(jnp.minimum(
      mean + std * jax.random.normal(key) - math.log(sigma_max), 0.))


def _check_std(std: float) -> None:
  if not 0 < std < math.inf:
    raise ValueError(f'std={std}: expected a number above 0')
