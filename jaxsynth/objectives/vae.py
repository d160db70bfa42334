"""Variational autoencoders: one player, which descends the negative evidence lower bound."""
import math
from typing import Any

import chex
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import keys as keys_
from jaxsynth.losses import elbo
from jaxsynth.objectives import network
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Tree


def vae(encoder: Any, decoder: Any, likelihood: elbo.Likelihood, *, latent_dim: int,
        num_classes: int | None = None, beta: float = 1., temperature: float = 1.
        ) -> Objective:
  """Binds two networks and a likelihood into an objective.

  With `q(z | x) = N(mean(x), variance(x))` and `z` drawn from it, the loss is

      -log p(x | z) + beta KL(q(z | x) || N(0, I)),

  the mean over the batch, in nats; the divergence is exact, the likelihood of one draw. The
  player `vae` holds both networks. Batches are `{'image': [B, H, W, C]}` in [-1, 1], with
  `'label': [B]` integers if conditional. Every draw is a function of (key, index in the
  whole batch). Metrics: `reconstruction` (`-log p(x | z)`), `kl` and `elbo`, nats an image.

  Args:
    encoder: has Linen's `init` and `apply`, called as `(image, train=)`, or `(image, label,
      train=)` if conditional; gives `(mean [B, latent_dim], log_variance [B, latent_dim])`.
    decoder: called as `(z, train=)` or `(z, label, train=)`; gives `[B, H, W, C]`, what the
      likelihood takes as its output.
    likelihood: `elbo.bernoulli()`, `elbo.gaussian(std)` or another.
    latent_dim: size of the normal latent.
    num_classes: number of labels; `None` for an unconditional model.
    beta: weight of the divergence, above 0; 1 is the bound itself.
    temperature: standard deviation of the latents of `sample`, above 0.

  Returns:
    An `Objective`. `sample` gives the likelihood's mean, `[n, H, W, C]` in [-1, 1]; its
    `cond` is labels `[n]` if conditional. It raises `ValueError` if labels are missing or
    not wanted, and `init` does if the decoder's images are not shaped as the data's.

  Raises:
    ValueError: a beta or temperature that is not above 0.

  Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, equation 10; beta: Higgins et al.
  2017.
  """
  conditional = num_classes is not None
  for name, value in (('beta', beta), ('temperature', temperature)):
    if not 0 < value < math.inf:
      raise ValueError(f'{name}={value}: expected a number above 0')

  def normal(keys: Array) -> Array:
    return jax.vmap(lambda key: jax.random.normal(key, (latent_dim,)))(keys)

  def labels_of(batch: Batch) -> tuple[Array, ...]:
    if not conditional:
      return ()
    if 'label' not in batch:
      raise ValueError(f"a conditional VAE's batch needs 'label', got {sorted(batch)}")
    return (batch['label'],)

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    key_encoder, key_decoder = jax.random.split(key)
    image, labels = batch['image'][:1], tuple(x[:1] for x in labels_of(batch))
    chex.assert_rank(image, 4)
    z = jnp.zeros((1, latent_dim))
    nets = {'encoder': network.init(encoder, key_encoder, image, *labels),
            'decoder': network.init(decoder, key_decoder, z, *labels)}
    output = jax.eval_shape(lambda: network.apply(decoder, *nets['decoder'], z, *labels)[0])
    if output.shape != image.shape:
      raise ValueError(f"the decoder's images are {output.shape[1:]}, the data's are "
                       f'{image.shape[1:]}')
    params, variables = ({name: net[k] for name, net in nets.items()} for k in (0, 1))
    return {'vae': params}, {'vae': variables, 'shared': {}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, labels, nets = batch['image'], labels_of(batch), params['vae']
    states: dict[str, Tree] = dict(variables['vae'])
    key_examples, key_device = jax.random.split(ctx.key)
    key_encoder, key_decoder = jax.random.split(keys_.per_part(key_device, ctx))
    (mean, log_variance), states['encoder'] = network.apply(
        encoder, nets['encoder'], states['encoder'], image, *labels, train=ctx.train,
        key=key_encoder)
    noise = normal(keys_.per_example(key_examples, len(image), ctx))
    z = mean + jnp.exp(log_variance / 2) * noise
    output, states['decoder'] = network.apply(
        decoder, nets['decoder'], states['decoder'], z, *labels, train=ctx.train,
        key=key_decoder)
    reconstruction = jnp.mean(likelihood.negative_log(output, image))
    kl = jnp.mean(elbo.kl_standard_normal(mean, log_variance))
    metrics = {'reconstruction': reconstruction, 'kl': kl, 'elbo': -reconstruction - kl}
    return {'vae': reconstruction + beta * kl}, ({**variables, 'vae': states}, metrics)

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != conditional:
      raise ValueError(f'cond: expected {"labels [n]" if conditional else None}, got {cond}')
    labels = () if cond is None else (cond,)
    output, _ = network.apply(decoder, params['vae']['decoder'], variables['vae']['decoder'],
                              temperature * normal(keys), *labels)
    return likelihood.mean(output)

  return Objective(init, loss, sample)
