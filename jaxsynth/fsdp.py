"""Fully sharded data parallelism: the state is divided over the devices, as the batch is."""
from collections.abc import Callable, Sequence
import contextvars
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxsynth.types import Tree, TrainState

AXIS = 'batch'
DIVIDED = ('params', 'opt_state')  # of a state, and of its averages; the rest is small
_EVERYWHERE: contextvars.ContextVar = contextvars.ContextVar('everywhere', default=None)


def fully_sharded(step: Callable, like: TrainState, devices: Sequence[jax.Device] | None = None,
                  *, batch_axis: int = 0) -> Callable:
  """Compiles a step for many devices: state and batch divided.

  The arithmetic is that of `sharded`, and so of one device on the whole batch. Between steps a
  device holds a part of every parameter, of its optimizer's state and of its average; in a step
  parameters are gathered, and each device updates its own part of them (Rajbhandari et al.
  2020, https://arxiv.org/abs/1910.02054; FSDP).

  Args:
    step: `Algorithm.step`, or `scan` of it.
    like: a state, or its shapes by `jax.eval_shape`.
    devices: which; all by default.
    batch_axis: as `train_step.sharded`'s.

  Returns:
    A step whose state is donated; states go where `layout` says.
  """
  mesh = Mesh(jax.devices() if devices is None else list(devices), (AXIS,))
  everywhere, states = NamedSharding(mesh, PartitionSpec()), layout(like, mesh)
  batches = NamedSharding(mesh, PartitionSpec(*(None,) * batch_axis, AXIS))

  def gathered(state: TrainState, batch: Any, key: jax.Array) -> tuple[TrainState, Any]:
    token = _EVERYWHERE.set(everywhere)
    try:
      return step(state._replace(params=whole(state.params)), batch, key)
    finally:
      _EVERYWHERE.reset(token)
  return jax.jit(gathered, donate_argnums=0, in_shardings=(states, batches, everywhere),
                 out_shardings=(states, everywhere))


def whole(tree: Tree) -> Tree:
  """In a step that `fully_sharded` compiles, what is whole on every device; else unchanged.

  Of gradients: XLA would rather divide the convolution that makes one as its parameter is
  divided, along channels, and for that gathers the activations of the whole batch.
  """
  everywhere = _EVERYWHERE.get()
  return tree if everywhere is None else jax.lax.with_sharding_constraint(tree, everywhere)


def layout(like: TrainState, mesh: Mesh) -> TrainState:
  """Where every leaf of a state lies: a tree of `NamedSharding`.

  Parameters, optimizers' states and averaged parameters are divided along their largest axis
  that the number of devices divides; leaves without such an axis, batch statistics and counters
  are on every device.

  Args:
    like: a state, or its shapes.
    mesh: of one axis.
  """
  (axis,), n = mesh.axis_names, mesh.size

  def part(leaf: Any) -> NamedSharding:
    fitting = [k for k, size in enumerate(leaf.shape) if size and size % n == 0]
    if not fitting:
      return NamedSharding(mesh, PartitionSpec())
    largest = max(fitting, key=lambda k: leaf.shape[k])
    return NamedSharding(mesh, PartitionSpec(*(None,) * largest, axis))

  def place(divided: bool, tree: Tree) -> Tree:
    whole = NamedSharding(mesh, PartitionSpec())
    return jax.tree.map(part if divided else lambda leaf: whole, tree)
  fields = {name: place(name in DIVIDED, tree) for name, tree in like._asdict().items()
            if name != 'ema'}
  return TrainState(**fields, ema={
      name: place(name in DIVIDED, tree) for name, tree in like.ema.items()})
