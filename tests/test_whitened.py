"""White series: what the map leaves, that it is undone, and what it is learned from."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.losses.fourier import fourier
from jaxsynth.models.time_mlp import TimeMLP
from jaxsynth.objectives import whitened
from jaxsynth.objectives.flow_matching import flow_matching
from jaxsynth.types import Context

SHAPE = (24, 3)


def walks(n, seed=0):
  """A level with steps of a thousandth of it; a second column near it, a third equal to it."""
  rng = np.random.default_rng(seed)
  first = rng.uniform(-.8, .8, (n, 1)) + .001 * np.cumsum(rng.normal(size=(n, 24)), 1)
  second = first + .02 * rng.normal(size=(n, 24))
  return jnp.asarray(np.stack([first, second, first], -1), jnp.float32)


def learned(batches, steps=500):
  """What is known after these batches, and the losses."""
  inner = flow_matching(TimeMLP(8, 1), SHAPE, crop=whitened.FARTHEST)
  objective = whitened.whitened(inner, SHAPE, steps=steps)
  params, variables = objective.init(jax.random.key(0), {'series': batches[0]})
  for k, batch in enumerate(batches):
    _, (variables, _) = objective.loss(params, variables, {'series': batch}, Context(
        jnp.int32(k), jax.random.key(k)))
  return variables['flow'][whitened.NAME]


def test_the_cosine_transform_is_scipys_and_undone():
  scipy_fft = pytest.importorskip('scipy.fft')
  x = walks(5)
  motions = whitened.to_motions(x)
  np.testing.assert_allclose(motions, scipy_fft.dct(np.asarray(x, np.float64), axis=1,
                                                    norm='ortho'), atol=1e-6)
  np.testing.assert_allclose(whitened.from_motions(motions, x.shape), x, atol=1e-6)


def test_what_is_known_are_the_mean_and_covariance_of_the_data():
  """Up to the error of batches of 500; deviations are from the mean before, `1 + 1/n` times."""
  batches = [walks(500, seed) for seed in range(40)]
  known = learned(batches)
  motions = np.asarray(whitened.to_motions(walks(20000, 99)), np.float64)
  size = motions.std(0)
  assert np.abs((known['mean'] - motions.mean(0)) / size).max() < .05
  expected = np.stack([np.cov(motions[:, k].T) for k in range(24)])
  relative = (known['covariance'] - expected) / size[:, :, None] / size[:, None]
  assert np.abs(relative).max() < .06


def test_white_series_have_variance_one_at_every_frequency_and_are_undone():
  known = learned([walks(500, seed) for seed in range(20)])
  x = walks(4000, 77)
  white = whitened.to_white(known, x)
  motions = np.asarray(whitened.to_motions(white), np.float64)
  for k in (0, 1, 5, 23):
    covariance = np.cov(motions[:, k].T)
    if k:
      np.testing.assert_allclose(covariance[:2, :2], np.eye(2), atol=.12)
    else:  # the gap is a hundredth of the level, which the floor takes a tenth of
      assert .9 < covariance[0, 0] < 1.1 and .7 < covariance[1, 1] < 1
    assert covariance[2, 2] < .06  # the same column again says no more than what was rounded
  back = whitened.from_white(known, white)
  np.testing.assert_allclose(back, x, atol=2e-6)


def test_it_is_learned_in_the_first_steps_alone():
  batches = [walks(50, seed) for seed in range(5)]
  after, before = (learned(batches[:n], steps=3) for n in (5, 3))
  for name in after:
    np.testing.assert_array_equal(after[name], before[name])
  longer = learned(batches, steps=5)
  assert float(jnp.abs(longer['mean'] - before['mean']).max()) > 0


def test_parts_of_a_batch_know_together_what_the_batch_does():
  """So a batch may be divided over devices, or be accumulated."""
  known, motions = learned([walks(64)]), whitened.to_motions(walks(64, 1))
  step = jnp.int32(1)
  whole = whitened.updated(known, motions, step, 9)
  halves = [whitened.updated(known, part, step, 9) for part in (motions[:32], motions[32:])]
  for name, x in whole.items():
    np.testing.assert_allclose(x, (halves[0][name] + halves[1][name]) / 2, rtol=1e-5, atol=1e-9)


def test_what_was_never_seen_is_cropped_and_stays_finite():
  """A column that did not move while the map was learned."""
  still = walks(100).at[..., 1].set(.5)
  white = whitened.to_white(learned([still, still, still]), walks(100))
  assert float(jnp.abs(white).max()) <= whitened.FARTHEST
  assert bool(jnp.isfinite(white).all())


def test_the_error_in_frequencies_is_that_of_numpys_transform():
  rng = np.random.default_rng(0)
  x, y = rng.normal(size=(2, 4, 9, 2))
  apart = np.fft.rfft(x - y, axis=1) / 3  # orthonormal: the root of 9 steps
  expected = np.mean(np.abs(apart.real) + np.abs(apart.imag), (1, 2))
  np.testing.assert_allclose(fourier(jnp.asarray(x), jnp.asarray(y)), expected, rtol=1e-5)
