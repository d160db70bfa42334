"""How fast this machine's CPU is at what a roofline knows, and how long a step takes on it."""
from collections.abc import Callable
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth import train_step as ts

# the same program of XLA's, as slow code, in a third of the time
QUICK = {'xla_backend_optimization_level': 0, 'xla_llvm_disable_expensive_passes': True,
         'xla_cpu_use_fusion_emitters': False}
BYTES = 2 ** 28  # of each array of the stream: beyond every cache


class Rates(NamedTuple):
  """Of this machine: FLOP/s of a float32 matrix product, bytes/s of a stream."""
  flops: float
  bandwidth: float


def rates(n: int = 2048, size: int = BYTES, tries: int = 5) -> Rates:
  """The best of `tries`: a product of `n` x `n`, and `a + 3 b` of arrays of `size` bytes."""
  a, x, y = jnp.ones((n, n)), jnp.ones(size // 4), jnp.ones(size // 4)
  return Rates(2 * n ** 3 / _least(jax.jit(jnp.matmul), (a, a), tries),
               3 * size / _least(jax.jit(lambda x, y: x + 3 * y), (x, y), tries))


def _least(f: Callable, args: tuple, tries: int) -> float:
  jax.block_until_ready(f(*args))
  seconds = []
  for _ in range(tries):
    start = time.perf_counter()
    jax.block_until_ready(f(*args))
    seconds.append(time.perf_counter() - start)
  return min(seconds)


def started(algorithm: Any, shapes: tuple[Any, Any, Any]) -> tuple[Any, Callable[[Any], Any]]:
  """A state, and its step on one batch of noise with labels 0 and 1: `state -> state, metrics`."""
  _, batch, key = shapes
  rng = np.random.default_rng(0)
  batch = {name: jnp.asarray(
      rng.integers(0, 2, x.shape) if x.dtype == np.int32 else rng.uniform(-1, 1, x.shape), x.dtype)
      for name, x in batch.items()}
  first = batch if batch['image'].ndim == 4 else jax.tree.map(lambda x: x[0], batch)
  step = ts.jit(algorithm.step)
  return jax.jit(algorithm.init)(key, first), lambda state: step(state, batch, key)


def step_seconds(algorithm: Any, shapes: tuple[Any, Any, Any], steps: int) -> list[float]:
  """Seconds of each of `steps` steps, after one that compiles."""
  state, step = started(algorithm, shapes)
  seconds = []
  for k in range(steps + 1):
    start = time.perf_counter()
    state, _ = jax.block_until_ready(step(state))
    if k:
      seconds.append(time.perf_counter() - start)
  return seconds


def temporaries(algorithm: Any, shapes: tuple[Any, Any, Any]) -> int:
  """Bytes that a step holds on CPU besides its arguments and results; it is compiled for that."""
  jitted: Any = ts.jit(algorithm.step)
  return jitted.lower(*shapes).compile(QUICK).memory_analysis().temp_size_in_bytes
