"""How a step is compiled and fed: on one device, mapped over several, or sharded; by one process
or by several."""
from collections.abc import Callable, Sequence
import functools
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from jaxsynth import fsdp, hosts, train_step as ts

AXIS = 'batch'  # of a mapped step
How = Literal['jit', 'pmap', 'sharded', 'fsdp']
MANY = ('pmap', 'sharded', 'fsdp')  # those of several devices


class Compiled(NamedTuple):
  """A compiled step, and where its arguments go.

  Attributes:
    step: `(state, batch, key) -> (state, metrics)`; of K steps a call, a batch has K first
      and the metrics are the last step's.
    put_batch: a host batch's leaf, to the devices; of several processes, each gives its share
      of the examples, in order of the processes.
    put_state: a whole state, to the devices: laid out as the step returns it, so that its
      first call compiles what all others run.
    put_key: the run's key, to the devices.
  """
  step: ts.Step
  put_batch: Callable[[np.ndarray], jax.Array]
  put_state: Callable[[ts.TrainState], ts.TrainState]
  put_key: Callable[[jax.Array], jax.Array] = lambda key: key


def axis_name(how: How) -> str | None:
  """The mapped axis that an algorithm must be built for, or `None`.

  >>> axis_name('pmap'), axis_name('sharded')
  ('batch', None)
  """
  return AXIS if how == 'pmap' else None


def compiled(step: ts.Step, how: How, devices: Sequence[jax.Device], *, phases: int = 1,
             steps_per_call: int = 1, like: ts.TrainState | None = None) -> Compiled:
  """Compiles a step.

  Args:
    step: `Algorithm.step`, for `'pmap'` of an algorithm built with `axis_name(how)`.
    how: `'jit'` on the first device; `'pmap'`, a program a device; `'sharded'`, one program
      over all, with global batch statistics; `'fsdp'`, the same with the state divided too.
    devices: which.
    phases: of the schedule; batches have them first if more than one.
    steps_per_call: steps fused into one call; batches have them before the phases.
    like: a state, or its shapes; for `'fsdp'`.

  Returns:
    The step, which donates its state, and the placement of its arguments.

  Raises:
    ValueError: `'fsdp'` without a state.
  """
  fused = steps_per_call > 1
  axis = fused + (phases > 1)  # of the examples
  step = _with_last_metrics(ts.scan(step)) if fused else step
  here = [d for d in devices if d.process_index == jax.process_index()]
  if how == 'jit':
    put = functools.partial(jax.device_put, device=here[0])
    return Compiled(ts.jit(step), put, put)
  if how == 'pmap':
    return _mapped(step, devices, here, axis)
  mesh = jax.sharding.Mesh(devices, (AXIS,))
  whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  divided = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*(None,) * axis, AXIS))
  layout: Any = whole
  if how == 'sharded':
    step = ts.sharded(step, devices, batch_axis=axis)
  elif like is None:
    raise ValueError("how='fsdp' divides the state: give one, or its shapes, as `like`")
  else:
    step, layout = ts.fully_sharded(step, like, devices, batch_axis=axis), fsdp.layout(like, mesh)
  if len(here) == len(devices):
    return Compiled(step, functools.partial(jax.device_put, device=divided),
                    functools.partial(jax.device_put, device=layout))
  return Compiled(step, functools.partial(jax.make_array_from_process_local_data, divided),
                  lambda state: hosts.spread(state, layout), lambda key: hosts.spread(key, whole))


def _mapped(step: ts.Step, devices: Sequence[jax.Device], here: Sequence[jax.Device], axis: int
            ) -> Compiled:
  """A mapped step: a process has its own copy of the state, on its own devices."""
  mesh = jax.sharding.Mesh(here, (AXIS,))
  whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
  first = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(AXIS))

  def shared_out(x: np.ndarray) -> jax.Array:  # [devices, ...]
    n = len(here)
    x = x.reshape(*x.shape[:axis], n, x.shape[axis] // n, *x.shape[axis + 1:])
    return jax.device_put(np.moveaxis(x, axis, 0), first)
  return Compiled(ts.pmap(step, AXIS, devices), shared_out,
                  functools.partial(jax.device_put, device=whole))


def stacked(batch_at: Callable, k: int, n: int) -> dict[str, np.ndarray]:
  """Batch `k`, or batches `k` to `k + n - 1` stacked for a fused step."""
  if n == 1:
    return dict(batch_at(k))
  each = [batch_at(i) for i in range(k, k + n)]
  return {name: np.stack([batch[name] for batch in each]) for name in each[0]}


def _with_last_metrics(steps: ts.Step) -> ts.Step:
  """A scanned step whose metrics are those of its last."""
  def call(state, batches, key):
    state, metrics = steps(state, batches, key)
    return state, jax.tree.map(lambda x: x[-1], metrics)
  return call
