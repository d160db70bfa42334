"""Series as an objective sees them whose every motion has the same size: white ones."""
from collections.abc import Mapping, Sequence
import math

import jax
from jax import Array
from jax.scipy.linalg import solve_triangular
import jax.numpy as jnp
import numpy as np

from jaxsynth import conditions
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Player

NAME = 'whitening'
FLOOR = 3e-6  # times the columns: of a variance, as a share of its column's at that frequency
LEAST = 1e-4  # deviation of a motion that is told from rounding
FARTHEST = 30.  # deviations at which white series are cropped
EXACT = jax.lax.Precision.HIGHEST


def whitened(inner: Objective, shape: Sequence[int], player: Player = 'flow', steps: int = 500
             ) -> Objective:
  """Lets an objective learn series after a linear map that makes them white.

  A series moves far slowly and little fast, and columns such as the prices of a day move nearly as
  one; what tells real series from synthetic ones is small beside the level. So the map takes a
  series to its motions, one a frequency (the cosine transform over time), and those of all columns
  at a frequency to what has mean 0 and covariance I:

      white = B^T L_k^-1 (B x - mean)_k,      L_k L_k^T = covariance of (B x)_k,

  with B the orthonormal basis and L_k lower triangular, so that a column says what those before it
  do not. Of a series whose statistics do not change over time nearly all correlations go so. Noise
  of a flow over white series is, of the series themselves, noise with the data's covariance, as in
  Lee et al. 2022, PriorGrad, https://arxiv.org/abs/2106.06406.

  Means and covariances are those of the batches of the first `steps` steps, and then stay. A step
  learns from what was known before it, so that the loss of a batch is the mean of its parts'.

  Args:
    inner: of arrays of this shape. Its samples must not be cropped to [-1, 1]: white series lie in
      [-FARTHEST, FARTHEST], mostly within 5.
    shape: `(T, C)`; of other arrays what is not their first axis counts as columns.
    player: whose variables keep what is known.
    steps: from whose batches the map is found.

  Returns:
    An `Objective` of series in [-1, 1], whose samples are cropped to that. Its player's variables
    have `'whitening'` besides: the mean `[T, C]` and the covariances `[T, C, C]`.

  >>> from jaxsynth.models.time_mlp import TimeMLP
  >>> from jaxsynth.objectives.flow_matching import flow_matching
  >>> objective = whitened(flow_matching(TimeMLP(8, 1), (6, 2), crop=FARTHEST), (6, 2))
  >>> state = objective.init(jax.random.key(0), {'series': jnp.zeros((3, 6, 2))})
  >>> objective.sample(*state, jax.random.split(jax.random.key(1), 4), None).shape
  (4, 6, 2)
  """
  length, columns = shape[0], math.prod(shape[1:])

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    params, variables = inner.init(key, batch)
    begin = {'mean': jnp.zeros((length, columns)),
             'covariance': jnp.tile(jnp.eye(columns)[None], (length, 1, 1))}
    return params, _with_known(variables, player, begin)

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    name, (known, rest) = conditions.learned_name(batch), _parted(variables, player)
    x = batch[name]
    losses, (after, metrics) = inner.loss(params, rest, {**batch, name: to_white(known, x)}, ctx)
    known = updated(known, to_motions(x), ctx.step, steps)
    return losses, (_with_known(after, player, known), metrics)

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array, cond: Array | None = None
             ) -> Array:
    known, rest = _parted(variables, player)
    return jnp.clip(from_white(known, inner.sample(params, rest, keys, cond)), -1, 1)

  return Objective(init, loss, sample, inner.coupled)


def _with_known(variables: PerPlayer, player: Player, known: Mapping[str, Array]) -> PerPlayer:
  """Variables with means and covariances beside the player's own, with which they are averaged."""
  return {**variables, player: {**variables[player], NAME: dict(known)}}


def _parted(variables: PerPlayer, player: Player) -> tuple[Mapping[str, Array], PerPlayer]:
  """Means and covariances, and the variables without them."""
  known = variables[player][NAME]
  rest = {name: x for name, x in variables[player].items() if name != NAME}
  return known, {**variables, player: rest}


def updated(known: Mapping[str, Array], motions: Array, step: Array, steps: int
            ) -> dict[str, Array]:
  """Averages over the batches so far; deviations are from the mean that was known before.

  So they are averages over examples, however a batch is divided. The first batch has no mean to
  deviate from, and its covariance is forgotten with the second.
  """
  here = motions - known['mean'][None]
  covariance = jnp.einsum('btc,btd->tcd', here, here, precision=EXACT) / len(motions)
  n = step.astype(jnp.float32)
  rate = jnp.where(step < steps, 1 / jnp.maximum(n, 1), 0)
  return {'mean': known['mean'] + jnp.where(step < steps, 1 / (n + 1), 0) * jnp.mean(here, 0),
          'covariance': (1 - rate) * known['covariance'] + rate * covariance}


def to_white(known: Mapping[str, Array], x: Array) -> Array:
  """`[B, T, C]` in [-1, 1] to white series, cropped at `FARTHEST`."""
  size, factor = _factors(known)
  centred = (to_motions(x) - known['mean'][None]) / size[None]
  solved = solve_triangular(factor, jnp.moveaxis(centred, 0, -1), lower=True)
  white = from_motions(jnp.moveaxis(solved, -1, 0), x.shape)
  return jnp.clip(white, -FARTHEST, FARTHEST)


def from_white(known: Mapping[str, Array], white: Array) -> Array:
  """Back again, but for what was cropped."""
  size, factor = _factors(known)
  moved = jnp.einsum('tcd,btd->btc', factor, to_motions(white), precision=EXACT)
  return from_motions(moved * size[None] + known['mean'][None], white.shape)


def _factors(known: Mapping[str, Array]) -> tuple[Array, Array]:
  """Deviations `[T, C]`, and the triangular factor `[T, C, C]` of the correlations."""
  covariance = known['covariance']
  identity = jnp.eye(covariance.shape[-1])[None]
  size = jnp.maximum(jnp.sqrt(jnp.sum(covariance * identity, 2)), LEAST)  # of the diagonal
  floor = FLOOR * size.shape[1]  # else two equal columns would have no factor
  correlation = covariance / (size[:, :, None] * size[:, None, :])
  return size, jnp.linalg.cholesky((1 - floor) * correlation + floor * identity)


def to_motions(x: Array) -> Array:
  """`[B, T, ...] -> [B, T, C]`: at each frequency, the slowest first, how far columns move."""
  rows = x.reshape(*x.shape[:2], -1)
  level = jnp.mean(rows, 1, keepdims=True)  # apart, so that rounding is that of what moves
  moving = jnp.einsum('kt,btc->bkc', basis(x.shape[1])[1:], rows - level, precision=EXACT)
  return jnp.concatenate([math.sqrt(x.shape[1]) * level, moving], 1)


def from_motions(motions: Array, shape: Sequence[int]) -> Array:
  """Back again, as an array of this shape."""
  return jnp.einsum('kt,bkc->btc', basis(shape[1]), motions, precision=EXACT).reshape(shape)


def basis(length: int) -> np.ndarray:
  """The orthonormal cosine transform (type II), `[T, T]`: a row a frequency.

  >>> bool(np.allclose(basis(5) @ basis(5).T, np.eye(5), atol=1e-6))
  True
  """
  frequency, step = np.arange(length)[:, None], np.arange(length)[None]
  waves = np.sqrt(2 / length) * np.cos(np.pi * frequency * (2 * step + 1) / (2 * length))
  waves[0] = np.sqrt(1 / length)
  return waves.astype(np.float32)
