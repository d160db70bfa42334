"""Series of prices from four processes: geometric Brownian motion, GARCH, Heston, jumps."""
from collections.abc import Callable
import dataclasses
import math

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.rules import spec as spec_
from jaxsynth.rules.distributions import Choice, Uniform
from jaxsynth.rules.rule import Rule

PROCESSES = ('brownian', 'garch', 'heston', 'jumps')
MOST_JUMPS = 8  # in a step


@dataclasses.dataclass(frozen=True)
class Prices:
  """Which processes, and their parameters; years and days are those of trading.

  Raises:
    ValueError: a field out of its bounds, a GARCH without a finite variance, or more jumps in a
      step than are drawn.
  """
  length: int = spec_.field(252, 'of a series', 'steps', 2, 1 << 20)
  steps_per_year: int = spec_.field(252, 'of the series', '', 1, 1 << 20)
  process: Choice = spec_.field(Choice(PROCESSES), 'which; also the classes', names=PROCESSES)
  start: Uniform = spec_.field(Uniform(100., 100.), 'the first price', '', 1e-3, 1e6)
  drift: Uniform = spec_.field(Uniform(.05, .05), 'of the mean price', 'a year', -2, 2)
  volatility: Uniform = spec_.field(Uniform(.1, .3), 'of log-returns, without jumps, in the long '
                                    'run', 'a square root of a year', 1e-3, 3)
  alpha: Uniform = spec_.field(Uniform(.06, .06), 'of GARCH: of the last squared return', '', 0, 1)
  beta: Uniform = spec_.field(Uniform(.9, .9), 'of GARCH: of the last variance', '', 0, 1)
  asymmetry: Uniform = spec_.field(Uniform(0., 0.), 'of GARCH: added to alpha after a fall', '',
                                   0, 1)
  reversion: Uniform = spec_.field(Uniform(5., 5.), 'of the variance, of Heston', 'a year', .01,
                                   100)
  variation: Uniform = spec_.field(Uniform(.5, .5), 'of the variance, of Heston',
                                   'a square root of a year', 0, 5)
  correlation: Uniform = spec_.field(Uniform(-.7, -.7), 'of returns and changes of the variance, '
                                     'of Heston', '', -1, 1)
  substeps: int = spec_.field(4, 'of a step, of Heston', '', 1, 100)
  jumps: Uniform = spec_.field(Uniform(12., 12.), 'how often', 'a year', 0, 1000)
  jump_mean: Uniform = spec_.field(Uniform(-.02, -.02), 'of the logarithm', '', -1, 1)
  jump_std: Uniform = spec_.field(Uniform(.03, .03), 'of the logarithm', '', 0, 1)

  def __post_init__(self) -> None:
    spec_.check(self)
    if self.alpha.high + self.asymmetry.high / 2 + self.beta.high >= 1:
      raise ValueError(f'alpha={list(self.alpha)}: expected alpha + asymmetry / 2 + beta below 1, '
                       'or the variance has no mean')
    if self.jumps.high / self.steps_per_year > 1:
      raise ValueError(f'jumps={list(self.jumps)}: expected at most {self.steps_per_year}, one a '
                       'step')


def prices(spec: Prices = Prices()) -> Rule:
  """The rule that draws them; the label is the process.

  An example, with `T` the length:

      series      [T, 1] float32, prices
      returns     [T - 1, 1], their log-returns
      volatility  [T - 1, 1], standard deviation of each, that of a jump included in none
      label       [] int32

  With `r` a log-return over `dt` years, `e` normal and `m = drift - volatility^2 / 2`:

      brownian  r = m dt + volatility sqrt(dt) e
      garch     r = m dt + s e, and then
                s^2 = omega + (alpha + asymmetry [e < 0]) (s e)^2 + beta s^2
      heston    dr = (drift - v / 2) dt + sqrt(v) dW, dv = reversion (volatility^2 - v) dt +
                variation sqrt(v) dZ, dW dZ = correlation dt; Euler's scheme, `v` cut at 0
      jumps     as brownian, with a Poisson number of normal jumps added

  Bollerslev 1986 and Glosten et al. 1993; Heston 1993 by Lord et al. 2010; Merton 1976. Variances
  begin where they are in the long run; Heston's is drawn from its gamma distribution.

  Args:
    spec: what is drawn.

  >>> example = prices(Prices(length=5)).draw(jax.random.key(0), jnp.int32(0))
  >>> example['series'].shape, example['returns'].shape, float(example['series'][0, 0])
  ((5, 1), (4, 1), 100.0)
  """
  return Rule(spec, lambda key, label: _draw(spec, key, label), spec.process.names,
              spec.process.shares)


def _draw(spec: Prices, key: Array, label: Array) -> dict[str, Array]:
  key_start, key_drift, key_volatility, key_process = jax.random.split(key, 4)
  drift, volatility = spec.drift.draw(key_drift), spec.volatility.draw(key_volatility)
  walks = [_PROCESSES[name](spec, key_process, drift, volatility) for name in spec.process.names]
  returns, deviations = (jnp.stack(x)[label] for x in zip(*walks))
  start = spec.start.draw(key_start)
  log_price = jnp.concatenate([jnp.zeros(1), jnp.cumsum(returns)])
  return {'series': (start * jnp.exp(log_price))[:, None], 'returns': returns[:, None],
          'volatility': deviations[:, None], 'label': jnp.int32(label)}


def _brownian(spec: Prices, key: Array, drift: Array, volatility: Array) -> tuple[Array, Array]:
  dt = 1 / spec.steps_per_year
  noise = jax.random.normal(key, (spec.length - 1,))
  deviation = volatility * math.sqrt(dt)
  return ((drift - volatility ** 2 / 2) * dt + deviation * noise,
          jnp.broadcast_to(deviation, noise.shape))


def _garch(spec: Prices, key: Array, drift: Array, volatility: Array) -> tuple[Array, Array]:
  keys = jax.random.split(key, 4)
  alpha, beta, extra = (x.draw(k) for x, k in zip((spec.alpha, spec.beta, spec.asymmetry), keys))
  dt = 1 / spec.steps_per_year
  whole = volatility ** 2 * dt
  omega = whole * (1 - alpha - extra / 2 - beta)

  def move(variance: Array, noise: Array) -> tuple[Array, tuple[Array, Array]]:
    shock = jnp.sqrt(variance) * noise
    after = omega + (alpha + extra * (noise < 0)) * shock ** 2 + beta * variance
    return after, (shock, jnp.sqrt(variance))
  _, (shocks, deviations) = lax.scan(move, whole, jax.random.normal(keys[3], (spec.length - 1,)))
  return (drift - volatility ** 2 / 2) * dt + shocks, deviations


def _heston(spec: Prices, key: Array, drift: Array, volatility: Array) -> tuple[Array, Array]:
  keys = jax.random.split(key, 5)
  kappa, xi, rho = (x.draw(k) for x, k in zip(
      (spec.reversion, spec.variation, spec.correlation), keys))
  mean, dt = volatility ** 2, 1 / spec.steps_per_year / spec.substeps
  # the long run: gamma of mean volatility^2 and variance mean xi^2 / (2 kappa)
  scale = jnp.maximum(xi, 1e-3) ** 2 / (2 * kappa)
  first = jnp.where(xi > 1e-3, scale * jax.random.gamma(keys[3], mean / scale), mean)

  def move(variance: Array, noise: Array) -> tuple[Array, tuple[Array, Array]]:
    def part(state: tuple[Array, Array], e: Array) -> tuple[tuple[Array, Array], Array]:
      v, r = state
      there = jnp.maximum(v, 0)
      dw = jnp.sqrt(dt) * e[0]
      dz = rho * dw + jnp.sqrt((1 - rho ** 2) * dt) * e[1]
      return (v + kappa * (mean - there) * dt + xi * jnp.sqrt(there) * dz,
              r + (drift - there / 2) * dt + jnp.sqrt(there) * dw), there
    (after, r), seen = lax.scan(part, (variance, jnp.zeros(())), noise)
    return after, (r, jnp.sqrt(seen.sum() * dt))
  noise = jax.random.normal(keys[4], (spec.length - 1, spec.substeps, 2))
  return lax.scan(move, first, noise)[1]


def _jumps(spec: Prices, key: Array, drift: Array, volatility: Array) -> tuple[Array, Array]:
  keys = jax.random.split(key, 6)
  often, mean, std = (x.draw(k) for x, k in zip((spec.jumps, spec.jump_mean, spec.jump_std), keys))
  rate = often / spec.steps_per_year
  smooth, deviation = _brownian(spec, keys[3], drift, volatility)
  # how many: the smallest n whose probability, summed from 0, is above u
  n = jnp.arange(MOST_JUMPS)
  below = jnp.cumsum(jnp.exp(n * jnp.log(jnp.maximum(rate, 1e-20)) - rate - lax.lgamma(n + 1.)))
  u = jax.random.uniform(keys[4], smooth.shape)
  many = jnp.sum(u[:, None] >= below[None], -1).astype(jnp.float32)
  sizes = many * mean + jnp.sqrt(many) * std * jax.random.normal(keys[5], smooth.shape)
  # so that the mean price grows by the drift, jumps included
  pull = often * (jnp.exp(mean + std ** 2 / 2) - 1) / spec.steps_per_year
  return smooth - pull + sizes, deviation


_PROCESSES: dict[str, Callable[[Prices, Array, Array, Array], tuple[Array, Array]]] = {
    'brownian': _brownian, 'garch': _garch, 'heston': _heston, 'jumps': _jumps}
