"""Races the article's DCGAN step against the same in Keras, PyTorch and plain Flax.

    python experiments/benchmarks/train_step.py --batch_sizes=64,256 --peers=all

On an otherwise idle machine. Every runner is a process in an environment of its own
(made under --environments when first asked for), and they step by turns. Prints a
table and then one JSON line a row. GFLOP/s are the operations that XLA counts in our
step, over each row's time, so that equal work has equal credit.
"""
import json
import pathlib
import statistics
import sys
import time

from absl import app, flags
import jax
import jax.numpy as jnp
import race

BATCH_SIZES = flags.DEFINE_list('batch_sizes', '64', 'Images a step.')
STEPS = flags.DEFINE_integer('steps', 12, 'Timed steps of each.', lower_bound=1)
PEERS = flags.DEFINE_list('peers', 'flax', "'none', 'all', or some of flax, keras, "
                          'keras_article, torch, torch_compiled.')
ENVIRONMENTS = flags.DEFINE_string('environments', '~/.cache/jaxsynth/peers',
                                   "Where the peers' virtual environments are.")
TORCH = flags.DEFINE_string('torch', 'torch', "PyTorch's requirement, as torch==2.13.0.")

# name: (environment, program and its flags)
RUNNERS = {
    'jaxsynth': ('', ['jaxsynth_dcgan.py']),
    'flax': ('', ['jaxsynth_dcgan.py', '--plain']),
    'keras': ('keras', ['keras_dcgan.py', '--loop=one_step']),
    'keras_article': ('keras', ['keras_dcgan.py', '--loop=article']),
    'torch': ('torch', ['torch_dcgan.py']),
    'torch_compiled': ('torch', ['torch_dcgan.py', '--compile']),
}


def peak(tries: int = 5) -> float:
  """FLOP/s of a large float32 matrix product, the best of `tries`."""
  n = 2048
  a = jnp.ones((n, n))
  product = jax.jit(jnp.matmul)
  product(a, a).block_until_ready()
  seconds = []
  for _ in range(tries):
    start = time.perf_counter()
    product(a, a).block_until_ready()
    seconds.append(time.perf_counter() - start)
  return 2 * n ** 3 / min(seconds)


def command(name: str, batch_size: int) -> list[str]:
  """How a runner is started; its environment is made if it is missing."""
  where, program = RUNNERS[name]
  python = sys.executable
  if where:
    requirements = {'keras': ['tensorflow-cpu', 'keras'], 'torch': [TORCH.value, 'numpy']}
    folder = pathlib.Path(ENVIRONMENTS.value).expanduser() / where
    python = race.environment(folder, requirements[where])
  return [python, str(race.PEERS / program[0]), *program[1:], f'--batch={batch_size}']


def main(argv: list[str]) -> None:
  del argv
  asked = list(RUNNERS)[1:] if PEERS.value == ['all'] else PEERS.value
  names = ['jaxsynth'] + [n for n in asked if n != 'none']
  unknown = sorted(set(names) - set(RUNNERS))
  if unknown:
    raise SystemExit(f'--peers: {unknown}, expected none, all or some of '
                         f'{list(RUNNERS)[1:]}')
  rows = []
  for batch_size in map(int, BATCH_SIZES.value):
    before = peak()
    results = race.race({name: command(name, batch_size) for name in names}, STEPS.value)
    top = max(before, peak())
    flops = results['jaxsynth'].about['flops']
    for name, (seconds, about, peak_mb) in results.items():
      median = statistics.median(seconds)
      rows.append({'name': name, 'batch': batch_size, 'median_s': median,
                   'min_s': min(seconds), 'max_s': max(seconds),
                   'images_per_s': batch_size / median, 'gflops': flops / median / 1e9,
                   'share_of_peak': flops / median / top, 'peak_mb': peak_mb,
                   'times_ours': median / statistics.median(results['jaxsynth'].seconds),
                   'versions': about['peer']})
    print(f'matrix product {top / 1e9:.0f} GFLOP/s around batch {batch_size}', flush=True)
  print(f'\n{"":15}{"batch":>6}{"median":>9}{"min":>8}{"max":>8}{"images/s":>10}'
        f'{"GFLOP/s":>9}{"of peak":>9}{"of ours":>9}{"MB":>7}')
  for row in rows:
    print(f'{row["name"]:15}{row["batch"]:6}{row["median_s"]:9.3f}{row["min_s"]:8.3f}'
          f'{row["max_s"]:8.3f}{row["images_per_s"]:10.0f}{row["gflops"]:9.0f}'
          f'{row["share_of_peak"]:9.0%}{row["times_ours"]:9.2f}{row["peak_mb"]:7.0f}'
          f'  {row["versions"]}')
  print()
  for row in rows:
    print(json.dumps(row))


if __name__ == '__main__':
  app.run(main)
