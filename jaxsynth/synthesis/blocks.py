"""Samples in whole blocks on every device, a few calls ahead of who asks for them."""
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
import contextlib
import itertools
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.synthesis.labels import labels_for, Shares


class Drawn(NamedTuple):
  """What one call has drawn.

  Attributes:
    indices: addresses `[n]`, on the host, without the padding of the last call.
    labels: int32 `[n]`, on the host, or `None`.
    outputs: of the call, each `[calls' size, ...]`, on their way to the host.
  """
  indices: np.ndarray
  labels: np.ndarray | None
  outputs: Any


class Blocks:
  """Programs of which every device computes a whole block at a time.

  So the bits do not depend on how many devices there are; and as a few calls are in flight,
  no device waits for the host. A CPU begins each from a thread of its own, since it runs the
  calls of one thread in their order, and a call may not keep all of its cores busy.

  Args:
    block: samples that a device computes together; by default `block_for` of the devices.
    devices: of this process; all of them by default.
    ahead: calls in flight.

  Attributes:
    block: as given.
    size: samples of a call, a block a device.

  Raises:
    ValueError: a block below 1, or nothing ahead.
  """

  def __init__(self, block: int | None, devices: Sequence[jax.Device] | None, ahead: int):
    devices = jax.local_devices() if devices is None else list(devices)
    self.block = block_for(devices[0].platform) if block is None else block
    if self.block < 1 or ahead < 1:
      raise ValueError(f'block={block}, ahead={ahead}: expected at least 1')
    self._threads = ahead if len(devices) == 1 and devices[0].platform == 'cpu' else 0
    self._mesh, self._ahead = jax.sharding.Mesh(devices, ('block',)), ahead
    self.size = self.block * len(devices)
    self._whole, self._each = jax.sharding.PartitionSpec(), jax.sharding.PartitionSpec('block')

  def everywhere(self, tree: Any) -> Any:
    """A copy of the arrays on every device."""
    return jax.device_put(tree, jax.sharding.NamedSharding(self._mesh, self._whole))

  def program(self, function: Callable, divided: int) -> Callable:
    """Compiles `(what is everywhere, *what is divided) -> divided`, a block a device.

    Args:
      function: of one block.
      divided: how many arguments of the second kind there are.
    """
    return jax.jit(jax.shard_map(
        function, mesh=self._mesh, in_specs=(self._whole, *[self._each] * divided),
        out_specs=self._each, check_vma=False))

  def drawn(self, draw: Callable, calls: Iterable[Sequence[np.ndarray]],
            shares: Shares | None) -> Iterator[Drawn]:
    """The calls' results in order, some calls begun before they are asked for.

    Args:
      draw: `(*arguments, labels) -> (outputs, whether each block is finite)`, of one call.
      calls: the arguments of each, addresses first: `[n]`, `n` at most `size`.
      shares: of the labels, see `labels_for`; `None` for none.

    Raises:
      FloatingPointError: pixels that are not finite.
    """
    divided = jax.sharding.NamedSharding(self._mesh, self._each)

    def begun(arguments: Sequence[np.ndarray]) -> tuple[Drawn, Array]:
      indices = arguments[0]
      at = np.minimum(np.arange(self.size), len(indices) - 1)  # the last call is padded
      labels = None if shares is None else labels_for(indices, shares)
      outputs, finite = draw(*jax.device_put((
          *(x[at].astype(np.uint32) for x in arguments),
          None if labels is None else labels[at]), divided))
      for x in jax.tree.leaves(outputs):
        x.copy_to_host_async()
      return Drawn(indices, labels, outputs), finite

    calls = iter(calls)
    with contextlib.ExitStack() as stack:
      begin = _in_threads(stack, begun, self._threads) if self._threads else _at_once(begun)
      flying = deque(map(begin, itertools.islice(calls, self._ahead)))
      while flying:
        result, finite = flying.popleft()()
        if not np.asarray(finite).all():
          first, last = result.indices.min(), result.indices.max()
          raise FloatingPointError(f'some of the samples [{first}, {last + 1}) are not finite: '
                                   'the model has diverged; take another checkpoint')
        flying.extend(map(begin, itertools.islice(calls, 1)))
        yield result


def _at_once(begun: Callable) -> Callable:
  """Begins a call, and gives what waits for it."""
  def begin(arguments: Any) -> Callable:
    result = begun(arguments)
    return lambda: result
  return begin


def _in_threads(stack: contextlib.ExitStack, begun: Callable, threads: int) -> Callable:
  """The same in one of a few threads, which are there until the stack ends."""
  pool = stack.enter_context(ThreadPoolExecutor(threads))
  return lambda arguments: pool.submit(
      lambda: jax.block_until_ready(begun(arguments))).result


def all_finite(drawn: Any) -> Array:
  """Whether a block is finite: bool `[1]`, as blocks are put together along an axis.

  Args:
    drawn: an array, or several of which the floating ones count.
  """
  floating = [x for x in jax.tree.leaves(drawn) if jnp.issubdtype(x.dtype, jnp.floating)]
  return jnp.stack([jnp.isfinite(x).all() for x in floating]).all(keepdims=True)


def block_for(platform: str) -> int:
  """How many samples are computed together: few fit a CPU's caches, many fill the rest.

  >>> block_for('cpu'), block_for('tpu')
  (32, 256)
  """
  return 32 if platform == 'cpu' else 256
