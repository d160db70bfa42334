"""Gradients that hide every example: clipped one by one, summed, and with noise (DP-SGD)."""
from collections.abc import Callable, Collection, Mapping, Sequence
import math
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.privacy import package, refusals
from jaxsynth.privacy.stand_in import stand_in
from jaxsynth.train_step import joint_grad
from jaxsynth.types import Batch, Context, Metrics, Objective, PerPlayer, Player, Tree

PADDING = 'padding'  # of a batch: which of its rows are no examples
# folded into the key of a step and phase; far above what losses split or fold in
NOISE = 0x4E4F4953
STAND_IN = 0x5354414E


def private_grad(objective: Objective, players: Collection[Player], *, clip_norm: float,
                 noise_multiplier: float, batch_size: int, microbatch: int = 0,
                 multiplicity: int = 1, num_classes: int | None = None) -> Callable:
  """A `grad_fn` by which private players learn from real examples, and all others from none.

  Of the private players together, with `g_i` the gradients of their losses on example `i` alone
  (over `multiplicity` draws of the loss's noise), `C` the clip norm, `B` the expected batch size
  and `S` the noise multiplier:

      g = (sum_i g_i min(1, C / |g_i|) + S C n) / B,  n ~ N(0, I)

  Abadi et al. 2016, https://arxiv.org/abs/1607.00133, algorithm 1; for several draws De et al.
  2022, https://arxiv.org/abs/2204.13650. One example more or fewer moves the sum by `C` at
  most. Real examples are used once a phase, here, however often the loss calls a network.

  All other players (a GAN's generator) take the gradient of a batch of zeros with labels drawn
  uniformly, so that no real example reaches their gradients, nor metrics, nor variables.
  Losses of private players are not told, nor metrics that depend on examples.

  Args:
    objective: what is learned.
    players: those that are private: all whose loss sees examples.
    clip_norm: `C`, above 0.
    noise_multiplier: `S`; without noise (0) nothing is private.
    batch_size: `B`, what Poisson sampling gives on average; never how many there are, which is
      of the data. The others' stand-in has as many.
    microbatch: examples whose gradients are computed at once, to save memory; 0 for all. It
      divides the rows of a batch.
    multiplicity: draws of the loss's noise an example, averaged under one clip.
    num_classes: of the labels; `None` where there are none that the model reads.

  Returns:
    As `train_step.joint_grad`, to be given to `train_step.build`. Its batches are
    `{'padding': bool [P], ...}` of `P` rows, of which the last may be no examples:
    `data.poisson_batches`. Gradients are of the mean, as others are. The noise's key is folded
    from `ctx.key`.

  Raises:
    ValueError: numbers out of range, or a loss that couples examples; when it is traced, batch
      statistics, variables that change by the examples, a player beside the private ones that
      sees them, rows that `microbatch` does not divide, a batch without `'padding'`, or a mapped
      axis.
    ImportError: jax_privacy is not installed.

  >>> objective = Objective(
  ...     init=lambda key, batch: ({'mean': jnp.zeros(())}, {}),
  ...     loss=lambda params, variables, batch, ctx: (
  ...         {'mean': jnp.mean((batch['x'] - params['mean']) ** 2) / 2}, (variables, {})),
  ...     sample=lambda params, variables, keys, cond: params['mean'])
  >>> grad = private_grad(objective, ('mean',), clip_norm=1., noise_multiplier=0., batch_size=4)
  >>> batch = {'x': jnp.array([.5, -3., 7., 9.]), 'padding': jnp.array([False] * 3 + [True])}
  >>> grads, losses, _ = grad(objective.loss, ('mean',), {'mean': jnp.zeros(())}, {}, batch,
  ...                         Context(jnp.int32(0), jax.random.key(0)))
  >>> print(grads['mean'], losses)  # (-.5 + 1 - 1) / 4
  -0.125 {}
  """
  _check_numbers(players, clip_norm, noise_multiplier, batch_size, microbatch, multiplicity)
  refusals.check_objective(objective)
  clipping = package.load('jax_privacy.clipping')
  seen_by: dict[frozenset[Player], refusals.Reads] = {}  # once for each set that is trained

  def grad_fn(loss: Callable, trained: Sequence[Player], params: PerPlayer,
              variables: PerPlayer, batch: Batch, ctx: Context):
    examples, padding = split(batch)
    refusals.check_objective(objective, ctx.axis_name)
    refusals.check_variables(variables)
    key = frozenset(trained)
    if key not in seen_by:
      seen_by[key] = refusals.reads(loss, params, variables, examples, ctx)
    refusals.check_reads(seen_by[key], players, trained)
    private = [p for p in trained if p in players]
    others = [p for p in trained if p not in players]
    instead = stand_in(examples, batch_size, jax.random.fold_in(ctx.key, STAND_IN), num_classes)
    grads: dict[Player, Tree] = {}
    losses: dict[Player, Array] = {}
    metrics: Metrics = {}
    if others:
      grads, losses, (moved, values) = joint_grad(loss, others, params, variables, instead, ctx)
      metrics = {name: x for name, x in values.items() if name not in seen_by[key].metrics}
    else:
      moved = loss(params, variables, instead, ctx)[1][0]  # no example moves them
    if private:
      grads = {**grads, **noisy(loss, private, params, variables, examples, padding, ctx)}
    return grads, losses, (moved, metrics)

  def noisy(loss: Callable, private: Sequence[Player], params: PerPlayer, variables: PerPlayer,
            examples: Mapping[str, Array], padding: Array, ctx: Context) -> dict[Player, Tree]:
    rows = padding.shape[0]

    def of_one(example: Mapping[str, Array], index: Array) -> dict[Player, Tree]:
      draws = jax.tree.map(lambda x: jnp.repeat(x, multiplicity, axis=0), dict(example))
      here = ctx._replace(part=(index[0], rows))  # so that every example has its own keys
      return joint_grad(loss, private, params, variables, draws, here)[0]

    clipped = clipping.clipped_fun(
        of_one, batch_argnums=(0, 1), l2_clip_norm=clip_norm, normalize_by=batch_size,
        microbatch_size=microbatch or None)
    order = _order(rows, microbatch)
    summed = clipped(*jax.tree.map(lambda x: x[order], (dict(examples), jnp.arange(rows))),
                     is_padding_example=padding[order])
    return add_noise(summed, noise_multiplier * sensitivity(clipped),
                     jax.random.fold_in(ctx.key, NOISE))

  return grad_fn


def split(batch: Batch) -> tuple[dict[str, Array], Array]:
  """A batch's examples, and which of its rows are none.

  Raises:
    ValueError: it does not say which.
  """
  if not isinstance(batch, Mapping) or PADDING not in batch:
    raise ValueError(f"a private step takes a batch with {PADDING!r} [B], bool, got "
                     f'{sorted(batch) if isinstance(batch, Mapping) else type(batch).__name__}; '
                     'data.poisson_batches makes such')
  return {name: x for name, x in batch.items() if name != PADDING}, batch[PADDING]


def sensitivity(clipped: Any) -> float:
  """How far one example more or fewer moves what a clipped function gives, its scale included."""
  relation = package.load('dp_accounting').NeighboringRelation.ADD_OR_REMOVE_ONE
  return clipped.sensitivity(relation)


def add_noise(tree: Tree, stddev: float, key: Array) -> Tree:
  """A tree with normal noise on every number, of a key that is used once."""
  noise = package.load('jax_privacy.noise_addition').gaussian_privatizer(
      stddev=stddev, prng_key=key)
  return noise.update(tree, noise.init(tree))[0]


def _order(rows: int, microbatch: int) -> Any:
  """In which order rows are given so that the last, of padding alone, are not computed."""
  if not microbatch:
    return slice(None)
  if rows % microbatch:
    raise ValueError(f'a batch of {rows} rows in microbatches of {microbatch}: expected a '
                     f'multiple of {microbatch}')
  return package.load('jax_privacy.sharding_utils').compute_early_stopping_order(rows, microbatch)


def _check_numbers(players: Collection[Player], clip_norm: float, noise_multiplier: float,
                   batch_size: int, microbatch: int, multiplicity: int) -> None:
  if not players or isinstance(players, str):
    raise ValueError(f'players={players!r}: expected the names of one or more')
  for name, value, fits, expected in (
      ('clip_norm', clip_norm, 0 < clip_norm < math.inf, 'a number above 0'),
      ('noise_multiplier', noise_multiplier, 0 <= noise_multiplier < math.inf, 'at least 0'),
      ('batch_size', batch_size, batch_size >= 1, 'at least 1'),
      ('microbatch', microbatch, microbatch >= 0, 'at least 0'),
      ('multiplicity', multiplicity, multiplicity >= 1, 'at least 1')):
    if not fits:
      raise ValueError(f'{name}={value}: expected {expected}')
