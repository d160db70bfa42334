"""Embeddings: norms that no example exceeds, kernels that they are of, and what they tell apart."""
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.privacy import embeddings, wavelets

SHAPE = (12, 10, 1)
VIEWS = {'pixels': embeddings.pixels, 'patches': embeddings.patches,
         'wavelets': wavelets.wavelets}
EVERY = pytest.mark.parametrize('name', VIEWS)
KEY = jax.random.key(5)


def some(n=40, shape=SHAPE):
  """Noise, black, white and far outside of the range."""
  noise = jax.random.uniform(KEY, (n, *shape), minval=-1.)
  return jnp.concatenate([noise, -jnp.ones((1, *shape)), jnp.ones((1, *shape)), 1e3 * noise[:4]])


def kernel(x, y, bandwidths):
  """Of two vectors, by its definition."""
  distance = np.sum((np.asarray(x, float) - np.asarray(y, float)) ** 2)
  return np.mean([np.exp(-distance / (2 * b * b)) for b in bandwidths])


@EVERY
def test_no_example_is_longer_than_one(name):
  for size in (36, 300, 3000):
    parts = [embeddings.fourier(VIEWS[name](SHAPE), b, size) for b in ((.5,), (.01, 30.))]
    for embedding in (parts[0], embeddings.together(parts)):
      features = jax.jit(embedding.apply)(embedding.init(KEY), some())
      chex.assert_shape(features, (len(some()), embedding.size))
      norms = np.linalg.norm(np.asarray(features, np.float64), axis=1)
      assert norms.max() <= 1 and norms.min() > 1 - 1e-4


@EVERY
def test_products_are_those_of_the_kernel_that_it_says(name):
  view, bandwidths = VIEWS[name](SHAPE), (.4, .8)
  embedding = embeddings.fourier(view, bandwidths, 40000)
  x = some(4)
  seen, features = view.apply(x), embedding.apply(embedding.init(KEY), x)
  chex.assert_shape(seen, (len(x), view.parts, view.length))
  for i, j in ((0, 1), (0, 4), (4, 5), (2, 2)):
    expected = np.mean([kernel(seen[i, p], seen[j, p], bandwidths) for p in range(view.parts)])
    assert float(features[i] @ features[j]) == pytest.approx(expected, abs=.03)


def test_pixels_differ_by_their_mean_square_and_patches_by_that_of_a_window():
  x, y = some(2)[:2]
  apart = lambda view: np.sum(np.square(np.diff(view.apply(jnp.stack([x, y])), axis=0))[0], -1)
  np.testing.assert_allclose(apart(embeddings.pixels(SHAPE)), [jnp.mean((x - y) ** 2)], rtol=1e-5)
  corner = jnp.mean((x - y)[:6, :5] ** 2), jnp.mean((x - y)[6:, 5:] ** 2)
  np.testing.assert_allclose(apart(embeddings.patches(SHAPE))[[0, -1]], corner, rtol=1e-5)


def bar(angle, shift=0.):
  """A smooth bar through the middle of 28 x 28 pixels."""
  rows, columns = np.mgrid[:28, :28] - 13.5
  across = (columns - shift) * np.cos(angle) + rows * np.sin(angle)
  along = -(columns - shift) * np.sin(angle) + rows * np.cos(angle)
  return 2 * np.exp(-(across / 1.5) ** 2 - (along / 8) ** 6)[..., None] - 1


def test_wavelets_tell_directions_better_than_places():
  """Of a bar that is moved by two pixels and one that is turned, against what pixels say."""
  def ratio(view):
    plain, moved, turned = np.asarray(view.apply(jnp.asarray(
        [bar(0.), bar(0., 2.), bar(.5)], jnp.float32)))
    return np.sum((moved - plain) ** 2) / np.sum((turned - plain) ** 2)
  assert ratio(wavelets.wavelets((28, 28, 1))) < .7 * ratio(embeddings.pixels((28, 28, 1)))


def test_what_is_flat_has_no_answer_and_a_wave_answers_in_its_direction():
  bank = wavelets.morlet((4.,), 4)
  rows, columns = np.mgrid[:11, :11] - 5.
  np.testing.assert_allclose(bank.sum((0, 1)), 0, atol=1e-12)
  for k in range(4):
    angle = np.pi * k / 4
    wave = np.cos(2 * np.pi / 4 * (columns * np.cos(angle) + rows * np.sin(angle)))
    answers = np.abs((bank * wave[..., None]).sum((0, 1)))
    assert answers.argmax() == k and answers[k] > 3 * np.sort(answers)[-2]


def test_channels_and_odd_sizes_fit():
  for name, view in VIEWS.items():
    made = view((9, 13, 3))
    assert made.apply(some(2, (9, 13, 3))).shape[1:] == (made.parts, made.length), name


@EVERY
def test_gradients_are_finite_where_an_image_is_flat(name):
  embedding = embeddings.fourier(VIEWS[name](SHAPE), (.5,), 90)
  total = lambda x: jnp.sum(embedding.apply(embedding.init(KEY), x)[:, ::3])
  chex.assert_tree_all_finite(jax.grad(total)(some(2)))


@pytest.mark.parametrize('make, message', [
    (lambda pixels: embeddings.fourier(pixels, (), 16), r'bandwidths \[\]: expected one or more'),
    (lambda pixels: embeddings.fourier(pixels, (0.,), 16), 'numbers above 0'),
    (lambda pixels: embeddings.fourier(pixels, (float('inf'),), 16), 'numbers above 0'),
    (lambda pixels: embeddings.fourier(pixels, (1., 2.), 3),
     '3 features of all pixels: expected at least 4, a cosine and a sine of each of 1 parts'),
    (lambda pixels: embeddings.together([]), 'no embeddings: expected one or more'),
    (lambda pixels: embeddings.patches((3, 9, 1)), 'images 3 x 9: expected 4 pixels a side')])
def test_what_cannot_be_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make(embeddings.pixels(SHAPE))


def test_frequencies_depend_on_the_key_alone():
  embedding = embeddings.fourier(embeddings.pixels(SHAPE), (.5,), 64)
  same = functools.partial(np.array_equal, embedding.init(KEY))
  assert same(embedding.init(jax.random.key(5))) and not same(embedding.init(jax.random.key(6)))
