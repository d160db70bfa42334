"""How features order digits that are known to be worse: Frechet distance over its floor.

    python experiments/benchmarks/features.py --data_dir=$TFDS

The first half of MNIST's test set against the second, which is spoilt in known ways and
amounts; each number is the distance over that of the second half as it is.
"""
from collections.abc import Iterator

from absl import app, flags
import numpy as np

from jaxsynth import data
from jaxsynth.metrics import features, frechet, moments

DATA_DIR = flags.DEFINE_string('data_dir', None, 'Where tfds data sets are prepared.')
SEED = flags.DEFINE_integer('seed', 0, 'Of what is spoilt.', lower_bound=0)


def spoilt(x: np.ndarray, label: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
  """Names, and images `[N, 28, 28, 1]`, worse within each kind as it goes on."""
  rng, n = np.random.default_rng(SEED.value), len(x)
  share = lambda p: np.flatnonzero(rng.random(n) < p)
  yield 'as they are', x
  for s in (.05, .1, .2, .4):
    yield f'noise of {s}', data.to_uint8(x / 127.5 - 1 + s * rng.standard_normal(x.shape))
  for s in (.25, .5, 1.):
    near = sum(np.roll(x.astype(float), d, axis) for d in (-1, 1) for axis in (1, 2)) / 4
    yield f'smoothed by {s}', ((1 - s) * x + s * near).round().astype(np.uint8)
  for p in (.01, .05, .2):
    y, k = x.copy(), share(p)
    y[k] = rng.integers(0, 256, y[k].shape)
    yield f'{p:.0%} are noise', y
  for d in (1, 2, 5):
    yield f'{d} of 10 digits missing', x[rng.choice(np.flatnonzero(label >= d), n)]
  for m in (1000, 100, 10):
    yield f'{m} distinct ones', x[rng.choice(n, m)][rng.integers(0, m, n)]
  for p in (.05, .2, 1.):
    y, k = x.copy(), share(p)
    y[k, 14:] = x[rng.permutation(n)][k, 14:]
    yield f"{p:.0%} on another's lower half", y
  for p in (.05, .2, 1.):
    y, k = x.copy(), share(p)
    y[k] = y[k].swapaxes(1, 2)
    yield f'{p:.0%} transposed', y
  for d in (1, 3):
    yield f'shifted by {d}', np.roll(x, d, 2)
  for c in (.8, .5):
    yield f'contrast {c}', (x * c).astype(np.uint8)


def main(argv: list[str]) -> None:
  del argv
  test = data.in_memory(data.tfds_source('mnist', 'test', DATA_DIR.value))
  batch = test.take(np.arange(test.size))
  images, labels, half = batch['image'], batch['label'], test.size // 2
  nets = [features.mnist(), features.random_conv(1), features.random_conv(1, seed=1),
          features.pixels()]
  real = [moments.of(features.extract(net, images[:half])) for net in nets]
  floor: list[float] = []
  print(f'{"":30}' + ''.join(f'{net.name:>15}' for net in nets))
  for name, fake in spoilt(images[half:], labels[half:]):
    distances = [frechet.frechet_distance(a, features.extract(net, fake))
                 for net, a in zip(nets, real)]
    floor = floor or distances
    print(f'{name:30}' + ''.join(f'{x / least:15.1f}' for x, least in zip(distances, floor)),
          flush=True)
  print(f'{"floor":30}' + ''.join(f'{x:15.4f}' for x in floor))


if __name__ == '__main__':
  app.run(main)
