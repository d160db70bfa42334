"""The residual networks of GANs: sizes, initialisation, resampling, grouped convolutions."""
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import ops
from jaxsynth.models import r3gan, sngan
from jaxsynth.objectives import network

init = jax.jit(network.init, static_argnums=0)
apply = jax.jit(network.apply, static_argnums=0, static_argnames='train')
WIDE = dict(widths=(768,) * 4, groups=(96,) * 4, blocks=(2,) * 4)


def parameters(net, *args):
  shapes = jax.eval_shape(lambda: network.init(net, jax.random.key(0), *args)[0])
  return sum(x.size for x in jax.tree.leaves(shapes))


def test_published_configurations_have_their_parameters():
  """R3GAN's for CIFAR-10, 768 channels everywhere: a block has 768 * 1536 * 2 weights of maps,
  9 * 16 * 1536 of groups and 2 * 1536 biases, and there are eight. SNGAN's, by its table 4."""
  block = 2 * 768 * 1536 + 9 * 16 * 1536 + 2 * 1536
  image, z = jnp.zeros((1, 32, 32, 3)), jnp.zeros((1, 64))
  assert parameters(r3gan.Generator((32, 32, 3), **WIDE), z) == (
      8 * block + 16 * 768 + 64 * 768 + 3 * 768) == 20_732_160
  assert parameters(r3gan.Discriminator(**WIDE), image) == (
      8 * block + 16 * 768 + 768 + 3 * 768) == 20_683_776
  assert parameters(sngan.Generator(), jnp.zeros((1, 128))) == 4_276_739
  assert parameters(sngan.Discriminator(), image) == 1_053_825


NETWORKS = {'r3gan': (r3gan.Generator, r3gan.Discriminator, dict(
    widths=(8, 8, 4), groups=(2, 4, 1), blocks=(1, 2, 1)), dict(
        widths=(4, 8, 8), groups=(1, 4, 2), blocks=(1, 2, 1))),
            'sngan': (sngan.Generator, sngan.Discriminator, dict(width=8, blocks=2),
                      dict(width=8, blocks=3))}


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize('shape', [(28, 28, 1), (30, 17, 3)])
@pytest.mark.parametrize('classes', [None, 3])
def test_any_image_shape_with_and_without_labels(name, shape, classes):
  generator, discriminator, g, d = NETWORKS[name]
  label = () if classes is None else (jnp.arange(3),)

  def both(net, *args):
    params, variables = network.init(net, jax.random.key(0), *args)
    return network.apply(net, params, variables, *args, train=True)[0]
  images = jax.eval_shape(lambda: both(generator(shape, **g, num_classes=classes),
                                       jnp.zeros((3, 5)), *label))
  logits = jax.eval_shape(lambda: both(discriminator(**d, num_classes=classes),
                                       jnp.zeros((3, *shape)), *label))
  assert images.shape == (3, *shape) and images.dtype == jnp.float32
  assert logits.shape == (3,) and logits.dtype == jnp.float32


@pytest.mark.parametrize('name', NETWORKS)
def test_labels_matter(name, key):
  generator, discriminator, g, d = NETWORKS[name]
  z = jnp.broadcast_to(jax.random.normal(key, (1, 5)), (3, 5))
  for net, x in ((generator((8, 8, 1), **g, num_classes=3), z),
                 (discriminator(**d, num_classes=3), jnp.ones((3, 8, 8, 1)))):
    out, _ = apply(net, *init(net, key, x, jnp.arange(3)), x, jnp.arange(3), train=True)
    assert len({np.asarray(row).tobytes() for row in out}) == 3


def test_r3gans_blocks_begin_as_nothing_and_its_images_are_clipped_in_evaluation(key):
  """The image is then the basis, scaled by the latent, resized and mapped to a channel."""
  net = r3gan.Generator((8, 8, 1), (16, 16), (2, 2), (2, 2))
  z = jax.random.normal(key, (64, 5))
  params, _ = init(net, key, z)
  images, _ = apply(net, params, {}, z, train=True)
  seed = params['basis'][None] * (z @ params['Dense_0']['kernel'])[:, None, None]
  wanted = jax.image.resize(seed, (64, 8, 8, 16), 'bilinear') @ params['Conv_0']['kernel'][0, 0]
  np.testing.assert_allclose(images, wanted, atol=1e-5)
  assert float(jnp.abs(images).max()) > 1
  np.testing.assert_array_equal(apply(net, params, {}, z)[0], jnp.clip(images, -1, 1))


def test_r3gan_keeps_the_variance_of_what_passes(key):
  """Logits of images of unit variance have about unit variance at the start."""
  net = r3gan.Discriminator((64, 64), (8, 8), (1, 1))
  x = jax.random.normal(key, (256, 4, 4, 64))
  params, _ = init(net, key, x)
  assert .3 < float(jnp.std(apply(net, params, {}, x)[0])) < 3


@pytest.mark.parametrize('arguments', [dict(widths=(4, 4), groups=(1,), blocks=(1, 1)),
                                       dict(widths=(), groups=(), blocks=())])
def test_stages_of_other_lengths_are_refused(arguments, key):
  for net, x in ((r3gan.Generator(**arguments), jnp.zeros((1, 5))),
                 (r3gan.Discriminator(**arguments), jnp.zeros((1, 8, 8, 1)))):
    with pytest.raises(ValueError, match='expected a number of each for every stage'):
      network.init(net, key, x)
  with pytest.raises(ValueError, match='blocks=1: expected 2 at least'):
    network.init(sngan.Discriminator(blocks=1), key, jnp.zeros((1, 8, 8, 1)))


def grouped_by_xla(x, kernel, groups):
  return lax.conv_general_dilated(x, kernel, (1, 1), 'SAME', feature_group_count=groups,
                                  dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


@pytest.mark.parametrize('groups', [1, 2, 4])
def test_grouped_convolutions_are_xlas_with_first_and_second_derivatives(groups, key):
  x = jax.random.normal(key, (2, 5, 6, 8))
  kernel = jax.random.normal(jax.random.key(1), (3, 3, 8 // groups, 12))

  def derivatives(f):
    value = lambda x, kernel: jnp.sum(jnp.sin(f(x, kernel, groups)))
    slope = lambda x, kernel: jnp.sum(jax.grad(value)(x, kernel) ** 2)
    return f(x, kernel, groups), jax.grad(value, (0, 1))(x, kernel), jax.grad(
        slope, (0, 1))(x, kernel)
  ours, theirs = (jax.jit(derivatives, static_argnums=0)(f)
                  for f in (ops.grouped_conv, grouped_by_xla))
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), ours, theirs)


def test_grouped_convolutions_are_one_where_xla_has_them(key):
  x, kernel = jnp.zeros((2, 5, 6, 8)), jnp.zeros((3, 3, 2, 8))
  f = jax.jit(lambda x, kernel: ops.grouped_conv(x, kernel, 4))
  tpu = f.trace(x, kernel).lower(lowering_platforms=('tpu',)).as_text()
  assert tpu.count('feature_group_count = 4') == tpu.count('stablehlo.convolution') == 1
  for groups in (0, 3):
    with pytest.raises(ValueError, match=f'groups={groups}: expected a divisor of the 8'):
      ops.grouped_conv(x, kernel, groups)
  with ops.cpu_forms():
    assert 'platform' not in str(jax.make_jaxpr(lambda: ops.grouped_conv(x, kernel, 4))())
