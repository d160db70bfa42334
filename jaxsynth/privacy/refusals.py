"""What cannot be trained privately as it is, and why."""
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import jax
from jax import Array

from jaxsynth.privacy.dependence import depends
from jaxsynth.privacy.stand_in import LABEL
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Player, Tree


class Reads(NamedTuple):
  """What a loss makes of the examples of its batch.

  Attributes:
    players: those whose loss depends on them.
    metrics: names of those that do.
    variables: paths of those that do; what depends on labels alone takes drawn ones.
  """
  players: frozenset[Player]
  metrics: frozenset[str]
  variables: tuple[str, ...]


def reads(loss: Callable, params: PerPlayer, variables: PerPlayer, batch: Mapping[str, Array],
          ctx: Context) -> Reads:
  """Which of a loss's outputs depend on the examples of a batch, from its program.

  Args:
    loss: `Objective.loss`.
    params: `{player: tree}`, arrays or their shapes, as all that follows.
    variables: `{player: tree, 'shared': tree}`.
    batch: `{name: [B, ...]}`.
    ctx: of the step.
  """
  labels = {name: x for name, x in batch.items() if name == LABEL}
  examples = {name: x for name, x in batch.items() if name != LABEL}

  def called(examples: Tree, labels: Tree, params: Tree, variables: Tree, key: Array, step: Array):
    return loss(params, variables, {**examples, **labels}, ctx._replace(key=key, step=step))

  losses, (moved, metrics) = depends(
      called, examples, labels, params, variables, ctx.key, ctx.step)
  paths = [jax.tree_util.keystr(path) for path, seen in jax.tree_util.tree_leaves_with_path(moved)
           if seen]
  return Reads(frozenset(p for p, seen in losses.items() if seen),
               frozenset(name for name, seen in metrics.items() if seen), tuple(paths))


def seeing(objective: Objective, batch: Batch) -> frozenset[Player]:
  """The players whose loss depends on the examples, and not only on labels.

  Args:
    objective: of the model.
    batch: `{name: [B, ...]}`, arrays or their shapes.
  """
  key = jax.random.key(0)
  step: Any = jax.ShapeDtypeStruct((), 'int32')
  shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), dict(batch))
  params, variables = jax.eval_shape(objective.init, key, shapes)
  return reads(objective.loss, params, variables, shapes, Context(step, key)).players


def check_objective(objective: Objective, axis_name: str | None = None) -> None:
  """Holds that the gradient of an example is its own.

  Raises:
    ValueError: losses that couple examples, or a mapped step.
  """
  if objective.coupled:
    raise ValueError(f'no private gradient of this loss: {objective.coupled}, so one example '
                     'changes the gradients of others and clipping does not bound its part; '
                     'train with a loss that is a mean over examples')
  if axis_name is not None:
    raise ValueError('no private gradient in a mapped step: each device would add noise of its '
                     'own share, and clip by its own batch size; use --parallel=jit')


def check_variables(variables: PerPlayer) -> None:
  """Holds that no network normalises by the batch.

  Raises:
    ValueError: one does.
  """
  for player, collections in variables.items():
    if isinstance(collections, Mapping) and 'batch_stats' in collections:
      raise ValueError(
          f'no private gradient: the {player} has batch statistics, by which one example changes '
          "what becomes of all others, and which keep the data's means without noise; use a "
          'network without (GroupNorm: --generator_norm=group)')


def check_reads(seen: Reads, private: Collection[Player], trained: Collection[Player]) -> None:
  """Holds that only private players see examples, and that nothing else keeps any of them.

  Args:
    seen: by the loss.
    private: the players with clipping and noise.
    trained: all that are trained.

  Raises:
    ValueError: a variable or another player's loss depends on the examples.
  """
  if seen.variables:
    raise ValueError(f'no private training: the loss changes variables by the examples '
                     f'({", ".join(seen.variables[:3])}), and nothing hides an example there; '
                     'leave out what keeps them, as --augment=ada or --whiten does')
  if open_ := sorted((seen.players & set(trained)) - set(private)):
    raise ValueError(f'the loss of {", ".join(open_)} depends on the examples: expected that only '
                     f'private players see them, here {", ".join(sorted(private))}; name '
                     f'{", ".join(open_)} in --private_players too')
