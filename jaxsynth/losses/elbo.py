"""Bounds of log p(x) from below, of draws from an approximate posterior.

With `z_k ~ q(z | x)` the weights are `w_k = p(x | z_k) p(z_k) / q(z_k | x)`. The evidence
lower bound is the mean of `log w_k`, the importance-weighted bound the logarithm of the mean
of `w_k`: it is at least as high, and rises to log p(x) with the number of draws.
"""
import math
from typing import Literal, NamedTuple

import chex
import jax
from jax import Array, lax
import jax.numpy as jnp

Gradient = Literal['total', 'path', 'doubly']


class Bound(NamedTuple):
  """Which bound is climbed, and by which estimate of its gradient.

  Attributes:
    samples: draws `K` an example.
    weighted: the importance-weighted bound, of Burda et al. 2016,
      https://arxiv.org/abs/1509.00519; otherwise the evidence lower bound.
    exact: the divergence of the evidence lower bound in closed form, where the prior is the
      standard normal; otherwise of the draws.
    gradient: `'total'` is that of the estimate itself. `'path'` leaves out the score of
      `q(z | x)` at fixed z, whose mean is zero for the evidence lower bound (sticking the
      landing: Roeder et al. 2017, https://arxiv.org/abs/1703.09194). `'doubly'` has the right
      mean for the weighted bound, with `w_k^2` for `w_k` (DReG: Tucker et al. 2019,
      https://arxiv.org/abs/1810.04152).
    beta: weight of the divergence, or of `log p(z) - log q(z | x)`; 1 is the bound itself.
    warm_up: steps over which the weight rises from 0 to beta; 0 for none.
    free_bits: nats a latent below which its divergence, the mean over the batch, is not
      pressed (Kingma et al. 2016, https://arxiv.org/abs/1606.04934, appendix C.8).
  """
  samples: int = 1
  weighted: bool = False
  exact: bool = True
  gradient: Gradient = 'total'
  beta: float = 1.
  warm_up: int = 0
  free_bits: float = 0.

  def checked(self) -> 'Bound':
    """The bound itself, if it is one.

    Raises:
      ValueError: no draws, a weight that is not above 0, or parts that do not go together.

    >>> Bound(samples=0).checked()
    Traceback (most recent call last):
    ValueError: samples=0: expected at least one draw of the latent an example
    """
    if self.samples < 1:
      raise ValueError(f'samples={self.samples}: expected at least one draw of the latent an '
                       'example')
    if not 0 < self.beta < math.inf:
      raise ValueError(f'beta={self.beta}: expected a number above 0')
    if self.warm_up < 0:
      raise ValueError(f'warm_up={self.warm_up}: expected steps, at least 0')
    if not 0 <= self.free_bits < math.inf:
      raise ValueError(f'free_bits={self.free_bits}: expected nats a latent, at least 0')
    if self.weighted and (self.exact or self.free_bits):
      raise ValueError('the importance-weighted bound has no divergence of its own: expected '
                       f'exact=False and free_bits=0, got {self.exact} and {self.free_bits}')
    if self.free_bits and not self.exact:
      raise ValueError(f'free_bits={self.free_bits} are of the exact divergence of each latent, '
                       'which needs a standard normal prior: expected exact=True')
    if self.exact and self.gradient != 'total':
      raise ValueError(f'gradient={self.gradient!r} is of a divergence of draws: expected '
                       'exact=False')
    if self.gradient == 'doubly' and not self.weighted:
      raise ValueError("gradient='doubly' is of the importance-weighted bound: expected "
                       "weighted=True; of the evidence lower bound 'path' is the same")
    return self

  def weight(self, step: Array) -> Array | float:
    """Of the divergence at a step `[]`.

    >>> float(Bound(beta=2., warm_up=4).weight(jnp.int32(1)))
    1.0
    """
    if not self.warm_up:
      return self.beta
    return self.beta * jnp.minimum((step + 1.) / self.warm_up, 1.)


def log_normal(z: Array, mean: Array, log_variance: Array) -> Array:
  """`log N(z; mean, variance)`, the latents independent.

  Args:
    z: `[..., D]`.
    mean: of as many axes, or `[]`.
    log_variance: likewise.

  Returns:
    `[...]`, nats.

  >>> import jax.numpy as jnp
  >>> round(float(log_normal(jnp.zeros(2), jnp.zeros(2), jnp.zeros(2))), 4)
  -1.8379
  """
  return -.5 * jnp.sum((z - mean) ** 2 * jnp.exp(-log_variance) + log_variance
                       + math.log(2 * math.pi), -1)


def kl_of_latents(mean: Array, log_variance: Array) -> Array:
  """`KL(N(mean, variance) || N(0, 1))` of each latent: `[B, D]`, nats, at least 0."""
  chex.assert_equal_shape([mean, log_variance])
  return .5 * (mean ** 2 + jnp.exp(log_variance) - 1 - log_variance)


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


def with_free_bits(kl: Array, free: float, axis_name: str | None = None) -> Array:
  """`sum_j max(free, mean_B kl_j)`: what is pressed of the divergence.

  Args:
    kl: of each latent, `[B, D]`.
    free: nats a latent.
    axis_name: the mapped axis that shares the batch, or `None`.

  Returns:
    `[]`, nats.

  >>> import jax.numpy as jnp
  >>> float(with_free_bits(jnp.array([[.1, 3.], [.3, 1.]]), .5))
  2.5
  """
  mean = jnp.mean(kl, 0)
  if axis_name is not None:
    mean = lax.pmean(mean, axis_name)
  return jnp.sum(jnp.maximum(mean, free))


def importance_weighted(log_weights: Array) -> Array:
  """`log 1/K sum_k w_k`, by which no weight overflows.

  Args:
    log_weights: `[K, ...]`.

  Returns:
    `[...]`, nats; NaN where a weight is.

  >>> import jax.numpy as jnp
  >>> round(float(importance_weighted(jnp.log(jnp.array([1., 3.]) )+ 1e3)), 4)
  1000.6931
  """
  return jax.nn.logsumexp(log_weights, 0) - math.log(len(log_weights))


@jax.custom_vjp
def reweighted(z: Array) -> tuple[Array, Array]:
  """`z` with marks: the gradient of `z_k` is scaled by the share of k in that of its marks.

  Args:
    z: `[K, ...]`.

  Returns:
    `z`, and marks of ones `[K, ...]` without z's last axis, that `doubly_reparametrised` takes.
  """
  return z, jnp.ones(z.shape[:-1], z.dtype)


def _scaled(_: None, gradients: tuple[Array, Array]) -> tuple[Array]:
  of_z, of_marks = gradients
  whole = jnp.sum(of_marks, 0, keepdims=True)  # the bound's, since the weights sum to 1
  share = of_marks / jnp.where(whole == 0, 1, whole)
  return (of_z * share[..., None],)


reweighted.defvjp(lambda z: (reweighted(z), None), _scaled)


def doubly_reparametrised(log_weights: Array, marks: Array) -> Array:
  """The importance-weighted bound with the doubly reparametrised gradient.

  With `v_k` the normalised weights, decoder and prior move by `sum_k v_k grad log w_k`, and
  the encoder, through z alone, by `sum_k v_k^2 (d log w_k / d z_k) grad z_k`.

  Args:
    log_weights: `[K, ...]`, of latents that have passed `reweighted`, and of `q(z | x)` whose
      own parameters are held fixed.
    marks: `[K, ...]`, that `reweighted` gave.

  Returns:
    `[...]`, nats.

  Tucker et al. 2019, https://arxiv.org/abs/1810.04152, equation 8.
  """
  shares = lax.stop_gradient(jax.nn.softmax(log_weights, 0))
  marked = jnp.sum(shares * (marks - lax.stop_gradient(marks)), 0)
  return importance_weighted(log_weights) + marked
