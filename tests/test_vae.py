"""Variational autoencoders: the bound's terms by hand, and the objective."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import pytest

from jaxsynth.losses import elbo
from jaxsynth.models import conv_vae
from jaxsynth.objectives.vae import vae
from jaxsynth.types import Context


def tiny(num_classes=None, likelihood=elbo.bernoulli(), **options):
  sizes = dict(width=2, hidden=4, num_classes=num_classes)
  return vae(conv_vae.Encoder(3, **sizes), conv_vae.Decoder(objectives.SHAPE, **sizes), likelihood,
             latent_dim=3, num_classes=num_classes, **options)


@pytest.fixture(scope='module')
def started():
  return tiny(3).init(jax.random.key(0), objectives.batch())


def context(seed=0):
  return Context(jnp.int32(0), jax.random.key(seed))


def test_the_divergence_is_the_integral():
  """KL = E_q[log q - log p], here by quadrature in one dimension and summed over two."""
  z = np.linspace(-12, 12, 40001)
  mean, log_variance = np.array([[.7, -1.2]]), np.array([[-.5, .8]])
  total = 0.
  for m, v in zip(mean[0], np.exp(log_variance[0])):
    log_q = -.5 * (z - m) ** 2 / v - .5 * np.log(2 * np.pi * v)
    log_p = -.5 * z ** 2 - .5 * np.log(2 * np.pi)
    total += np.sum(np.exp(log_q) * (log_q - log_p)) * (z[1] - z[0])
  np.testing.assert_allclose(
      elbo.kl_standard_normal(jnp.array(mean), jnp.array(log_variance)), [total], rtol=1e-5)


def test_likelihoods_by_hand():
  # output 0: p = 1/2, so each of two pixels costs log 2, whatever it is
  output, image = jnp.zeros((1, 2, 1, 1)), jnp.array([-1., .4]).reshape(1, 2, 1, 1)
  coin = elbo.bernoulli()
  np.testing.assert_allclose(coin.negative_log(output, image), [2 * np.log(2)], rtol=1e-6)
  assert coin.mean(output).tolist() == output.tolist()
  # mean tanh(0) = 0, std 1/2: (1 + .16) / (2 / 4) = 2.32, and 2 (log 1/2 + log(2 pi) / 2)
  normal = elbo.gaussian(.5)
  expected = 2.32 + 2 * (np.log(.5) + .5 * np.log(2 * np.pi))
  np.testing.assert_allclose(normal.negative_log(output, image), [expected], rtol=1e-6)


@pytest.mark.parametrize('likelihood', [elbo.bernoulli(), elbo.gaussian(.3)])
def test_likelihoods_and_their_gradients_are_finite_far_out(likelihood):
  output, image = jnp.array([[1e4, -1e4]]), jnp.array([[-1., 1.]])
  value, gradient = jax.value_and_grad(lambda x: likelihood.negative_log(x, image)[0])(output)
  assert np.isfinite(value) and np.isfinite(gradient).all()
  assert np.abs(likelihood.mean(output)).max() <= 1


def test_the_loss_is_the_bound_with_the_draw_that_its_key_gives(started):
  """By the networks themselves, at the latents of (key, index)."""
  params, variables = started
  batch, ctx = objectives.batch(), context(5)
  losses, (_, metrics) = tiny(3, beta=.5).loss(params, variables, batch, ctx)
  sizes = dict(width=2, hidden=4, num_classes=3)
  nets = params['vae']
  mean, log_variance = conv_vae.Encoder(3, **sizes).apply(
      {'params': nets['encoder']}, batch['image'], batch['label'], train=True)
  key, _ = jax.random.split(ctx.key)
  noise = jnp.stack([jax.random.normal(jax.random.fold_in(key, i), (3,)) for i in range(8)])
  output = conv_vae.Decoder(objectives.SHAPE, **sizes).apply(
      {'params': nets['decoder']}, mean + jnp.exp(log_variance / 2) * noise, batch['label'],
      train=True)
  reconstruction = elbo.bernoulli().negative_log(output, batch['image']).mean()
  kl = elbo.kl_standard_normal(mean, log_variance).mean()
  np.testing.assert_allclose(losses['vae'], reconstruction + .5 * kl, rtol=1e-5)
  np.testing.assert_allclose(metrics['elbo'], -reconstruction - kl, rtol=1e-5)


def test_an_example_draws_the_same_in_any_batch(started):
  """The loss of a batch is the mean of its parts' losses."""
  params, variables = started
  batch, whole = objectives.batch(), tiny(3)
  assert not whole.coupled
  both = [whole.loss(params, variables, jax.tree.map(lambda x, k=k: x[4 * k:4 * k + 4], batch),
                     context()._replace(part=(k, 2)))[0]['vae'] for k in (0, 1)]
  together = whole.loss(params, variables, batch, context())[0]['vae']
  np.testing.assert_allclose(np.mean(both), together, rtol=1e-5)


def test_samples_follow_the_label_and_the_temperature(started):
  keys, labels = jax.random.split(jax.random.key(1), 5), jnp.zeros(5, jnp.int32)
  plain = tiny(3).sample(*started, keys, labels)
  chex.assert_shape(plain, (5, *objectives.SHAPE))
  assert jnp.abs(plain).max() <= 1
  assert jnp.any(plain != tiny(3).sample(*started, keys, labels + 1))
  warm = tiny(3, temperature=2.).sample(*started, keys, labels)
  assert jnp.std(warm - warm[:1]) > jnp.std(plain - plain[:1])


@pytest.mark.parametrize('make, message', [
    (lambda: tiny(beta=0.), 'beta=0.0: expected a number above 0'),
    (lambda: tiny(temperature=np.inf), 'temperature=inf'),
    (lambda: elbo.gaussian(0.), 'std=0.0'),
    (lambda: tiny(3).init(jax.random.key(0), {'image': jnp.zeros((1, *objectives.SHAPE))}),
     "needs 'label'"),
    (lambda: tiny().init(jax.random.key(0), {'image': jnp.zeros((1, 8, 8, 1))}),
     "the decoder's images are"),
    (lambda: tiny().sample({}, {}, jax.random.split(jax.random.key(0), 2), jnp.zeros(2)),
     'cond: expected None')])
def test_what_does_not_fit_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


def test_sizes_that_four_does_not_divide():
  net = conv_vae.Decoder((7, 9, 3), width=2, hidden=4)
  shape = jax.eval_shape(lambda: net.init_with_output(
      jax.random.key(0), jnp.zeros((2, 3)), train=False)[0]).shape
  assert shape == (2, 7, 9, 3)
