"""Batches that do not fit, in parts: the gradient is the mean of the parts' gradients."""
from collections.abc import Callable, Sequence

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth.train_step import joint_grad
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Player, Tree


def accumulate(objective: Objective, parts: int, grad_fn: Callable = joint_grad) -> Callable:
  """A `grad_fn` that takes a batch in equal parts, one after the other.

  Memory is that of one part, the result that of the whole batch: every example
  keeps its key. Dropout draws another mask for each part. On CPU it is slow: XLA:CPU
  runs convolutions inside a loop several times slower than outside.

      ts.build(objective, optimizers, grad_fn=accumulate(objective, 8))

  Args:
    objective: the one that is trained.
    parts: into how many a device's batch is cut; divides it.
    grad_fn: of each part.

  Returns:
    As `train_step.joint_grad`, to be given to `train_step.build`.

  Raises:
    ValueError: if the loss of a batch is not the mean of its parts' losses, as with
      BatchNorm, packing or a relativistic average; it says which.

  >>> objective = Objective(
  ...     init=lambda key, batch: ({'mean': jnp.zeros(())}, {}),
  ...     loss=lambda params, variables, batch, ctx: (
  ...         {'mean': jnp.mean((batch - params['mean']) ** 2)}, (variables, {})),
  ...     sample=lambda params, variables, keys, cond: params['mean'])
  >>> grads, losses, _ = accumulate(objective, 2)(
  ...     objective.loss, ('mean',), {'mean': jnp.zeros(())}, {}, jnp.arange(4.),
  ...     Context(jnp.int32(0), jax.random.key(0)))
  >>> print(grads['mean'], losses['mean'])
  -3.0 3.5
  """
  if parts < 1:
    raise ValueError(f'parts: expected a positive integer, got {parts}')
  if objective.coupled and parts > 1:
    raise ValueError(f'a batch in {parts} parts: {objective.coupled}; '
                     'train on the whole batch, or on a smaller one')
  if parts == 1:
    return grad_fn

  def accumulated(loss: Callable, players: Sequence[Player], params: PerPlayer,
                  variables: PerPlayer, batch: Batch, ctx: Context):
    _check_statistics(variables, parts)

    def part_gradients(index: Array, part: Batch) -> Tree:
      return grad_fn(loss, players, params, variables, part,
                     ctx._replace(part=(index, parts)))

    cut = jax.tree.map(lambda x: _cut(x, parts), batch)
    first = jax.eval_shape(part_gradients, jnp.int32(0), jax.tree.map(lambda x: x[0], cut))
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), first)
    add = lambda total, x: total + x / parts if _floating(x) else x  # counters agree
    return lax.scan(
        lambda total, part: (jax.tree.map(add, total, part_gradients(*part)), None),
        zeros, (jnp.arange(parts), cut))[0]

  return accumulated


def _floating(x: Array) -> bool:
  return jnp.issubdtype(x.dtype, jnp.floating)


def _cut(x: Array, parts: int) -> Array:
  if x.shape[0] % parts:
    raise ValueError(f'a batch of {x.shape[0]} in {parts} parts: expected a multiple of '
                     f'{parts} on each device')
  return x.reshape(parts, x.shape[0] // parts, *x.shape[1:])


def _check_statistics(variables: PerPlayer, parts: int) -> None:
  """BatchNorm normalises by the batch it sees, which would be a part."""
  for player, collections in variables.items():
    if isinstance(collections, dict) and 'batch_stats' in collections:
      raise ValueError(
          f'a batch in {parts} parts: the {player} has BatchNorm, whose statistics are of '
          'the whole batch; use a network without (GroupNorm), or a smaller batch')
