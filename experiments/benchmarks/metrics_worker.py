"""One program of `metrics.py`: computes a score for each line it reads, answers in JSON.

    python metrics_worker.py PROGRAM SAMPLES WIDTH

It runs in the peers' environment too, so it imports numpy and the program alone.
"""
import contextlib
import importlib
import importlib.metadata
import io
import json
import resource
import sys
import time

import numpy as np

K, SUBSETS, SUBSET_SIZE = 5, 100, 1000


def jaxsynth() -> dict:
  """Ours."""
  modules = [importlib.import_module(f'jaxsynth.metrics.{name}')
             for name in ('prdc', 'frechet', 'kernel')]
  prdc, frechet, kernel = modules
  return {'prdc': lambda a, b: prdc.prdc(a, b, K)._asdict(),
          'frechet': frechet.frechet_distance,
          'kernel': lambda a, b: kernel.kernel_distance(
              a, b, subsets=SUBSETS, subset_size=min(SUBSET_SIZE, len(a) // 2)).value}


def prdc() -> dict:
  """The package of that name, Naeem et al.'s own."""
  package = importlib.import_module('prdc')
  return {'prdc': lambda a, b: {k: float(v) for k, v in package.compute_prdc(a, b, K).items()}}


def torch_fidelity() -> dict:
  """Its arithmetic on features."""
  torch = importlib.import_module('torch')
  fid = importlib.import_module('torch_fidelity.metric_fid')
  kid = importlib.import_module('torch_fidelity.metric_kid')

  def frechet(a: np.ndarray, b: np.ndarray) -> float:
    statistics = [fid.fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b)]
    return fid.fid_statistics_to_metric(*statistics, verbose=False)['frechet_inception_distance']

  def kernel(a: np.ndarray, b: np.ndarray) -> float:
    return kid.kid_features_to_metric(
        torch.from_numpy(a), torch.from_numpy(b), kid_subsets=SUBSETS, verbose=False,
        kid_subset_size=min(SUBSET_SIZE, len(a) // 2))['kernel_inception_distance_mean']
  return {'frechet': frechet, 'kernel': kernel}


def features(n: int, width: int) -> tuple[np.ndarray, np.ndarray]:
  """Two sets, float32 `[n, width]`, not far from each other."""
  rng = np.random.RandomState(0)
  draw = lambda shift: (rng.standard_normal((n, width)) + shift).astype(np.float32)
  return draw(0.), draw(.05)


def rss_mb() -> float:
  """The largest resident size so far; Linux counts in KiB."""
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
  name, n, width = sys.argv[1], *map(int, sys.argv[2:])
  answers = sys.stdout
  say = lambda message: print(json.dumps(message), file=answers, flush=True)
  with contextlib.redirect_stdout(io.StringIO()):
    try:
      scores = {'jaxsynth': jaxsynth, 'prdc': prdc, 'torch_fidelity': torch_fidelity}[name]()
      version = importlib.metadata.version(name.replace('_', '-'))
    except (ImportError, RuntimeError) as error:
      say({'error': f'{sys.executable} cannot import it ({error})'})
      return
    real, fake = features(n, width)
    say({'version': version, 'rss_mb': rss_mb()})
    for line in sys.stdin:
      start = time.perf_counter()
      value = scores[line.strip()](real, fake)
      say({'seconds': time.perf_counter() - start, 'value': value, 'rss_mb': rss_mb()})


if __name__ == '__main__':
  main()
