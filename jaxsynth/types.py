"""The nouns of the library: what is learned, and the data of learning it."""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from jax import Array

Tree: TypeAlias = Any  # a pytree of arrays
Batch: TypeAlias = Any  # a pytree of arrays `[B, ...]`, say {'image': [B, H, W, C]}
Player: TypeAlias = str
PerPlayer: TypeAlias = Mapping[Player, Tree]
Metrics: TypeAlias = Mapping[str, Array]


class Context(NamedTuple):
  """What a loss may know besides its arguments.

  Attributes:
    step: `[]` int32, whole schedules done so far.
    key: the key of this step and phase; the same on every device.
    train: whether to train (dropout, batch statistics) or to evaluate.
    axis_name: the mapped axis that shares the batch, or `None`.
    part: `(index, count)`: which of how many equal parts of this device's batch
      these arguments are, when gradients are accumulated.
  """
  step: Array
  key: Array
  train: bool = True
  axis_name: str | None = None
  part: tuple[Array | int, int] = (0, 1)


class Objective(NamedTuple):
  """What is learned: players, each descending its own loss; three pure functions.

  A GAN has two players, a VAE, a flow or a classifier one.

  Attributes:
    init: `(key, batch) -> params {player: tree}, variables {player: tree,
      'shared': tree}`. Variables are state that no gradient moves: batch
      statistics in their player's entry, counters in `'shared'`.
    loss: `(params, variables, batch, ctx) -> {player: []}, (variables, metrics)`.
      Each loss is a mean over the batch; metrics are scalars.
    sample: `(params, variables, keys, cond) -> [n, ...]`; `keys` `[n]` holds one
      key a sample, `cond` labels `[n]` or `None`; for a classifier, images.
    coupled: why the loss of a batch is not the mean of its parts' losses; empty if
      it is.
  """
  init: Callable[[Array, Batch], tuple[PerPlayer, PerPlayer]]
  loss: Callable[[PerPlayer, PerPlayer, Batch, Context],
                 tuple[Mapping[Player, Array], tuple[PerPlayer, Metrics]]]
  sample: Callable[[PerPlayer, PerPlayer, Array, Array | None], Array]
  coupled: str = ''


class TrainState(NamedTuple):
  """All that changes during a run, as data: no functions, no optimizer, no key.

  Attributes:
    step: `[]` int32, whole schedules done.
    attempt: `[]` int32, raised by a rollback so that other randomness follows.
    params: `{player: tree}`.
    variables: `{player: tree, 'shared': tree}`.
    opt_state: `{player: tree}`.
    ema: `{'params': {player: tree}, 'variables': {player: tree}}` of the averaged
      players, or `{}`.
  """
  step: Array
  attempt: Array
  params: PerPlayer
  variables: PerPlayer
  opt_state: PerPlayer
  ema: Mapping[str, PerPlayer]


class Algorithm(NamedTuple):
  """How it is learned: an `Objective` bound to its optimizers.

  Attributes:
    init: `(key, batch) -> TrainState`.
    step: `(state, batch, key) -> (TrainState, metrics)`; `key` is the run's.
    sample: the objective's.
  """
  init: Callable[[Array, Batch], TrainState]
  step: Callable[[TrainState, Batch, Array], tuple[TrainState, Metrics]]
  sample: Callable[[PerPlayer, PerPlayer, Array, Array | None], Array]
