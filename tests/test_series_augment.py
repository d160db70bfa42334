"""Augmentations of series, against what each must leave as it is."""
import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth.data.augment import series as augment
from jaxsynth.downstream import learners
from jaxsynth.kinds.series_kind import series

KEYS = jax.random.split(jax.random.key(0), 2000)
WAVE = jnp.sin(jnp.linspace(0, 9, 40))[:, None] * jnp.array([[1., 3.]])


def many(f, *rest):
  return np.asarray(jax.vmap(lambda key: f(key, WAVE, *rest))(KEYS))


def test_noise_and_sizes_have_the_deviation_that_is_asked_for():
  np.testing.assert_allclose((many(augment.jitter, .2) - WAVE[None]).std(), .2, rtol=.02)
  factor = many(augment.rescale, .1) / np.where(WAVE == 0, 1, WAVE)[None]
  np.testing.assert_allclose(factor[:, 1:].std((0, 1)), .1, rtol=.06)
  np.testing.assert_allclose(np.ptp(factor[:, 1:], 1), 0, atol=1e-4)  # one for the whole channel


def test_a_shift_is_by_every_number_of_steps_up_to_the_most():
  shifted, wave = many(augment.shift, 2), np.asarray(WAVE)
  of = {by: wave[np.clip(np.arange(40) + by, 0, 39)] for by in range(-2, 3)}
  counts = [(np.abs(shifted - x[None]).max((1, 2)) < 1e-6).sum() for x in of.values()]
  assert sum(counts) == 2000 and min(counts) > 300


def test_time_that_runs_unevenly_begins_and_ends_where_it_did():
  line = jnp.linspace(0., 1., 40)[:, None]
  warped = np.asarray(jax.vmap(lambda key: augment.time_warp(key, line))(KEYS))[..., 0]
  np.testing.assert_allclose(warped[:, [0, -1]], [[0, 1]] * 2000, atol=1e-5)
  assert (np.diff(warped, axis=1) > 0).all()  # never back
  np.testing.assert_allclose(warped.mean(0), line[:, 0], atol=.01)  # nor forward on average
  assert .03 < warped[:, 20].std() < .1
  still = augment.time_warp(KEYS[0], WAVE, 0.)
  np.testing.assert_allclose(still, WAVE, atol=1e-5)


def test_the_augmentation_of_learners_keeps_shape_and_label():
  learner = learners.learner_of(series((24, 3), [-1.] * 3, [1.] * 3))
  for steps in (1, 24):
    x, label = learner.augment(KEYS[0], jnp.ones((steps, 3)), jnp.array(2))
    assert x.shape == (steps, 3) and label == 2 and bool(jnp.isfinite(x).all())
