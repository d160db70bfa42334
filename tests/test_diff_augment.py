"""What a discriminator sees instead of an image."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.data import augment

KEYS = jax.random.split(jax.random.key(0), 400)
IMAGES = jax.random.uniform(jax.random.key(1), (400, 8, 8, 3), minval=-1.)


def changed(p, **options):
  f = augment.diff_augment((8, 8), **{'color': 0., 'translation': 0., 'cutout': 0., **options})
  after = f(KEYS, IMAGES, p)
  assert after.shape == IMAGES.shape and after.dtype == IMAGES.dtype
  return np.asarray(after != IMAGES).any((1, 2, 3)).mean(), np.asarray(after)


@pytest.mark.parametrize('part', ['color', 'translation', 'cutout'])
def test_each_part_is_applied_with_its_probability(part):
  """A shift by no pixel, one in nine where the largest is one, changes nothing."""
  assert changed(0., **{part: .125})[0] == 0
  share = 8 / 9 if part == 'translation' else 1
  assert changed(1., **{part: .125})[0] > share - .05
  assert abs(changed(.5, **{part: .125})[0] - share / 2) < .08


def test_a_quarter_of_the_side_is_hidden_by_grey():
  _, after = changed(1., cutout=.5)
  hidden = (after == 0).all(-1).sum((1, 2))
  assert hidden.max() == 16 and hidden.min() >= 4


def test_the_gradient_reaches_the_image_through_all_parts():
  f = augment.diff_augment((8, 8))
  slope = jax.grad(lambda x: jnp.sum(f(KEYS, x, 1.)))(IMAGES)
  assert np.isfinite(slope).all() and np.asarray(slope != 0).mean() > .5


@pytest.mark.parametrize('options, message', [
    (dict(color=-1.), r'color=-1.0: expected \[0, 1\]'), (dict(cutout=2.), 'cutout=2.0'),
    (dict(color=0., translation=.01, cutout=0.), 'nothing to do')])
def test_refused(options, message):
  with pytest.raises(ValueError, match=message):
    augment.diff_augment((8, 8), **options)
