"""The article's networks, and every argument of theirs."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.models import dcgan
from jaxsynth.models.layers import Conv, ConvTranspose, Dropout
from jaxsynth.objectives import network


# operation by operation each would be compiled for itself
init = jax.jit(network.init, static_argnums=0)
apply = jax.jit(network.apply, static_argnums=0, static_argnames=('train', 'features'))


def parameters(net, *args):
  shapes = jax.eval_shape(lambda: init(net, jax.random.key(0), *args)[0])
  return sum(x.size for x in jax.tree.leaves(shapes))


def test_the_articles_networks_have_its_parameters():
  assert parameters(dcgan.Generator(), jnp.zeros((1, 100))) == 1_869_697
  assert parameters(dcgan.Discriminator(), jnp.zeros((1, 28, 28, 1))) == 419_329


def shapes(net, *args):
  """Shapes and dtypes of a network's parameters, and of what it gives; nothing is computed."""
  def both():
    params, variables = network.init(net, jax.random.key(0), *args)
    return params, network.apply(net, params, variables, *args)[0]
  return jax.eval_shape(both)


@pytest.mark.parametrize('shape, strides', [
    ((28, 28, 1), (1, 2, 2)), ((32, 32, 3), (1, 2, 2)), ((64, 64, 3), (1, 2, 2, 2)),
    ((28, 20, 1), (2, 2)), ((30, 17, 2), (1, 2, 2))])
def test_any_image_shape(shape, strides):
  g = dcgan.Generator(shape, width=8, strides=strides)
  d = dcgan.Discriminator(width=8, strides=(2,) * (len(strides) - 1))
  _, images = shapes(g, jnp.zeros((3, 10)))
  assert images.shape == (3, *shape) and images.dtype == jnp.float32
  _, logits = shapes(d, jnp.zeros((3, *shape)))
  assert logits.shape == (3,) and logits.dtype == jnp.float32


def test_tapered_channels_grow_as_images_shrink():
  g = dcgan.Generator((28, 20, 1), width=4, tapered=True)
  d = dcgan.Discriminator(width=6, strides=(2, 1, 2), tapered=True)
  channels = lambda params: [
      x['kernel'].shape[2:] for name, x in sorted(params.items()) if 'Conv' in name]
  params, images = shapes(g, jnp.zeros((3, 10)))
  assert images.shape == (3, 28, 20, 1)
  assert channels(params) == [(16, 16), (16, 8), (8, 4), (4, 1)]  # 7x5, 14x10, 28x20
  params, _ = shapes(d, jnp.zeros((3, 28, 20, 1)))
  assert channels(params) == [(1, 6), (6, 6), (6, 12)]


def test_labels_matter(key):
  g = dcgan.Generator((8, 8, 1), width=8, num_classes=3)
  d = dcgan.Discriminator(width=8, num_classes=3)
  z = jnp.broadcast_to(jax.random.normal(key, (1, 10)), (3, 10))
  label = jnp.arange(3)
  images, _ = apply(g, *init(g, key, z, label), z, label, train=True)
  assert images.shape == (3, 8, 8, 1) and float(jnp.abs(images).max()) <= 1
  assert float(jnp.abs(images[0] - images[1]).max()) > 1e-3
  same = jnp.broadcast_to(images[:1], images.shape)
  logits, _ = apply(d, *init(d, key, same, label), same, label)
  assert len(set(np.asarray(logits).tolist())) == 3


@pytest.mark.parametrize('batch_norm', [True, False])
def test_conditional_norm_is_a_scale_and_a_shift_of_each_label(batch_norm, key):
  shape = dict(image_shape=(8, 8, 1), width=8, num_classes=3, batch_norm=batch_norm)
  plain, own = dcgan.Generator(**shape), dcgan.Generator(**shape, conditional_norm=True)
  z, label = jax.random.normal(key, (3, 10)), jnp.array([0, 1, 2])
  params, variables = init(own, key, z, label)
  tables = {name: x for name, x in params.items() if name.startswith('Embed')}
  assert [x['embedding'].shape for x in tables.values()] == [(3, 8)] * 6  # 3 blocks
  assert not any(x['embedding'].any() for x in tables.values())
  kind = 'BatchNorm' if batch_norm else 'GroupNorm'
  assert not any(name.startswith(kind) for name in params)

  draw = lambda net, params: apply(net, params, variables, z, label, train=True)[0]
  # at first that of no label: a normalisation with scale 1 and shift 0
  rest = {name: x for name, x in params.items() if name not in tables}
  ones = {f'{kind}_{i}': {'scale': jnp.ones(8), 'bias': jnp.zeros(8)} for i in range(3)}
  at_first = draw(own, params)
  np.testing.assert_allclose(at_first, draw(plain, rest | ones), atol=1e-6)
  # what one label's shift does, it does to that label's image alone
  moved = jax.tree.map(lambda x: x, params)
  last = max(tables)
  moved[last] = {'embedding': tables[last]['embedding'].at[1].set(.5)}
  change = jnp.abs(draw(own, moved) - at_first).max((1, 2, 3))
  assert (change > 1e-3).tolist() == [False, True, False]


def test_conditional_norm_needs_labels(key):
  with pytest.raises(ValueError, match='conditional_norm=True: expected num_classes'):
    init(dcgan.Generator((8, 8, 1), 8, conditional_norm=True), key, jnp.zeros((1, 10)))


def test_bfloat16_computes_close_to_float32(key):
  z = jax.random.normal(key, (8, 10))
  nets = [dcgan.Generator((8, 8, 1), width=16, dtype=t) for t in (jnp.float32, jnp.bfloat16)]
  params, variables = init(nets[0], key, z)
  a, b = (apply(n, params, variables, z, train=True)[0] for n in nets)
  assert a.dtype == b.dtype == jnp.float32
  assert 0 < float(jnp.abs(a - b).max()) < 0.1
  assert all(x.dtype == jnp.float32 for x in jax.tree.leaves(shapes(nets[1], z)))


def test_dropout_is_the_discriminators_only_randomness(key):
  d, x = dcgan.Discriminator(width=8), jax.random.normal(key, (4, 8, 8, 1))
  params, variables = init(d, key, x)
  judge = lambda k, train: apply(
      d, params, variables, x, train=train, key=jax.random.key(k))[0]
  assert bool(jnp.all(judge(0, False) == judge(1, False)))
  assert bool(jnp.any(judge(0, True) != judge(1, True)))


@pytest.mark.parametrize('ours, theirs, s', [
    (ConvTranspose(6, 5, 2), nn.ConvTranspose(6, (5, 5), (2, 2)), 2),
    (Conv(6, 5, 2), nn.Conv(6, (5, 5), (2, 2)), 2),
    (Conv(1, 7), nn.Conv(1, (7, 7)), 1)])
def test_layers_hold_linens_parameters(ours, theirs, s, key):
  x = jax.random.normal(key, (2, 8, 9, 5))
  variables = theirs.init(key, x)
  assert jax.tree.map(jnp.shape, ours.init(key, x)) == jax.tree.map(jnp.shape, variables)
  with jax.numpy_rank_promotion('allow'):
    want = theirs.apply(variables, x)
  np.testing.assert_allclose(ours.apply(variables, x), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('rate', [0.1, 0.3, 0.75])
def test_dropout_zeroes_its_share_and_keeps_the_mean(rate):
  x = jnp.ones((401, 251))  # an odd number of elements
  y, pullback = jax.vjp(lambda x: Dropout(rate, False).apply(
      {}, x, rngs={'dropout': jax.random.key(0)}), x)
  deviation = (rate * (1 - rate) / x.size) ** 0.5
  assert abs(float(jnp.mean(y == 0)) - rate) < 4 * deviation
  assert abs(float(jnp.mean(y)) - 1) < 4 * deviation / (1 - rate)
  np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-4)
  np.testing.assert_array_equal(pullback(x)[0], y)


def test_dropout_off_and_refused():
  x = jnp.ones((3, 5))
  assert Dropout(0.3, True).apply({}, x) is x
  assert Dropout(0., False).apply({}, x) is x
  with pytest.raises(ValueError, match='in \\[0, 1\\), got 1.0'):
    Dropout(1., False).apply({}, x)


@pytest.mark.parametrize('how', dcgan.CONDITIONINGS)
def test_a_label_reaches_the_discriminator_as_its_conditioning_says(how, key):
  d = dcgan.Discriminator(width=8, num_classes=3, conditioning=how)
  image = jax.random.normal(key, (3, 8, 8, 1))
  params, variables = init(d, key, image, jnp.arange(3))
  at = lambda label: apply(d, params, variables, image, label)[0]
  if how == 'auxiliary':
    logits, classes = at(jnp.arange(3))
    assert logits.shape == (3,) and classes.shape == (3, 3) and classes.dtype == jnp.float32
    np.testing.assert_array_equal(logits, at(jnp.zeros(3, int))[0])
    return
  assert params['Conv_0']['kernel'].shape[2] == (4 if how == 'concatenation' else 1)
  assert float(jnp.abs(at(jnp.arange(3)) - at(jnp.zeros(3, int)))[1:].min()) > 0
  with pytest.raises(ValueError, match="conditioning='none': expected one of projection"):
    init(dcgan.Discriminator(conditioning='none'), key, image)


def test_spectral_normalisation_divides_by_the_largest_singular_value(key):
  """Once power iteration has converged; parameters are those of the plain network."""
  plain, normal = (dcgan.Discriminator(width=8, dropout=0., num_classes=3, spectral_norm=yes)
                   for yes in (False, True))
  args = jax.random.normal(key, (3, 8, 8, 1)), jnp.arange(3)
  params, variables = init(normal, key, *args)
  assert set(variables) == {'spectral'}
  for _ in range(300):
    logits, variables = apply(normal, params, variables, *args, train=True)

  def divided(x):
    if x.ndim < 2:
      return x
    return x / np.linalg.svd(np.asarray(x).reshape(-1, x.shape[-1]))[1][0]
  theirs, _ = apply(plain, jax.tree.map(divided, params), {}, *args)
  np.testing.assert_allclose(logits, theirs, rtol=1e-3, atol=1e-5)
