"""Networks over data sets: blocks, devices, and what is not an image."""
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from jaxsynth.metrics import predict as predicts
from jaxsynth.metrics.predict import checked, in_blocks, predict
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives import network

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (11, 8, 8, 1), np.uint8)
FLOATS = IMAGES.astype(np.float32) / 127.5 - 1


@pytest.fixture(scope='module')
def trained():
  net = Classifier(3, (4, 8), features=6)
  return net, *jax.jit(lambda key: network.init(net, key, jnp.zeros((1, 8, 8, 1))))(
      jax.random.key(0))


@pytest.mark.parametrize('size, devices', [(4, 1), (11, 1), (64, 1), (8, 4), (2, 2)])
def test_predictions_do_not_depend_on_blocks_or_devices(trained, size, devices):
  found = predict(*trained, IMAGES, size, features=True, devices=jax.devices()[:devices])
  logits, last = jax.jit(lambda x: network.apply(*trained, x, features=True)[0])(FLOATS)
  np.testing.assert_allclose(found.logits, logits, atol=1e-5)
  np.testing.assert_allclose(found.features, last, atol=1e-5)
  np.testing.assert_allclose(found.probabilities, jax.nn.softmax(logits), atol=1e-5)
  np.testing.assert_array_equal(found.labels, jnp.argmax(logits, -1))
  assert found.probabilities.dtype == np.float32 and found.labels.dtype == np.int32


def test_floats_and_bytes_agree_and_features_are_optional(trained):
  a, b = predict(*trained, IMAGES), predict(*trained, FLOATS)
  np.testing.assert_allclose(a.logits, b.logits, atol=1e-6)
  assert a.features is None


def test_one_compilation_for_all_blocks_and_calls():
  traces = []

  def apply(params, x):
    traces.append(x.shape)
    return x.sum((1, 2, 3)) * params

  for n in (3, 8, 11, 4):
    found = in_blocks(apply, jnp.float32(2), FLOATS[:n], 4)
    np.testing.assert_allclose(found, 2 * FLOATS[:n].sum((1, 2, 3)), atol=1e-4)
  assert traces == [(4, 8, 8, 1)]


def test_a_classifier_is_compiled_once(trained):
  net, params, variables = trained
  predict(net, params, variables, IMAGES, 4)
  before = predicts._run._cache_size()
  predict(Classifier(3, (4, 8), features=6), params, variables, IMAGES[:2], 4)  # an equal one
  assert predicts._run._cache_size() == before


def test_a_classifier_that_cannot_be_hashed_is_run_too(trained):
  _, params, variables = trained
  found = predict(Classifier(3, [4, 8], features=6), params, variables, IMAGES, 4)
  np.testing.assert_array_equal(found.logits, predict(*trained, IMAGES, 4).logits)


def with_value(value, at=(3, 0, 0, 0)):
  x = FLOATS.copy()
  x[at] = value
  return x


@pytest.mark.parametrize('images, message', [
    (IMAGES[..., 0], r'shape \[11, 8, 8\], expected \[N, H, W, C\]'),
    (IMAGES[:0], r'shape \[0, 8, 8, 1\], expected .*N > 0'),
    (IMAGES.astype(np.int32), 'dtype int32, expected uint8'), (IMAGES > 9, 'dtype bool'),
    (IMAGES.astype(np.float32), r'in \[0, 25\d\], expected \[-1, 1\]; give them as uint8 in'),
    (with_value(-1.5), r'in \[-1.5, 1\], expected \[-1, 1\]; give them as uint8 in'),
    ((IMAGES - IMAGES.min()) / 256., r'in \[0, .*seem to be in \[0, 1\]: give 2 \* x - 1'),
    ((IMAGES > 99).astype(np.uint8), r'uint8 images whose largest value is 1, expected \[0, 255'),
    (with_value(np.nan), '1 of 11 images are not finite, the first is 3'),
    (with_value(np.inf), 'not finite, the first is 3'), ('cat', r'shape \[\]')])
def test_what_is_not_an_image_is_refused(images, message):
  with pytest.raises(ValueError, match=message):
    checked(images)


@pytest.mark.parametrize('images', [
    IMAGES, FLOATS, FLOATS.astype(np.float64), FLOATS.astype(ml_dtypes.bfloat16), FLOATS * 0,
    np.zeros((2, 4, 4, 1), np.uint8), np.ones((2, 4, 4, 1)), jnp.asarray(FLOATS)])
def test_images_that_are_taken(images):
  found = checked(images)
  assert found.dtype == (np.uint8 if images.dtype == np.uint8 else np.float32)
  np.testing.assert_array_equal(found, np.asarray(images, found.dtype))


def test_the_shape_wanted_is_named():
  with pytest.raises(ValueError, match=r"features 'mnist': images of shape \[11, 8, 8, 1\], "
                     r'expected \[N, 28, 28, 1\]'):
    checked(IMAGES, (28, 28, 1), "features 'mnist'")
  checked(IMAGES, (None, 8, 1))


@pytest.mark.parametrize('size, devices', [(0, 1), (6, 4), (-4, 1)])
def test_block_sizes_that_are_refused(size, devices):
  with pytest.raises(ValueError, match=f'batch_size={size}: expected a positive multiple of'):
    in_blocks(lambda p, x: x, None, FLOATS, size, jax.devices()[:devices])
