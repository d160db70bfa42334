"""From noise to data along a path, in steps: what one step is, and the scan over them.

A field is what a model expects of a point: `(x [n, ...], t []) -> Ends`, the data and the noise
that it is made of. `alpha' data + sigma' noise` is its velocity, and

    dx / dt = velocity(x, t)

takes noise to data with the model's marginals at every time (Song et al. 2021,
https://arxiv.org/abs/2011.13456, section 4.3). The steps are a loop of XLA's on CPU too: unlike
training's, the convolutions of a network that is only evaluated are as fast in it (jaxlib 0.10.2),
and it compiles as fast for a hundred steps as for one.
"""
from collections.abc import Callable

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.losses.flow import Ends
from jaxsynth.losses.paths import Path, rates

Field = Callable[[Array, Array], Ends]
# (field, path, x [n, ...] at t, one key an example, t [], s []) -> x at s
Step = Callable[[Field, Path, Array, Array, Array, Array], Array]


def velocity(field: Field, path: Path, x: Array, t: Array) -> Array:
  """Where the points `x` `[n, ...]` move at the time `t` `[]`."""
  ends, (alpha, sigma) = field(x, t), rates(path, t)
  return alpha * ends.data + sigma * ends.noise


def euler(field: Field, path: Path, x: Array, keys: Array, t: Array, s: Array) -> Array:
  """`x + (s - t) v(x, t)`: of first order, one evaluation."""
  return x + (s - t) * velocity(field, path, x, t)


def heun(field: Field, path: Path, x: Array, keys: Array, t: Array, s: Array) -> Array:
  """The mean of the velocities at both ends: of second order, two evaluations.

  The step that ends without noise is Euler's, one evaluation: there the noise that a point came
  with cannot be seen any more, and a mean with that velocity would leave a part of it as grain.

  Karras et al. 2022, https://arxiv.org/abs/2206.00364, algorithm 1.
  """
  first = velocity(field, path, x, t)
  there = x + (s - t) * first

  def corrected() -> Array:
    return x + (s - t) * (first + velocity(field, path, there, s)) / 2
  return jax.lax.cond(path.sigma(s) > 0, corrected, lambda: there)


def ancestral(eta: float = 1.) -> Step:
  """A draw from what the expected ends say of `x_s`, of first order, one evaluation.

      x_s = alpha_s data + sqrt(sigma_s^2 - v) noise + sqrt(v) fresh,
      v = eta^2 sigma_s^2 (1 - alpha_t^2 sigma_s^2 / (alpha_s^2 sigma_t^2)).

  With `eta` 1 it is the ancestral sampler of Ho et al. 2020, https://arxiv.org/abs/2006.11239,
  with 0 that of DDIM, Song et al. 2021, https://arxiv.org/abs/2010.02502, equations 12 and 16.

  Args:
    eta: share of fresh noise, in [0, 1].

  Raises:
    ValueError: it is not.
  """
  if not 0 <= eta <= 1:
    raise ValueError(f'eta={eta}: expected a number in [0, 1]')

  def step(field: Field, path: Path, x: Array, keys: Array, t: Array, s: Array) -> Array:
    ends = field(x, t)
    forward = (path.alpha(t) * path.sigma(s) / (path.alpha(s) * path.sigma(t))) ** 2
    fresh = (eta * path.sigma(s)) ** 2 * jnp.maximum(1 - forward, 0)
    x = path.alpha(s) * ends.data + jnp.sqrt(
        jnp.maximum(path.sigma(s) ** 2 - fresh, 0)) * ends.noise
    if not eta:
      return x
    return x + jnp.sqrt(fresh) * jax.vmap(lambda key: jax.random.normal(key, x.shape[1:]))(keys)
  return step


def solved(step: Step, field: Field, path: Path, x: Array, keys: Array, times: Array
           ) -> tuple[Array, Array]:
  """Follows points through all times.

  Args:
    step: `euler`, `heun`, `ancestral(...)` or another.
    field: the model's.
    path: the field's.
    x: `[n, ...]`, at the first time.
    keys: `[n]`, for steps that draw.
    times: `[K + 1]`, K at least 1.

  Returns:
    The points at the last time, and at all times `[K + 1, n, ...]`.

  >>> from jaxsynth.losses import paths
  >>> path, keys = paths.rectified(), jax.random.split(jax.random.key(0), 1)
  >>> x, every = solved(euler, lambda x, t: Ends(jnp.zeros_like(x), x / (1 - t)), path,
  ...                   jnp.ones((1, 2)), keys, path.times(4))
  >>> every[:, 0, 0].tolist()
  [1.0, 0.75, 0.5, 0.25, 0.0]
  """
  def body(x: Array, at: tuple[Array, Array, Array]) -> tuple[Array, Array]:
    t, s, k = at
    x = step(field, path, x, jax.vmap(jax.random.fold_in, (0, None))(keys, k), t, s)
    return x, x
  last, every = jax.lax.scan(body, x, (times[:-1], times[1:], jnp.arange(len(times) - 1)))
  return last, jnp.concatenate([x[None], every])
