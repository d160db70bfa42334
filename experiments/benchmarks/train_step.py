"""Times the article's DCGAN step: ours, and plain Flax beside it, interleaved.

    python experiments/benchmarks/train_step.py --batch_sizes=64

On an otherwise idle machine. Prints a table and then one JSON line a row. GFLOP/s are
the operations that XLA counts in our step, over each row's time.
"""
from collections.abc import Callable
import json
import time
from unittest import mock

from absl import app, flags
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import train_step as ts
from jaxsynth.models import dcgan
from jaxsynth.objectives import gan

BATCH_SIZES = flags.DEFINE_list('batch_sizes', '64', 'Images a step.')
STEPS = flags.DEFINE_integer('steps', 12, 'Timed steps of each.', lower_bound=1)
PLAIN = flags.DEFINE_bool('plain', True, 'Time plain Flax too.')


def peak() -> float:
  """FLOP/s of a large float32 matrix product, the best of five."""
  n = 2048
  a = jnp.ones((n, n))
  product = jax.jit(jnp.matmul)
  product(a, a).block_until_ready()
  return max(2 * n ** 3 / seconds(lambda: product(a, a)) for _ in range(5))


def seconds(f: Callable) -> float:
  """How long one call takes."""
  start = time.perf_counter()
  jax.block_until_ready(f())
  return time.perf_counter() - start


class Case:
  """A compiled step and its state."""

  def __init__(self, batch_size: int):
    adam = optax.adam(1e-4, b1=0.)
    algorithm = ts.build(gan(dcgan.Generator(), dcgan.Discriminator()),
                         {'generator': adam, 'discriminator': adam}, ema=ts.EMA())
    self._key = jax.random.key(0)
    self._batch = {'image': jax.random.uniform(self._key, (batch_size, 28, 28, 1))}
    self._state = jax.jit(algorithm.init)(self._key, self._batch)
    self._step = jax.jit(algorithm.step, donate_argnums=0).lower(
        self._state, self._batch, self._key).compile()
    self.flops = (self._step.cost_analysis() or {}).get('flops', float('nan'))

  def __call__(self):
    self._state, metrics = self._step(self._state, self._batch, self._key)
    return metrics


def plain_case(batch_size: int) -> Case:
  """The same networks with Linen's own convolutions."""
  def convolution(layer):
    def make(features, k, s=1, **kwargs):
      return layer(features, (k, k), (s, s), **kwargs)
    return make
  with mock.patch.multiple(dcgan, Conv=convolution(nn.Conv),
                           ConvTranspose=convolution(nn.ConvTranspose)):
    return Case(batch_size)


def main(argv: list[str]) -> None:
  del argv
  top = peak()
  rows = []
  for batch_size in map(int, BATCH_SIZES.value):
    cases = {'jaxsynth': Case(batch_size)}
    if PLAIN.value:
      cases['flax'] = plain_case(batch_size)
    times: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
      seconds(case)
    for _ in range(STEPS.value):
      for name, case in cases.items():
        times[name].append(seconds(case))
    needed = cases['jaxsynth'].flops
    for name, found in times.items():
      median = float(np.median(found))
      rows.append({'name': name, 'batch': batch_size, 'median_s': median,
                   'min_s': min(found), 'max_s': max(found),
                   'images_per_s': batch_size / median, 'gflops': needed / median / 1e9,
                   'share_of_peak': needed / median / top})
  print(f'jax {jax.__version__}, {jax.devices()}, matrix product {top / 1e9:.0f} GFLOP/s\n')
  print(f'{"":10}{"batch":>6}{"median":>9}{"min":>9}{"max":>9}{"images/s":>10}'
        f'{"GFLOP/s":>9}{"of peak":>9}')
  for row in rows:
    print(f'{row["name"]:10}{row["batch"]:6}{row["median_s"]:9.3f}{row["min_s"]:9.3f}'
          f'{row["max_s"]:9.3f}{row["images_per_s"]:10.0f}{row["gflops"]:9.0f}'
          f'{row["share_of_peak"]:9.0%}')
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)
