"""Every objective at toy size: the table of the contract tests.

The VAE and the rectified flow beside the library's are written here, to prove that its core knows
nothing of either.
"""
import functools

from flax import linen as nn
import jax
import jax.numpy as jnp
from tiny_rows import tiny_mixture, tiny_table_flow

from jaxsynth import keys as keys_
from jaxsynth.losses import adversarial, likelihoods, penalties, relativistic
from jaxsynth.models.causal_transformer import CausalTransformer
from jaxsynth.models.time_mlp import TimeMLP
from jaxsynth.objectives import solvers
from jaxsynth.objectives.ada import DiscriminatorAugmentation
from jaxsynth.objectives.classify import classify
from jaxsynth.objectives.codebook import Codebook
from jaxsynth.objectives.flow_matching import flow_matching
from jaxsynth.objectives.gan import gan
from jaxsynth.objectives.mean_embedding import mean_embedding
from jaxsynth.objectives.mean_flow import mean_flow
from jaxsynth.objectives.reflow import reflow
from jaxsynth.objectives.segment import segment
from jaxsynth.objectives.vq_vae import vq_vae
from jaxsynth.objectives.whitened import FARTHEST, whitened
from jaxsynth.privacy import embeddings
from jaxsynth.types import Objective

SHAPE = (4, 4, 1)


class TinyGenerator(nn.Module):
  axis_name: str | None = None

  @nn.compact
  def __call__(self, z, label=None, *, train):
    if label is not None:
      z = jnp.concatenate([z, jax.nn.one_hot(label, 3)], -1)
    x = nn.Dense(8)(z)
    x = nn.BatchNorm(not train, axis_name=self.axis_name if train else None)(x)
    return jnp.tanh(nn.Dense(16)(nn.relu(x))).reshape(-1, *SHAPE)


class TinyDiscriminator(nn.Module):
  dropout: float = 0.
  classes: bool = False
  spectral_norm: bool = False

  @nn.compact
  def __call__(self, x, label=None, *, train):
    x = nn.leaky_relu(self.layer(nn.Dense(8), train)(x.reshape(x.shape[0], -1)), 0.2)
    x = nn.Dropout(self.dropout, deterministic=not train)(x)
    if self.classes:
      return nn.Dense(1)(x), nn.Dense(3)(x)
    return nn.Dense(1)(x) if label is None else nn.Dense(1)(x) + nn.Embed(3, 1)(label)

  def layer(self, layer, train):
    normalised = nn.SpectralNorm(layer, collection_name='spectral')
    return functools.partial(normalised, update_stats=train) if self.spectral_norm else layer


def tiny_gan(axis_name=None, dropout=0., num_classes=None, loss=adversarial.NON_SATURATING,
             spectral_norm=False, **options):
  return gan(TinyGenerator(axis_name=axis_name),
             TinyDiscriminator(dropout, 'auxiliary' in options, spectral_norm), loss,
             latent_dim=5, num_classes=num_classes, **options)


def moved(keys, images, p):
  """Rolled by a pixel with probability p, in part brighter."""
  chance = jax.vmap(jax.random.uniform)(keys)[:, None, None, None]
  return jnp.where(chance < p, 1.1 * jnp.roll(images, 1, 1), images)


def varied_gan(name, axis_name=None):
  """Losses, penalties and what a discriminator sees, each of them in one of these."""
  make = functools.partial(tiny_gan, axis_name)
  return {
      'hinge': lambda: make(loss=adversarial.HINGE, spectral_norm=True,
                            augmentation=DiscriminatorAugmentation(moved, .5)),
      'relativistic': lambda: make(loss=relativistic.RELATIVISTIC, penalties=[
          penalties.r1(.5, every=2), penalties.r2(.5)]),
      'wasserstein': lambda: make(loss=adversarial.WASSERSTEIN, penalties=[
          penalties.gradient_penalty(), penalties.dragan(1.),
          penalties.consistency(lambda keys, x: moved(keys, x, .5))]),
      'relativistic-average': lambda: make(loss=relativistic.RELATIVISTIC_AVERAGE),
      'packed': lambda: make(loss=adversarial.SATURATING, packing=2, penalties=[penalties.r1(1.)]),
      'auxiliary': lambda: make(
          loss=adversarial.smoothed(adversarial.LEAST_SQUARES, .1), num_classes=3, auxiliary=.5,
          augmentation=DiscriminatorAugmentation(moved, .5, .6, 100.))}[name]()


def vae(axis_name=None, dim=2):
  encoder, decoder = nn.Dense(2 * dim), nn.Dense(16)
  flat = lambda x: x.reshape(x.shape[0], -1)

  def init(key, batch):
    a, b = jax.random.split(key)
    return {'model': {'encoder': encoder.init(a, flat(batch['image'])),
                      'decoder': decoder.init(b, jnp.zeros((1, dim)))}}, {}

  def loss(params, variables, batch, ctx):
    own, x = params['model'], flat(batch['image'])
    mean, log_std = jnp.split(encoder.apply(own['encoder'], x), 2, -1)
    keys = keys_.per_example(ctx.key, len(x), ctx)
    noise = jax.vmap(lambda k: jax.random.normal(k, (dim,)))(keys)
    y = decoder.apply(own['decoder'], mean + jnp.exp(log_std) * noise)
    kl = .5 * (mean ** 2 + jnp.exp(2 * log_std) - 1) - log_std
    elbo = -jnp.sum((x - y) ** 2, -1) - jnp.sum(kl, -1)
    return {'model': -jnp.mean(elbo)}, (variables, {'kl': jnp.mean(kl)})

  def sample(params, variables, keys, cond=None):
    z = jax.vmap(lambda k: jax.random.normal(k, (dim,)))(keys)
    return jnp.tanh(decoder.apply(params['model']['decoder'], z)).reshape(-1, *SHAPE)

  return Objective(init, loss, sample)


def rectified_flow(axis_name=None):
  net = nn.Dense(16)
  velocity = lambda p, x, t: net.apply(p, jnp.concatenate([x, t[:, None]], -1))

  def init(key, batch):
    return {'model': net.init(key, jnp.zeros((1, 17)))}, {}

  def loss(params, variables, batch, ctx):
    x = batch['image'].reshape(-1, 16)
    keys = keys_.per_example(ctx.key, len(x), ctx)
    noise = jax.vmap(lambda k: jax.random.normal(k, (16,)))(keys)
    t = jax.vmap(lambda k: jax.random.uniform(jax.random.fold_in(k, 1)))(keys)
    there = (1 - t)[:, None] * noise + t[:, None] * x
    error = velocity(params['model'], there, t) - (x - noise)
    return {'model': jnp.mean(error ** 2)}, (variables, {})

  def sample(params, variables, keys, cond=None, steps=4):
    x = jax.vmap(lambda k: jax.random.normal(k, (16,)))(keys)
    for i in range(steps):
      x = x + velocity(params['model'], x, jnp.full(len(x), i / steps)) / steps
    return jnp.clip(x, -1, 1).reshape(-1, *SHAPE)

  return Objective(init, loss, sample)


def tiny_flow(**options):
  return flow_matching(TimeMLP(8, 1), SHAPE, **{'solver_steps': 2, **options})


def tiny_white_flow(num_classes=None):
  return whitened(tiny_flow(num_classes=num_classes, crop=FARTHEST), SHAPE, steps=2)


def tiny_mean_flow(**options):
  return mean_flow(TimeMLP(8, 1), SHAPE, **options)


def tiny_reflow(num_classes=None, teacher_steps=3):
  """A student of one step, whose teacher has random parameters."""
  flow = functools.partial(tiny_flow, num_classes=num_classes)

  def trained():
    params, variables = flow().init(jax.random.key(8), batch())
    leaves, tree = jax.tree.flatten(params)
    return jax.tree.unflatten(tree, [x + .3 * jax.random.normal(jax.random.key(k), x.shape)
                                     for k, x in enumerate(leaves)]), variables
  return reflow(flow(solver=solvers.euler, solver_steps=1), flow(solver_steps=teacher_steps),
                trained, num_classes)


def tiny_means(axis_name=None, num_classes=None):
  embedding = embeddings.fourier(embeddings.pixels(SHAPE), (.5, 1.), 16)
  return mean_embedding(TinyGenerator(axis_name), embedding, latent_dim=5, num_classes=num_classes)


class TinyGrid(nn.Module):
  """Images to four vectors, or four vectors to images."""
  features: int
  up: bool = False

  @nn.compact
  def __call__(self, x, *, train):
    if not self.up:
      return nn.Conv(self.features, (2, 2), (2, 2))(x)
    x = nn.relu(nn.Conv(8, (3, 3))(x))
    return nn.ConvTranspose(self.features, (2, 2), (2, 2))(x)


def tiny_codes(num_classes=None, book=Codebook(5, 3), likelihood=likelihoods.bernoulli(),
               grid=(2, 2), **options):
  return vq_vae(TinyGrid(3), TinyGrid(likelihood.outputs, True),
                CausalTransformer(book.size, 4, 8, 1, 2, num_classes), likelihood, book, grid,
                num_classes=num_classes, **options)


def counting(objective):
  """The same, counting its steps in the shared variables, as a controller would."""
  def init(key, batch):
    params, variables = objective.init(key, batch)
    return params, {**variables, 'shared': {'seen': jnp.zeros((), jnp.int32)}}

  def loss(params, variables, batch, ctx):
    losses, (variables, metrics) = objective.loss(params, variables, batch, ctx)
    seen = {'seen': variables['shared']['seen'] + 1}
    return losses, ({**variables, 'shared': seen}, metrics)

  return objective._replace(init=init, loss=loss)


def brighter(key, image, target):
  return image + 0.2 * jax.random.normal(key), target


class TinyClassifier(nn.Module):
  axis_name: str | None = None

  @nn.compact
  def __call__(self, x, *, train):
    x = nn.Dense(8)(x.reshape(x.shape[0], -1))
    x = nn.BatchNorm(not train, axis_name=self.axis_name if train else None)(x)
    return nn.Dense(3)(nn.relu(x))


def classifier(axis_name=None):
  return counting(classify(TinyClassifier(axis_name), label_smoothing=0.1, augment=brighter))


class TinySegmenter(nn.Module):
  @nn.compact
  def __call__(self, x, *, train):
    return nn.Conv(3, (3, 3))(nn.relu(nn.Conv(4, (3, 3))(x)))


BOTH = ('discriminator', 'generator')
# name: (objective of an axis name, players)
TABLE = {
    'gan': (lambda axis=None: tiny_gan(axis), BOTH),
    'gan-local-batch-norm': (lambda axis=None: tiny_gan(), BOTH),
    'conditional-gan': (lambda axis=None: tiny_gan(axis, num_classes=3), BOTH),
    **{f'gan-{name}': (functools.partial(varied_gan, name), BOTH) for name in (
        'hinge', 'relativistic', 'wasserstein', 'relativistic-average', 'packed', 'auxiliary')},
    'vae': (vae, ('model',)),
    'rectified-flow': (rectified_flow, ('model',)),
    'conditional-flow': (lambda axis=None: tiny_flow(num_classes=3), ('flow',)),
    'conditional-white-flow': (lambda axis=None: tiny_white_flow(3), ('flow',)),
    'conditional-reflow': (lambda axis=None: tiny_reflow(3), ('flow',)),
    'mean-flow': (lambda axis=None: tiny_mean_flow(num_classes=3, guidance=2.), ('flow',)),
    'conditional-means': (lambda axis=None: tiny_means(axis, 3), ('generator',)),
    'conditional-codes': (lambda axis=None: tiny_codes(3), ('vqvae', 'prior')),
    'conditional-mixture': (lambda axis=None: tiny_mixture(3), ('mixture',)),
    'conditional-table-flow': (lambda axis=None: tiny_table_flow(3), ('flow',)),
    'classifier': (classifier, ('classifier',)),
    'segmenter': (lambda axis=None: segment(TinySegmenter(), augment=brighter), ('segmenter',)),
}
CONDITIONAL = ('conditional-gan', 'gan-auxiliary', 'conditional-flow', 'conditional-white-flow',
               'conditional-reflow', 'mean-flow', 'conditional-codes', 'conditional-mixture',
               'conditional-table-flow', 'conditional-means')
LABELLING = {'classifier': (), 'segmenter': SHAPE[:2]}  # shapes of labels of given images


def batch(n=8, seed=0):
  rng = jax.random.key(seed)
  return {'image': jax.random.uniform(rng, (n, *SHAPE), minval=-1.),
          'label': jax.random.randint(rng, (n,), 0, 3),
          'mask': jax.random.randint(rng, (n, *SHAPE), 0, 3)}


__all__ = ('TABLE', 'CONDITIONAL', 'LABELLING', 'batch', 'moved', 'tiny_gan', 'tiny_flow',
           'tiny_white_flow', 'tiny_mean_flow', 'tiny_means', 'tiny_reflow', 'tiny_codes', 'vae')
