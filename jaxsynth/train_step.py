"""One update rule for every generative model: players descending their own losses.

    from jaxsynth import train_step as ts
    algorithm = ts.build(objective, optimizers)
    state = algorithm.init(key, batch)
    step = ts.jit(algorithm.step)
    for batch in batches:
      state, metrics = step(state, batch, key)

`step` is pure: compile it with `jit`, `sharded`, `fully_sharded` or `pmap`, fuse calls with
`scan`.
"""
from collections.abc import Callable, Mapping, Sequence
import functools

import jax
from jax import Array, lax
import jax.numpy as jnp
import optax

from jaxsynth import ema as emas, scanning
from jaxsynth.ema import EMA, averaged
from jaxsynth.fsdp import fully_sharded, whole
from jaxsynth.types import (
    Algorithm, Batch, Context, Metrics, Objective, PerPlayer, Player, TrainState, Tree)

__all__ = ('EMA', 'averaged', 'build', 'fully_sharded', 'jit', 'joint_grad', 'pmap', 'scan',
           'sharded', 'train_step')

Schedule = Sequence[Sequence[Player]]
Step = Callable[[TrainState, Batch, Array], tuple[TrainState, Metrics]]


def joint_grad(loss: Callable, players: Sequence[Player], params: PerPlayer,
               variables: PerPlayer, batch: Batch, ctx: Context):
  """Every player's gradient of its own loss, from one forward computation.

  Losses share their activations; loss `p` is pulled back onto `params[p]` alone,
  so no player's loss can move another player.

  Args:
    loss: `Objective.loss`.
    players: who is trained now.
    params: `{player: tree}`, of all players.
    variables: `{player: tree, 'shared': tree}`.
    batch: `[B, ...]`.
    ctx: step, key, axis name.

  Returns:
    `grads {player: tree}`, `losses {player: []}` of `players`, and the loss's
    `(variables, metrics)`.
  """
  def trained_losses(trained: PerPlayer):
    losses, aux = loss({**params, **trained}, variables, batch, ctx)
    missing = set(players) - set(losses)
    if missing:
      raise ValueError(f'the objective has no loss for {sorted(missing)}, '
                       f'only for {sorted(losses)}')
    return {p: losses[p] for p in players}, aux

  losses, pullback, aux = jax.vjp(
      trained_losses, {p: params[p] for p in players}, has_aux=True)
  seeds = {p: {q: jnp.full_like(losses[q], p == q) for q in players} for p in players}
  grads = {p: pullback(seeds[p])[0][p] for p in players}
  return grads, losses, aux


def train_step(objective: Objective,
               optimizers: Mapping[Player, optax.GradientTransformation],
               state: TrainState, batch: Batch, key: Array, *,
               schedule: Schedule | None = None,
               grad_fn: Callable = joint_grad,
               ema: EMA | None = None,
               axis_name: str | None = None,
               backoff: float = 1.) -> tuple[TrainState, Metrics]:
  """One schedule of updates; pure, so it can be jitted, mapped and scanned.

  In each phase all its players are updated together from the same state:
  `params[p] <- params[p] + optimizers[p](grad_{params[p]} loss[p])`.

  Args:
    objective: what is learned.
    optimizers: `{player: optax transformation}`.
    state: from `build(...).init`.
    batch: `[B, ...]`, or `[phases, B, ...]` with more than one phase. Under
      `axis_name`, this device's share.
    key: the run's base key, the same in every call: `state.attempt` and
      `state.step` are folded in here, then the phase.
    schedule: the phases, each the players it trains; `None` is one phase of all.
      Five critic steps: `(('discriminator',),) * 5 + (('generator',),)`.
    grad_fn: as `joint_grad`; another one clips each example's, or accumulates. Losses that it
      leaves out are not told.
    ema: whose parameters are averaged, once a schedule.
    axis_name: the mapped axis over which gradients, floating statistics and
      metrics are averaged.
    backoff: by which all updates are multiplied for each attempt before this one, as if
      learning rates were.

  Returns:
    The next state, and scalar metrics: the objective's own, and for each player
    `<player>/loss` and `<player>/grad_norm`, of the last phase that has them.

  Raises:
    ValueError: a schedule that names unknown players or leaves one out, or a batch
      without its leading phases.
  """
  schedule = (tuple(optimizers),) if schedule is None else tuple(map(tuple, schedule))
  _check_schedule(schedule, optimizers, batch)
  key = jax.random.fold_in(jax.random.fold_in(key, state.attempt), state.step)
  params, opt_state = dict(state.params), dict(state.opt_state)
  variables, metrics = state.variables, {}
  for phase, players in enumerate(schedule):
    ctx = Context(state.step, jax.random.fold_in(key, phase), True, axis_name)
    data = batch if len(schedule) == 1 else jax.tree.map(lambda x, k=phase: x[k], batch)
    grads, losses, (variables, values) = grad_fn(
        objective.loss, players, params, variables, data, ctx)
    grads = whole(grads)
    values = {**values, **{f'{p}/loss': losses[p] for p in players if p in losses}}
    grads, variables, values = _mean((grads, variables, values), axis_name)
    for p in players:
      updates, opt_state[p] = optimizers[p].update(grads[p], opt_state[p], params[p])
      if backoff != 1:
        updates = optax.tree.scale(backoff ** state.attempt, updates)
      params[p] = optax.apply_updates(params[p], updates)
      values[f'{p}/grad_norm'] = optax.tree.norm(grads[p])
    metrics.update(values)
  average = emas.update(ema, state.ema, params, variables, state.step)
  return state._replace(step=state.step + 1, params=params, variables=variables,
                        opt_state=opt_state, ema=average), metrics


def _check_schedule(schedule: Schedule, optimizers: Mapping, batch: Batch) -> None:
  for phase in schedule:
    if not phase or not set(phase) <= set(optimizers):
      raise ValueError(f'schedule phase {phase}: expected one or more of '
                       f'{sorted(optimizers)}')
  if len(schedule) > 1:
    for x in jax.tree.leaves(batch):
      if x.ndim < 2 or x.shape[0] != len(schedule):
        raise ValueError(f'a schedule of {len(schedule)} phases takes a batch '
                         f'[{len(schedule)}, B, ...], got {x.shape}')
  if idle := sorted(set(optimizers).difference(*schedule)):
    raise ValueError(f'schedule {schedule}: no phase trains {idle}; expected every player in one '
                     'at least (optax.set_to_zero() keeps one as it is)')


def _mean(tree: Tree, axis_name: str | None) -> Tree:
  """The mean over devices of what is floating; counters are the same on all."""
  if axis_name is None:
    return tree
  floating = lambda x: jnp.issubdtype(x.dtype, jnp.floating)
  return jax.tree.map(lambda x: lax.pmean(x, axis_name) if floating(x) else x, tree)


def build(objective: Objective,
          optimizers: Mapping[Player, optax.GradientTransformation], *,
          schedule: Schedule | None = None, grad_fn: Callable = joint_grad,
          ema: EMA | None = None, axis_name: str | None = None, backoff: float = 1.
          ) -> Algorithm:
  """Binds an objective to its optimizers.

  Args:
    objective: what is learned.
    optimizers: one optax transformation for each of the objective's players.
    schedule: see `train_step`.
    grad_fn: see `train_step`.
    ema: see `train_step`.
    axis_name: see `train_step`; `None` except under `pmap`.
    backoff: see `train_step`.

  Returns:
    `Algorithm(init, step, sample)`. `init` raises `ValueError` if the optimizers'
    names are not the players'.

  >>> import jax, jax.numpy as jnp, optax
  >>> objective = Objective(
  ...     init=lambda key, batch: ({'mean': jnp.zeros(())}, {}),
  ...     loss=lambda params, variables, batch, ctx: (
  ...         {'mean': jnp.mean((batch - params['mean']) ** 2)}, (variables, {})),
  ...     sample=lambda params, variables, keys, cond: params['mean'] + jax.vmap(
  ...         jax.random.normal)(keys))
  >>> algorithm = build(objective, {'mean': optax.sgd(0.5)})
  >>> key, batch = jax.random.key(0), jnp.array([1., 3.])
  >>> state, metrics = jit(algorithm.step)(algorithm.init(key, batch), batch, key)
  >>> print(state.params['mean'], metrics['mean/loss'])
  2.0 5.0
  """
  optimizers = dict(optimizers)

  def init(key: Array, batch: Batch) -> TrainState:
    params, variables = objective.init(key, batch)
    if params.keys() != optimizers.keys():
      raise ValueError(f'optimizers for {sorted(optimizers)}, but the players are '
                       f'{sorted(params)}')
    opt_state = {p: tx.init(params[p]) for p, tx in optimizers.items()}
    variables = {'shared': {}, **{p: {} for p in params}, **variables}
    zero = functools.partial(jnp.zeros, (), jnp.int32)
    return TrainState(zero(), zero(), dict(params), variables, opt_state,
                      emas.init(ema, params, variables))

  step = functools.partial(train_step, objective, optimizers, schedule=schedule,
                           grad_fn=grad_fn, ema=ema, axis_name=axis_name, backoff=backoff)
  return Algorithm(init, step, objective.sample)


def scan(step: Step) -> Step:
  """Fuses steps: `(state, batches [K, ...], key) -> (state, metrics [K])`.

  It saves the host K - 1 calls. On CPU compiling takes K times as long (`scanning.scan`).
  """
  def steps(state: TrainState, batches: Batch, key: Array):
    return scanning.scan(lambda s, b: step(s, b, key), state, batches)
  return steps


def jit(step: Step) -> Step:
  """Compiles a step for one device; the state it is given is donated."""
  return jax.jit(step, donate_argnums=0)


def sharded(step: Step, devices: Sequence[jax.Device] | None = None, *,
            batch_axis: int = 0) -> Step:
  """Compiles a step for many devices: state replicated, batch divided.

  The arithmetic is that of one device on the whole batch: batch statistics are
  global, and `build` takes no `axis_name`.

  Args:
    step: `Algorithm.step`, or `scan` of it.
    devices: which; all by default.
    batch_axis: the axis of the batch that is divided: 1 under `scan` or a
      schedule of several phases, 2 under both.

  Returns:
    A step whose state is donated.
  """
  mesh = jax.sharding.Mesh(jax.devices() if devices is None else list(devices), ('batch',))
  everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  divided = jax.sharding.NamedSharding(
      mesh, jax.sharding.PartitionSpec(*(None,) * batch_axis, 'batch'))
  return jax.jit(step, donate_argnums=0, in_shardings=(everywhere, divided, everywhere),
                 out_shardings=everywhere)


def pmap(step: Step, axis_name: str = 'batch',
         devices: Sequence[jax.Device] | None = None) -> Step:
  """Compiles a step for many devices, one program on each.

  Args:
    step: of `build(..., axis_name=axis_name)`. Batch statistics are each
      device's own unless the networks are given the axis name too.
    axis_name: of the devices.
    devices: which; all by default.

  Returns:
    A step that takes `batch` as `[devices, B / devices, ...]`; state, key and
    metrics have no such axis.
  """
  return jax.pmap(step, axis_name=axis_name, devices=devices, in_axes=(None, 0, None),
                  out_axes=None, donate_argnums=0)
