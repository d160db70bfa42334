"""The networks of a VAE of series: shapes, labels, and the runs that have them."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import training

from jaxsynth.models import series_vae
from jaxsynth.objectives import network

KEY = jax.random.key(0)


@pytest.mark.parametrize('shape', [(24, 6), (13, 1), (7, 4, 2)])
def test_any_length_and_what_is_not_time_counts_as_columns(shape):
  encoder, decoder = series_vae.Encoder(5, 4, 8), series_vae.Decoder(shape, 4, 8)
  x, z = jnp.zeros((3, *shape)), jnp.zeros((3, 5))
  of = lambda net, *args: jax.eval_shape(
      lambda: network.apply(net, *network.init(net, KEY, *args), *args)[0])
  assert [y.shape for y in of(encoder, x)] == [(3, 5), (3, 5)]
  assert of(decoder, z).shape == (3, *shape)


def test_time_and_labels_matter_and_other_examples_do_not():
  net = series_vae.Encoder(5, 4, 8, num_classes=3)
  x, label = jax.random.normal(KEY, (4, 24, 2)), jnp.array([0, 1, 2, 0])
  params, _ = network.init(net, KEY, x, label)
  mean = jax.jit(lambda x, label: network.apply(net, params, {}, x, label)[0][0])
  y = mean(x, label)
  assert (np.abs(mean(x[:, ::-1], label) - y).max(1) > 1e-3).all()
  assert (np.abs(mean(x, (label + 1) % 3) - y).max(1) > 1e-3).all()
  np.testing.assert_allclose(mean(x[1:2], label[1:2]), y[1:2], atol=1e-5)


def test_a_run_of_windows(tmp_path):
  rows = np.cumsum(np.random.default_rng(0).normal(size=(200, 2)), 0)
  np.savez(tmp_path / 'x.npz', values=rows, columns=['a', 'b'])
  training.trained(tmp_path / 'run', f'--dataset={tmp_path}/x.npz', '--window=10', '--steps=3',
                   '--network=temporal', '--likelihood=learned_gaussian', name='mnist_vae')
  series = np.load(tmp_path / 'run/synthetic.npz')['series']
  assert series.shape == (20, 10, 2) and np.isfinite(series).all()
