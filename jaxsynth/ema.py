"""Exponential moving averages of players, statistics included."""
from collections.abc import Mapping
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.types import PerPlayer, TrainState, Tree


class EMA(NamedTuple):
  """Which players are averaged, and how slowly.

  Attributes:
    players: names of the averaged players; `None` for all.
    decay: in [0, 1). The average after update `t = 1, 2, ...` keeps
      `min(decay, (1 + t) / (10 + t))` of the one before: warm-up, without which
      the initial values linger for `1 / (1 - decay)` steps.
  """
  players: tuple[str, ...] | None = None
  decay: float = 0.999


def init(ema: EMA | None, params: PerPlayer, variables: PerPlayer
         ) -> Mapping[str, PerPlayer]:
  """The averages before the first step: the values themselves.

  Raises:
    ValueError: an unknown player, or a decay out of range.
  """
  if ema is None:
    return {}
  if not set(ema.players or ()) <= set(params):
    raise ValueError(f'ema players {sorted(ema.players or ())}: expected some of '
                     f'{sorted(params)}')
  if not 0 <= ema.decay < 1:
    raise ValueError(f'ema decay {ema.decay}: expected 0 <= decay < 1')
  names = tuple(params) if ema.players is None else ema.players
  # copies: a donated state may not hold one buffer twice
  return jax.tree.map(jnp.copy, {
      'params': {p: params[p] for p in names},
      'variables': {p: variables[p] for p in names}})


def update(ema: EMA | None, average: Mapping[str, PerPlayer], params: PerPlayer,
           variables: PerPlayer, step: Array) -> Mapping[str, PerPlayer]:
  """`average <- keep * average + (1 - keep) * value`; integers are copied."""
  if ema is None:
    return average
  t = step + 1
  keep = jnp.minimum(ema.decay, (1 + t) / (10 + t))

  def moved(old: Array, new: Array) -> Array:
    if not jnp.issubdtype(new.dtype, jnp.floating):
      return new
    return (new + keep * (old - new)).astype(new.dtype)

  def averages(old: PerPlayer, new: PerPlayer) -> dict[str, Tree]:
    return {p: jax.tree.map(moved, old[p], new[p]) for p in old}

  return {'params': averages(average['params'], params),
          'variables': averages(average['variables'], variables)}


def averaged(state: TrainState) -> tuple[PerPlayer, PerPlayer]:
  """`(params, variables)` with every averaged player replaced by its average."""
  return ({**state.params, **state.ema.get('params', {})},
          {**state.variables, **state.ema.get('variables', {})})


def averaged_players(state: TrainState) -> dict[str, PerPlayer]:
  """What sampling needs: the averaged players where there are any, or all."""
  params, variables = averaged(state)
  names = state.ema.get('params', params)
  return {'params': {p: params[p] for p in names},
          'variables': {p: variables[p] for p in names}}
