"""Writes what the peers compute on fixed features, for tests/test_metrics_peers.py.

    python -m venv peers
    peers/bin/pip install torch==2.13.0 torch-fidelity==0.4.0 pytorch-fid==0.3.0 prdc==0.2
    peers/bin/python tests/goldens/make_metrics.py

Run it from the root, in an environment of its own.
"""
import contextlib
import importlib.metadata
import json
import pathlib
import sys

import numpy as np

PATH = pathlib.Path(__file__).with_name('metrics.json')
CASES = {'narrow': (600, 500, 16), 'wide': (700, 900, 128), 'offset': (500, 500, 32)}


def features(name):
  """Real `[N, D]` and fake `[M, D]`, float32: correlated, skew, of unequal scales.

  Without a matrix product, so that they are the same bits everywhere.
  """
  n, m, width = CASES[name]
  rng = np.random.RandomState(width)
  offset = 100 if name == 'offset' else 0

  def draw(size, shift, scale):
    x = rng.standard_normal((size, width))
    x = x + .7 * np.roll(x, 1, 1) - .4 * np.roll(x, 5, 1)
    x = np.maximum(x, .2 * x) * np.linspace(.5, 2, width)
    return (scale * x + shift + offset).astype(np.float32)
  return draw(n, 0, 1), draw(m, .15, .9)


def logits():
  """Class logits `[1000, 10]`, float32."""
  return (3 * np.random.RandomState(0).standard_normal((1000, 10))).astype(np.float32)


def main():
  import prdc
  from pytorch_fid.fid_score import calculate_frechet_distance
  import torch
  from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc
  moments = lambda x: (x.mean(0), np.cov(x, rowvar=False))
  scores = {}
  for name in CASES:
    real, fake = (x.astype(np.float64) for x in features(name))
    tensors = [torch.from_numpy(x) for x in (real, fake)]
    kid = metric_kid.kid_features_to_metric(
        *tensors, kid_subsets=50, kid_subset_size=200, verbose=False)
    precision, recall = metric_prc.calculate_precision_recall_full(*tensors[::-1], 3)
    with contextlib.redirect_stdout(sys.stderr):
      neighbours = prdc.compute_prdc(real, fake, 5)
    scores[name] = {
        'pytorch_fid': float(calculate_frechet_distance(*moments(real), *moments(fake))),
        'torch_fidelity_fid': metric_fid.fid_statistics_to_metric(
            *map(metric_fid.fid_features_to_statistics, tensors),
            verbose=False)['frechet_inception_distance'],
        'torch_fidelity_kid': kid['kernel_inception_distance_mean'],
        'torch_fidelity_kid_std': kid['kernel_inception_distance_std'],
        'torch_fidelity_precision_3': precision, 'torch_fidelity_recall_3': recall,
        'prdc': {key: float(value) for key, value in neighbours.items()}}
  classifier = metric_isc.isc_features_to_metric(torch.from_numpy(logits()))
  scores['classifier'] = {'mean': classifier['inception_score_mean'],
                          'std': classifier['inception_score_std']}
  scores['versions'] = {peer: importlib.metadata.version(peer) for peer in (
      'torch', 'torch-fidelity', 'pytorch-fid', 'prdc', 'scipy', 'scikit-learn', 'numpy')}
  PATH.write_text(json.dumps(scores, indent=2) + '\n')


if __name__ == '__main__':
  main()
