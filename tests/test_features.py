"""Feature extractors: the shipped network, random ones, pixels, and their hashes."""
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest

from jaxsynth import data
from jaxsynth.metrics import features
from jaxsynth.metrics.features.mnist_network import folded, load, SHA256, WEIGHTS
from jaxsynth.metrics.predict import predict
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives import network

REAL = pathlib.Path('../shared/tfds')
ROOT = pathlib.Path(__file__).parent.parent
RNG = np.random.default_rng(0)


def test_the_shipped_network_knows_real_digits():
  """99.59 % of MNIST's test; these 500 may be among those it was trained on."""
  digits = data.mnist5k('test')
  found = features.extract(features.mnist_logits(), digits.images)
  assert np.mean(found.argmax(1) == digits.labels) > .99
  assert WEIGHTS.stat().st_size < 1_000_000


def test_test_accuracy_is_as_stated():
  if not (REAL / 'mnist').is_dir():
    pytest.skip(f'no prepared mnist in {REAL}')
  test = data.in_memory(data.tfds_source('mnist', 'test', REAL))
  found = features.extract(features.mnist_logits(), test.images).argmax(1)
  assert np.sum(found == test.labels) == pytest.approx(9959, abs=1)  # of 10,000


def test_features_are_the_layer_before_the_last():
  images = data.mnist5k('test').images[::50]
  net = features.mnist()
  found = features.extract(net, images, 4)
  assert found.shape == (10, 64) and found.min() == 0 and found.dtype == np.float32
  last = found @ net.params['logits.kernel'] + net.params['logits.bias']
  np.testing.assert_allclose(
      last, features.extract(features.mnist_logits(), images, 10), rtol=1e-4, atol=1e-4)
  # each feature says something
  assert (features.extract(net, data.mnist5k('test').images).std(0) > 0).all()


def test_a_damaged_file_is_an_error(tmp_path):
  params = load(WEIGHTS, SHA256)
  for name, change in (('conv0.bias', 1e-3), ('logits.kernel', 1.)):
    np.savez(tmp_path / 'x.npz', **{**params, name: params[name] + np.float32(change)})
    with pytest.raises(features.DamagedWeights, match=f'expected {SHA256}; install'):
      load(tmp_path / 'x.npz', SHA256)
  torn = bytearray(WEIGHTS.read_bytes())
  torn[len(torn) // 2] ^= 1
  (tmp_path / 'y.npz').write_bytes(torn)
  (tmp_path / 'z.npz').write_bytes(torn[:1000])
  for name in ('y', 'z', 'none'):
    with pytest.raises(features.DamagedWeights, match='cannot be read'):
      load(tmp_path / f'{name}.npz', SHA256)


def test_digests_see_names_types_shapes_and_bytes():
  a = np.arange(4, dtype=np.float32)
  every = [{'a': a}, {'b': a}, {'a': a.astype(np.float64)}, {'a': a.reshape(2, 2)},
           {'a': a + np.float32(1e-3)}, {'a': a, 'b': a}, {}]
  assert len({features.digest(x) for x in every}) == len(every)
  swapped = features.digest({'b': a, 'a': a.astype('>f4')})
  assert swapped == features.digest({'a': a, 'b': a})


def test_what_is_shipped_is_what_was_trained(key):
  """Folding changes no logit."""
  net = Classifier(10, (32, 64), blocks=2, features=64)
  images = data.mnist5k('test').images[:20]
  params, variables = jax.jit(lambda k: network.init(net, k, np.zeros((1, 28, 28, 1))))(key)
  leaves, tree = jax.tree.flatten(variables)
  keys = jax.random.split(key, len(leaves))
  variables = jax.tree.unflatten(tree, [
      x + .5 * jax.random.uniform(k, x.shape) for x, k in zip(leaves, keys)])
  found = folded(*jax.device_get((params, variables)))
  shipped = features.mnist_logits()._replace(params=found)
  assert {k: x.shape for k, x in found.items()} == {
      k: x.shape for k, x in load(WEIGHTS, SHA256).items()}
  want = predict(net, params, variables, images).logits
  np.testing.assert_allclose(features.extract(shipped, images), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('shape', [(28, 28, 1), (5, 3, 3), (1, 1, 1), (33, 65, 2)])
def test_random_features_of_any_shape(shape):
  images = RNG.integers(0, 256, (6, *shape), np.uint8)
  net = features.random_conv(shape[-1])
  found = features.extract(net, images, 4)
  assert found.shape == (6, net.width) and found.min() >= 0
  assert len(np.unique(found, axis=0)) == 6
  with pytest.raises(ValueError, match=rf'expected \[N, H, W, {shape[-1]}\]'):
    features.extract(net, np.zeros((2, 8, 8, shape[-1] + 1), np.uint8))


def test_random_features_are_their_seed_for_good():
  assert features.random_conv(1).sha256 == RANDOM
  seeds = [features.random_conv(1, seed=s) for s in (0, 0, 1)]
  assert seeds[0].sha256 == seeds[1].sha256 != seeds[2].sha256
  assert [s.name for s in seeds] == ['random_conv_0', 'random_conv_0', 'random_conv_1']
  with pytest.raises(ValueError, match='channels=0'):
    features.random_conv(0)


RANDOM = '1c5958cb273a71bcaf38823707fcfe9d7f0fbc89df5bb30062521ff79595e295'


def test_pixels_are_pixels():
  images = RNG.integers(0, 256, (3, 4, 5, 2), np.uint8)
  np.testing.assert_allclose(features.extract(features.pixels(), images, 2),
                             images.reshape(3, 40) / 127.5 - 1, atol=1e-6)


def test_names_of_scores():
  for make, name in ((features.mnist, 'frechet_mnist'), (features.pixels, 'frechet_pixels'),
                     (features.random_conv, 'frechet_random_conv_0')):
    assert features.score_name('frechet', make()) == name


@pytest.mark.parametrize('images, message', [
    (np.zeros((3, 32, 32, 1), np.uint8), r"'mnist': images of shape \[3, 32, 32, 1\], expected "
     r'\[N, 28, 28, 1\]'),
    (np.zeros((3, 28, 28), np.uint8), r'expected \[N, 28, 28, 1\]'),
    (np.full((3, 28, 28, 1), 7.), 'give them as uint8'),
    (np.full((3, 28, 28, 1), np.nan), '3 of 3 images are not finite')])
def test_extract_refuses(images, message):
  with pytest.raises(ValueError, match=message):
    features.extract(features.mnist(), images)


def test_features_that_are_not_finite_are_an_error():
  net = features.mnist()
  broken = net._replace(params={**net.params, 'features.bias': np.full(64, np.nan, np.float32)})
  with pytest.raises(ValueError, match="'mnist' of image 0 are not finite: the weights"):
    features.extract(broken, np.zeros((3, 28, 28, 1), np.uint8), 4)


def test_features_load_without_flax():
  code = ('import sys, numpy as np; from jaxsynth.metrics import features as f\n'
          'f.extract(f.mnist(), np.zeros((1, 28, 28, 1), np.uint8), 1)\n'
          'print([m for m in ("flax", "orbax", "tensorflow", "PIL") if m in sys.modules])')
  assert subprocess.run([sys.executable, '-c', code], text=True, check=True, cwd=ROOT,
                        capture_output=True).stdout.strip() == '[]'
