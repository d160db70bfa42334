"""Paths from noise to data, and the direction of time: 0 is noise, 1 is data.

This file alone says so. A path is `x_t = alpha(t) data + sigma(t) noise`, noise normal of
variance 1, for t in [0, 1]; everything else follows from its functions. `sigma(1) = 0`, and
`alpha(0) = 0` or is small beside `sigma(0)`, so `x_0 = sigma(0) noise` is where samples begin.
"""
from collections.abc import Callable
import math
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp

Function = Callable[[Array], Array]


def even(steps: int) -> Array:
  """`[steps + 1]` times at equal distances, from 0 to 1."""
  return jnp.linspace(0., 1., steps + 1)


class Path(NamedTuple):
  """How data and noise are mixed at each time; functions of times of any shape.

  Attributes:
    alpha: the weight of the data, rising.
    sigma: the weight of the noise, falling.
    clock: what a network is told of the time; the time itself where nothing is said.
    times: from a number of steps to the times `[steps + 1]` between which a solver steps.
  """
  alpha: Function
  sigma: Function
  clock: Function = lambda t: t
  times: Callable[[int], Array] = even


def rectified() -> Path:
  """Straight lines: `x_t = t data + (1 - t) noise`.

  Liu et al. 2022, https://arxiv.org/abs/2209.03003; the conditional paths of Lipman et al.
  2023, https://arxiv.org/abs/2210.02747, with a smallest variance of 0.

  >>> float(rectified().alpha(jnp.array(.25))), float(rectified().sigma(jnp.array(.25)))
  (0.25, 0.75)
  """
  return Path(lambda t: t, lambda t: 1 - t)


def variance_preserving() -> Path:
  """A quarter of a circle: `alpha = sin(pi t / 2)`, `sigma = cos(pi t / 2)`.

  `alpha^2 + sigma^2 = 1`, so data of variance 1 keep it. The diffusion of Song et al. 2021,
  https://arxiv.org/abs/2011.13456, with the cosine schedule of Nichol & Dhariwal 2021,
  https://arxiv.org/abs/2102.09672, equation 17 without its offset.
  """
  # 1 - t: in float32 cos(pi / 2) is not 0
  return Path(lambda t: jnp.sin(math.pi / 2 * t), lambda t: jnp.sin(math.pi / 2 * (1 - t)))


def edm(sigma_min: float = .002, sigma_max: float = 80., rho: float = 7.) -> Path:
  """Data under noise that fades: `alpha = 1`, `sigma = sigma_max (1 - t)`.

  Steps are spaced as `((sigma_max^(1/rho) (n - 1 - k) + sigma_min^(1/rho) k) / (n - 1))^rho`,
  k = 0 ... n - 1, and end at 0; the network is told `log(sigma) / 4`. Karras et al. 2022,
  https://arxiv.org/abs/2206.00364, table 1 and equation 5.

  Args:
    sigma_min: the last noise before none.
    sigma_max: the first.
    rho: how much shorter steps are where there is little noise.

  Raises:
    ValueError: not `0 < sigma_min < sigma_max`, or a rho that is not above 0.

  >>> [round(80 * (1 - float(t)), 3) for t in edm().times(3)]
  [80.0, 2.515, 0.002, 0.0]
  """
  if not 0 < sigma_min < sigma_max < math.inf or not 0 < rho < math.inf:
    raise ValueError(f'sigma_min={sigma_min}, sigma_max={sigma_max}, rho={rho}: expected '
                     '0 < sigma_min < sigma_max and rho > 0')
  sigma = lambda t: sigma_max * (1 - t)

  def times(steps: int) -> Array:
    ramp = jnp.linspace(0., 1., max(steps, 2))[:steps]
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    noise = (high + ramp * (low - high)) ** rho
    return jnp.append(1 - noise / sigma_max, 1.).at[0].set(0.)
  return Path(jnp.ones_like, sigma, lambda t: jnp.log(jnp.maximum(sigma(t), sigma_min)) / 4,
              times)


def over(t: Array, x: Array) -> Array:
  """Times `[B]` (or `[]`) shaped to multiply `x` `[B, ...]`."""
  return t.reshape(t.shape + (1,) * (x.ndim - t.ndim)) if t.ndim else t


def mixed(path: Path, data: Array, noise: Array, t: Array) -> Array:
  """`x_t`: `[B, ...]` of data and noise `[B, ...]` at times `[B]` or `[]`."""
  return over(path.alpha(t), data) * data + over(path.sigma(t), data) * noise


def rates(path: Path, t: Array) -> tuple[Array, Array]:
  """The derivatives of alpha and sigma in time, shaped as `t`.

  >>> [float(x) for x in rates(rectified(), jnp.array(.3))]
  [1.0, -1.0]
  """
  slope = lambda f: jax.jvp(f, (t,), (jnp.ones_like(t),))[1]
  return slope(path.alpha), slope(path.sigma)


def signal_to_noise(path: Path, t: Array) -> Array:
  """`alpha^2 / sigma^2`, rising from noise to data."""
  return (path.alpha(t) / path.sigma(t)) ** 2
