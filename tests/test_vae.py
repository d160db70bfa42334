"""Variational autoencoders: the objective, its prior, its label."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.losses import elbo, likelihoods
from jaxsynth.losses.elbo import Bound
from jaxsynth.models import conv_vae, coupling_flow, mlp_vae, residual_vae
from jaxsynth.objectives.vae import vae
from jaxsynth.types import Context


def tiny(num_classes=None, likelihood=likelihoods.bernoulli(), **options):
  sizes = dict(width=2, hidden=4, num_classes=num_classes)
  return vae(conv_vae.Encoder(3, **sizes), conv_vae.Decoder(objectives.SHAPE, **sizes), likelihood,
             latent_dim=3, num_classes=num_classes, **options)


def weighted(num_classes=None, **options):
  """With all that a plain one has not: a learned prior, several draws, the weighted bound."""
  return tiny(num_classes, prior=coupling_flow.CouplingFlow(3, 4, num_classes), bound=Bound(
      samples=3, weighted=True, exact=False, gradient='doubly'), **options)


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


def test_the_loss_is_the_bound_with_the_draw_that_its_key_gives(started):
  """By the networks themselves, at the latents of (key, index)."""
  params, variables = started
  batch, ctx = objectives.batch(), context(5)
  losses, (_, metrics) = tiny(3, bound=Bound(beta=.5)).loss(params, variables, batch, ctx)
  sizes = dict(width=2, hidden=4, num_classes=3)
  nets = params['vae']
  mean, log_variance = conv_vae.Encoder(3, **sizes).apply(
      {'params': nets['encoder']}, batch['image'], batch['label'], train=True)
  key, _ = jax.random.split(ctx.key)
  noise = jnp.stack([jax.random.normal(jax.random.fold_in(key, i), (3,)) for i in range(8)])
  output = conv_vae.Decoder(objectives.SHAPE, **sizes).apply(
      {'params': nets['decoder']}, mean + jnp.exp(log_variance / 2) * noise, batch['label'],
      train=True)
  reconstruction = likelihoods.bernoulli().negative_log(output, batch['image']).mean()
  kl = elbo.kl_standard_normal(mean, log_variance).mean()
  np.testing.assert_allclose(losses['vae'], reconstruction + .5 * kl, rtol=1e-5)
  np.testing.assert_allclose(metrics['elbo'], -reconstruction - kl, rtol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize('make', [tiny, weighted])
def test_an_example_draws_the_same_in_any_batch(make):
  """The loss of a batch is the mean of its parts' losses."""
  batch, whole = objectives.batch(), make(3)
  params, variables = whole.init(jax.random.key(0), batch)
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
    (lambda: tiny(bound=Bound(beta=0.)), 'beta=0.0: expected a number above 0'),
    (lambda: tiny(temperature=np.inf), 'temperature=inf'),
    (lambda: tiny(prior=coupling_flow.CouplingFlow()), 'has no closed form: .* exact=False'),
    (lambda: tiny(likelihood=likelihoods.learned_gaussian()).init(
        jax.random.key(0), objectives.batch()), 'with 2 outputs a channel for the likelihood'),
    (lambda: tiny(3).init(jax.random.key(0), {'image': jnp.zeros((1, *objectives.SHAPE))}),
     "needs 'label'"),
    (lambda: tiny().init(jax.random.key(0), {'image': jnp.zeros((1, 8, 8, 1))}),
     "the decoder's images are"),
    (lambda: tiny().sample({}, {}, jax.random.split(jax.random.key(0), 2), jnp.zeros(2)),
     'cond: expected None')])
def test_what_does_not_fit_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


@pytest.mark.parametrize('net', [
    conv_vae.Decoder((7, 9, 3), width=2, hidden=4), mlp_vae.Decoder((7, 9, 3), hidden=4, layers=2),
    residual_vae.Decoder((7, 9, 3), width=2, hidden=4)], ids=['conv', 'mlp', 'residual'])
def test_sizes_that_four_does_not_divide(net):
  shape = jax.eval_shape(lambda: net.init_with_output(
      jax.random.key(0), jnp.zeros((2, 3)), train=False)[0]).shape
  assert shape == (2, 7, 9, 3)


def test_pixels_of_the_residual_decoder_lie_where_the_last_convolution_puts_them():
  """Four channels become two rows of two columns."""
  net = residual_vae.Decoder((4, 4, 1), width=1, hidden=1)
  variables = net.init(jax.random.key(0), jnp.zeros((1, 2)), train=False)
  params = jax.tree.map(jnp.zeros_like, variables['params'])
  params['Conv_0']['bias'] = jnp.arange(4.)
  image = net.apply({'params': params}, jnp.zeros((1, 2)), train=False)[0, ..., 0]
  assert image.tolist() == [[0, 1, 0, 1], [2, 3, 2, 3]] * 2


@pytest.fixture(scope='module')
def flow():
  """A flow of five latents that moves them, and its variables."""
  net = coupling_flow.CouplingFlow(layers=3, hidden=8, num_classes=2)
  variables = net.init(jax.random.key(0), jnp.zeros((1, 5)), jnp.zeros(1, int), train=False)
  keys = iter(jax.random.split(jax.random.key(1), 99))
  return net, jax.tree.map(lambda x: x + .3 * jax.random.normal(next(keys), x.shape), variables)


@pytest.mark.long
def test_a_flow_is_undone_by_its_inverse_and_knows_its_jacobian(flow):
  net, variables = flow
  z, label = 2 * jax.random.normal(jax.random.key(2), (6, 5)), jnp.arange(6) % 2
  noise, forward = net.apply(variables, z, label, train=False)
  again, back = net.apply(variables, noise, label, train=False, inverse=True)
  np.testing.assert_allclose(again, z, atol=2e-5)
  np.testing.assert_allclose(forward, -back, atol=2e-5)
  one = lambda x, y: net.apply(variables, x[None], y[None], train=False)[0][0]
  determinants = jnp.linalg.slogdet(jax.vmap(jax.jacobian(one))(z, label))[1]
  np.testing.assert_allclose(forward, determinants, atol=2e-5)
  other, _ = net.apply(variables, z, 1 - label, train=False)
  assert float(jnp.abs(other - noise).min(1).max()) > 1e-3 and (noise != z).all()


def test_a_flow_starts_as_the_standard_normal():
  net = coupling_flow.CouplingFlow(layers=2, hidden=4)
  z = jax.random.normal(jax.random.key(0), (3, 4))
  (noise, determinant), _ = net.init_with_output(jax.random.key(1), z, train=False)
  np.testing.assert_array_equal(noise, z)
  assert not determinant.any()


def test_samples_come_by_the_prior_of_their_label(started):
  """A flow that shifts latents by the label moves samples, whatever the decoder does with it."""
  objective = weighted(3)
  params, variables = objective.init(jax.random.key(0), objectives.batch())
  keys, labels = jax.random.split(jax.random.key(1), 4), jnp.zeros(4, jnp.int32)
  plain = objective.sample(params, variables, keys, labels)
  params['vae']['prior']['coupling_0']['Dense_2']['bias'] += 3.
  moved = objective.sample(params, variables, keys, labels)
  assert jnp.any(plain != moved)


def test_pixels_are_drawn_by_the_key_of_their_sample(started):
  keys, labels = jax.random.split(jax.random.key(1), 6), jnp.zeros(6, jnp.int32)
  drawn = tiny(3, draw_pixels=True).sample(*started, keys, labels)
  assert set(np.unique(drawn)) == {-1, 1} and not jnp.all(drawn[0] == drawn[1])
  part = tiny(3, draw_pixels=True).sample(*started, keys[2:4], labels[2:4])
  np.testing.assert_array_equal(drawn[2:4], part)


@pytest.mark.long
def test_a_conditional_model_with_a_learned_prior_follows_its_label():
  """Noisy images of three classes; a sample is of the class whose image it is nearest to."""
  classes, labels = jnp.sign(jax.random.normal(jax.random.key(0), (3, 16))), jnp.arange(96) % 3
  flips = jax.random.bernoulli(jax.random.key(1), .1, (96, 16))
  images = jnp.where(flips, -classes[labels], classes[labels]).reshape(96, *objectives.SHAPE)
  batch, key = {'image': images, 'label': labels}, jax.random.key(2)
  objective = vae(
      mlp_vae.Encoder(2, 16, num_classes=3), mlp_vae.Decoder(objectives.SHAPE, 16, num_classes=3),
      likelihoods.bernoulli(), latent_dim=2, num_classes=3, bound=Bound(exact=False),
      prior=coupling_flow.CouplingFlow(2, 16, 3))
  algorithm = ts.build(objective, {'vae': optax.adam(1e-2)})
  step = lambda state, _: (algorithm.step(state, batch, key)[0], None)
  state, _ = jax.jit(lambda s: jax.lax.scan(step, s, length=300))(algorithm.init(key, batch))
  drawn = objective.sample(state.params, state.variables, jax.random.split(key, 96), labels)
  nearest = jnp.argmax(drawn.reshape(96, 16) @ classes.T, 1)
  assert float(jnp.mean(nearest == labels)) > .95
