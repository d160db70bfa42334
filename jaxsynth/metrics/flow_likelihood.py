"""The exact likelihood of a flow: what its velocity does to volumes."""
from collections.abc import Callable
import math

import jax
from jax import Array
import jax.numpy as jnp

Velocity = Callable[[Array, Array], Array]  # x [n, ...], t [] -> [n, ...]


def log_likelihood(velocity: Velocity, points: Array, times: Array, *, std: float = 1.) -> Array:
  """`log p(points)` of the flow that begins as a normal, by the change of variables.

  Along `dx / dt = v(x, t)` densities change as `d log p / dt = -trace(dv / dx)`, so

      log p_1(x_1) = log N(x_0; 0, std^2) - integral_0^1 trace(dv / dx) dt,

  with `x_0` found by following `x_1` backwards. The trace is exact, of a Jacobian with as many
  rows as a point has numbers: for points in the plane, not for images. Steps are those of
  Runge and Kutta of fourth order.

  Args:
    velocity: of the points, each moving by itself; `solvers.velocity` of a model's field.
    points: `[n, ...]`, data.
    times: `[K + 1]`, rising from 0, where the noise is, to 1, as `Path.times`.
    std: of the noise, the path's `sigma(0)`.

  Returns:
    `[n]`, nats.

  Raises:
    ValueError: fewer than two times, or a std that is not above 0.

  >>> shift = lambda x, t: jnp.full_like(x, 3.)  # noise, moved by 3: data N(3, 1)
  >>> round(float(log_likelihood(shift, jnp.array([[3.]]), jnp.linspace(0., 1., 5))[0]), 4)
  -0.9189

  Chen et al. 2018, https://arxiv.org/abs/1806.07366, theorem 1; for diffusion Song et al. 2021,
  https://arxiv.org/abs/2011.13456, equation 39.
  """
  if times.ndim != 1 or len(times) < 2:
    raise ValueError(f'times: shape {list(times.shape)}, expected at least two')
  if not 0 < std < math.inf:
    raise ValueError(f'std={std}: expected a number above 0')
  flat = points.reshape(len(points), -1)

  def of_point(x: Array, t: Array) -> Array:
    return velocity(x.reshape(1, *points.shape[1:]), t).reshape(-1)

  def rate(x: Array, t: Array) -> tuple[Array, Array]:
    # backwards, as convolutions here have no forward derivative
    trace = jax.vmap(lambda x: jnp.trace(jax.jacrev(of_point)(x, t)))(x)
    return velocity(x.reshape(points.shape), t).reshape(x.shape), trace

  def step(state: tuple[Array, Array], at: tuple[Array, Array]):
    (x, total), (t, s) = state, at
    h = s - t
    v1, d1 = rate(x, t)
    v2, d2 = rate(x + h / 2 * v1, t + h / 2)
    v3, d3 = rate(x + h / 2 * v2, t + h / 2)
    v4, d4 = rate(x + h * v3, s)
    mean = lambda a, b, c, d: h / 6 * (a + 2 * b + 2 * c + d)
    return (x + mean(v1, v2, v3, v4), total + mean(d1, d2, d3, d4)), None

  back = times[::-1]
  (x, total), _ = jax.lax.scan(step, (flat, jnp.zeros(len(flat))), (back[:-1], back[1:]))
  normal = -.5 * jnp.sum((x / std) ** 2, -1) - x.shape[1] * (
      .5 * math.log(2 * math.pi) + math.log(std))
  return normal + total  # of an integral from 1 to 0
