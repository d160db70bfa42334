"""A mixture of products by its likelihood: one player, exact, without latents to infer."""
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.types import Batch, Context, Objective, PerPlayer


def table_mixture(model: Any, draw: Any, *, hidden: float = 0.) -> Objective:
  """Binds a mixture into an objective.

  The player `mixture` descends the mean over the batch of

      -log p(x, y) = -log sum_k w_k p_k(y) prod_j p_kj(x_j),

  in nats. Batches are `{'row': [B, C]}` as a model sees them, with `'label': [B]` integers if
  conditional: the joint is learned, of which `p(x | y)` is drawn exactly.

  Values that are hidden in training are left out of the product, which is then that of the others'
  own distribution: components are learned that no single column decides between.

  Args:
    model: `models.row_mixture.RowMixture`, or what has its `init`, `log_likelihood` and
      `num_classes`.
    draw: `(model, params, keys, labels) -> [n, C]`, `models.row_draws.draw`.
    hidden: share of the values of each row that are, in training, in [0, 1); which ones is a
      function of (key, index in the whole batch).

  Returns:
    An `Objective`. `sample`'s `cond` is labels `[n]` if conditional; it raises `ValueError` if
    they are missing or not wanted, and `init` if the batch lacks them.

  Raises:
    ValueError: a share out of range.

  Gens & Domingos 2013's product and sum nodes, in one layer each; anchors of the same model are
  the shallow mixtures of https://arxiv.org/abs/2603.23016.
  """
  if not 0 <= hidden < 1:
    raise ValueError(f'hidden={hidden}: expected a share in [0, 1)')
  conditional = model.num_classes is not None

  def labels_of(batch: Batch) -> tuple[Array, ...]:
    return conditions.of_batch(batch, 'a mixture given the label', conditional)

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    labels_of(batch)
    return {'mixture': model.init(key)}, {'mixture': {}, 'shared': {}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    rows, labels, known = conditions.learned(batch), labels_of(batch), None
    if hidden and ctx.train:
      keys = keys_.per_example(ctx.key, len(rows), ctx)
      known = jax.vmap(lambda key: jax.random.uniform(key, rows.shape[1:]) >= hidden)(keys)
    each = model.log_likelihood(params['mixture'], rows, *(labels or (None,)), known)
    return {'mixture': -jnp.mean(each)}, (variables, {})

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != conditional:
      raise ValueError(f'cond: expected {"labels [n]" if conditional else None}, got {cond}')
    return draw(model, params['mixture'], keys, cond)

  return Objective(init, loss, sample)
