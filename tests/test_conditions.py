"""Labels that no class has: refused where they can be looked at, NaN where they cannot."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth import conditions
from jaxsynth.data import augment
from jaxsynth.models import conv_vae, dcgan

NETWORKS = {
    'generator': (dcgan.Generator((4, 4, 1), 2, (2,), num_classes=3, kernel_size=3), (5,)),
    'each label its norm': (dcgan.Generator((4, 4, 1), 2, (2,), num_classes=3, kernel_size=3,
                                            conditional_norm=True), (5,)),
    'discriminator': (dcgan.Discriminator(2, (2,), num_classes=3, kernel_size=3), (4, 4, 1)),
    'encoder': (conv_vae.Encoder(4, 2, num_classes=3), (4, 4, 1)),
    'decoder': (conv_vae.Decoder((4, 4, 1), 4, num_classes=3), (5,))}


@pytest.mark.parametrize('labels, message', [
    ([0, 3], r'label 3: expected integers in \[0, 3\), one for each of the 3 classes'),
    ([-1, 2], r'label -1: expected integers in \[0, 3\)'),
    ([.9, 0.], r'labels of float32: expected integers in \[0, 3\)')])
def test_what_no_class_has_is_refused(labels, message):
  for function in (conditions.checked, conditions.one_hot):
    with pytest.raises(ValueError, match=message):
      function(jnp.array(labels), 3)


def test_floating_labels_are_refused_when_a_program_is_compiled():
  with pytest.raises(ValueError, match='labels of float32'):
    jax.jit(lambda x: conditions.one_hot(x, 3))(jnp.array([.9]))


@pytest.mark.parametrize('name', NETWORKS)
def test_no_network_takes_an_unknown_label(name, key):
  """Compiled, its example is NaN, which every sampler and every loop finds; others stay."""
  network, shape = NETWORKS[name]
  x, known, unknown = jnp.ones((3, *shape)), jnp.array([0, 1, 2]), jnp.array([0, -1, 3])
  apply = lambda labels: network.apply(variables, x, labels, train=False)
  variables = network.init(key, x, known, train=False)
  with pytest.raises(ValueError, match='label -1: expected'):
    apply(unknown)
  plain, out = (jax.tree.leaves(jax.jit(apply)(labels)) for labels in (known, unknown))
  for a, b in zip(plain, out):
    np.testing.assert_array_equal(a[0], b[0])
    assert np.isfinite(a).all() and np.isnan(b[1:]).all()


@pytest.mark.parametrize('mixing', [augment.mixup, augment.cutmix])
def test_mixed_labels_keep_their_mass(mixing, key):
  """Label 7 of 3 was all zeros."""
  batch = {'image': jnp.ones((2, 4, 4, 1)), 'label': jnp.array([1, 7])}
  keys = jax.random.split(key)
  mix = mixing(num_classes=3)
  with pytest.raises(ValueError, match=r'label 7: expected integers in \[0, 3\)'):
    mix(keys, batch)
  assert np.isnan(jax.jit(mix)(keys, batch)['label']).any()
  known = jax.jit(mix)(keys, {**batch, 'label': jnp.array([1, 2])})['label']
  np.testing.assert_allclose(known.sum(1), 1, rtol=1e-6)
