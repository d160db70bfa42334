"""Scores against other programs' on the same features: stored, and live where installed."""
import json

from goldens import make_metrics
import jax
import numpy as np
import pytest
import scipy.linalg
import scipy.spatial.distance
import scipy.stats

from jaxsynth.metrics import (classifier_score, frechet, kernel, memorisation, moments, prdc,
                              score, statistics)

GOLDENS = json.loads(make_metrics.PATH.read_text())
cases = pytest.mark.parametrize('name', make_metrics.CASES)


@cases
def test_frechet_is_pytorch_fids_and_torch_fidelitys(name):
  found = frechet.frechet_distance(*make_metrics.features(name))
  for peer in ('pytorch_fid', 'torch_fidelity_fid'):
    np.testing.assert_allclose(found, GOLDENS[name][peer], rtol=1e-5)


@cases
def test_kernel_is_torch_fidelitys(name):
  real, fake = make_metrics.features(name)
  found = kernel.kernel_distance(real, fake, subsets=50, subset_size=200)
  golden, deviation = (GOLDENS[name][f'torch_fidelity_kid{end}'] for end in ('', '_std'))
  np.testing.assert_allclose(found.value, golden, rtol=1e-4)
  n = min(len(real), len(fake))
  np.testing.assert_allclose(
      found.standard_error, deviation * (50 / 49 * (200 / (n - 200) + 1 / 50)) ** .5, rtol=1e-4)


@cases
def test_prdc_is_prdcs_and_torch_fidelitys(name):
  real, fake = make_metrics.features(name)
  golden = GOLDENS[name]['prdc']
  np.testing.assert_allclose(prdc.prdc(real, fake, 5), [golden[f] for f in prdc.PRDC._fields],
                             rtol=1e-4)
  found = prdc.prdc(real, fake, 3)
  np.testing.assert_allclose(
      [found.precision, found.recall],
      [GOLDENS[name][f'torch_fidelity_{which}_3'] for which in ('precision', 'recall')], rtol=1e-4)


def test_classifier_score_is_torch_fidelitys():
  found = classifier_score.classifier_score(jax.nn.softmax(make_metrics.logits()))
  np.testing.assert_allclose(found.value, GOLDENS['classifier']['mean'], rtol=1e-5)
  np.testing.assert_allclose(found.standard_error * 9 ** .5, GOLDENS['classifier']['std'],
                             rtol=1e-4)


@pytest.mark.parametrize('k,block,dtype', [(1, None, np.float32), (20, 37, np.float64)])
def test_prdc_is_prdcs_live(k, block, dtype):
  peer = pytest.importorskip('prdc', reason='pip install prdc, to compare with it')
  rng = np.random.RandomState(0)
  real, fake = rng.standard_normal((1000, 24)), 1.1 * rng.standard_normal((800, 24)) + .1
  golden = peer.compute_prdc(real, fake, k)
  np.testing.assert_allclose(prdc.prdc(real.astype(dtype), fake.astype(dtype), k, block=block),
                             [golden[f] for f in prdc.PRDC._fields], rtol=1e-4)


@cases
def test_frechet_is_scipys_square_root(name):
  real, fake = (x.astype(np.float64) for x in make_metrics.features(name))
  a, b = np.cov(real.T), np.cov(fake.T)
  for found, truth in zip(map(moments.of, (real, fake)), (a, b)):
    np.testing.assert_allclose(found.covariance, truth, rtol=0, atol=1e-6 * truth.max())
  truth = (((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(a + b)
           - 2 * np.trace(scipy.linalg.sqrtm(a @ b).real))
  np.testing.assert_allclose(frechet.frechet_distance(real, fake), truth, rtol=1e-5)


@cases
def test_statistics_are_scipys(name):
  real, fake = make_metrics.features(name)
  found = statistics.compare(real, fake, bins=32)
  for d in range(0, real.shape[1], 3):
    r, f = real[:, d].astype(np.float64), fake[:, d].astype(np.float64)
    np.testing.assert_allclose(found.ks[d], scipy.stats.ks_2samp(r, f).statistic, rtol=1e-9)
    np.testing.assert_allclose(found.wasserstein[d], scipy.stats.wasserstein_distance(r, f),
                               rtol=1e-9)
    span = (min(r.min(), f.min()), max(r.max(), f.max()))
    p, q = (np.histogram(x, 32, span)[0] for x in (r, f))
    np.testing.assert_allclose(
        found.js[d], scipy.spatial.distance.jensenshannon(p, q, base=2) ** 2, rtol=1e-9)
  pairs = np.triu_indices(real.shape[1], 1)
  truth = np.abs(np.corrcoef(real.T) - np.corrcoef(fake.T))[pairs].mean()
  np.testing.assert_allclose(found.correlation, truth, rtol=1e-4)


def test_intervals_are_scipys():
  for count, total, confidence in [(0, 10, .95), (3, 10, .9), (50, 1000, .99), (10, 10, .95)]:
    for ours, method in ((score.wilson, 'wilson'), (score.clopper_pearson, 'exact')):
      truth = scipy.stats.binomtest(count, total).proportion_ci(confidence, method)
      found = ours(count, total, confidence)
      np.testing.assert_allclose((found.low, found.high), truth, atol=1e-9)


def test_mann_whitney_is_scipys():
  rng = np.random.default_rng(0)
  a, b = rng.integers(0, 30, 40).astype(float), rng.integers(5, 30, 55).astype(float)
  truth = scipy.stats.mannwhitneyu(a, b, alternative='less', method='asymptotic',
                                   use_continuity=False)
  np.testing.assert_allclose(scipy.stats.norm.cdf(memorisation._mann_whitney(a, b)), truth.pvalue)
