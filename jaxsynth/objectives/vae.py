"""Variational autoencoders: one player, which climbs a bound of log p(x)."""
from collections.abc import Callable
import math
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.losses import elbo
from jaxsynth.losses.likelihoods import Likelihood
from jaxsynth.objectives import network, pixels
from jaxsynth.objectives.vae_networks import Networks, repeated
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Tree


def vae(encoder: Any, decoder: Any, likelihood: Likelihood, *, latent_dim: int,
        num_classes: int | None = None, prior: Any = None, bound: elbo.Bound = elbo.Bound(),
        temperature: float = 1., draw_pixels: bool = False) -> Objective:
  """Binds networks, a likelihood and a bound into an objective.

  With `q(z | x) = N(mean(x), variance(x))` and z drawn from it, the loss is by default

      -log p(x | z) + beta KL(q(z | x) || N(0, I)),

  the mean over the batch, in nats; the divergence is exact, the likelihood of one draw. Other
  bounds, more draws and other gradients are `elbo.Bound`'s. The player `vae` holds all
  networks. Batches are `{'image': [B, H, W, C]}` in [-1, 1], with `'label': [B]` integers if
  conditional. Every draw is a function of (key, index in the whole batch). Metrics:
  `reconstruction` (`-log p(x | z)`), `kl` and `elbo`, nats an image, `kl` with the weight 1;
  with several draws, means over them; and `iwae`, the weighted bound, if that is climbed.

  Args:
    encoder: has Linen's `init` and `apply`, called as `(image, train=)`, or `(image, label,
      train=)` if conditional; gives `(mean [B, latent_dim], log_variance [B, latent_dim])`.
    decoder: called as `(z, train=)` or `(z, label, train=)`; gives what the likelihood takes
      as its output, `[B, H, W, outputs * C]`.
    likelihood: `likelihoods.bernoulli()`, `likelihoods.gaussian(std)` or another.
    latent_dim: size of the latent.
    num_classes: number of labels; `None` for an unconditional model.
    prior: of the latent, a flow from it to normal noise: called as `(z, train=, inverse=)` or
      `(z, label, train=, inverse=)`, gives `(noise [B, latent_dim], log determinant [B])`, or
      if `inverse` the latent of noise; `None` for the standard normal, whatever the label.
    bound: which bound is climbed, and how.
    temperature: standard deviation of the noise of `sample`, above 0.
    draw_pixels: whether `sample` draws pixels from the likelihood; otherwise it gives the mean.

  Returns:
    An `Objective`. `sample` gives images `[n, H, W, C]` in [-1, 1]; its `cond` is labels `[n]`
    if conditional. It raises `ValueError` if labels are missing or not wanted, and `init` does
    if the decoder's images are not shaped as the data's.

  Raises:
    ValueError: a temperature that is not above 0, a bound that is none (`Bound.checked`), or
      an exact divergence from a prior that has none.

  Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, equation 10; beta: Higgins et al.
  2017; label and prior: Sohn et al. 2015.
  """
  if not 0 < temperature < math.inf:
    raise ValueError(f'temperature={temperature}: expected a number above 0')
  bound.checked()
  if bound.exact and prior is not None:
    raise ValueError('the divergence from a learned prior has no closed form: expected a bound '
                     'with exact=False')
  nets = Networks(encoder, decoder, prior, latent_dim, num_classes)

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    image = conditions.learned(batch)[:1]
    labels = tuple(x[:1] for x in nets.labels_of(batch))
    return nets.init(key, image, labels, likelihood.outputs)

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, labels, count = conditions.learned(batch), nets.labels_of(batch), bound.samples
    states: dict[str, Tree] = dict(variables['vae'])
    key_examples, key_device = jax.random.split(ctx.key)
    key_encoder, key_decoder = jax.random.split(keys_.per_part(key_device, ctx))

    def applied(name: str, *args: Array, key: Array | None, **options: Any) -> Any:
      out, states[name] = network.apply(
          getattr(nets, name), params['vae'][name], states[name], *args, train=ctx.train, key=key,
          **options)
      return out

    mean, log_variance = applied('encoder', image, *labels, key=key_encoder)
    noise = nets.noise(keys_.per_example(key_examples, len(image), ctx), count)
    z = mean[None] + jnp.exp(log_variance / 2)[None] * noise  # [K, B, D]
    marks = None
    if bound.gradient == 'doubly':
      z, marks = elbo.reweighted(z)
    every, flat = tuple(jnp.tile(x, count) for x in labels), z.reshape(-1, latent_dim)
    output = applied('decoder', flat, *every, key=key_decoder)
    log_x = -likelihood.negative_log(output, repeated(image, count)).reshape(count, -1)
    weight = bound.weight(ctx.step)
    if bound.exact:
      return exact(log_x, mean, log_variance, weight, ctx, {**variables, 'vae': states})
    log_prior = nets.log_prior(flat, lambda **options: applied(
        'prior', flat, *every, key=None, **options)).reshape(count, -1)
    fixed = lax.stop_gradient if bound.gradient != 'total' else lambda x: x
    log_posterior = elbo.log_normal(z, fixed(mean)[None], fixed(log_variance)[None])
    log_weights = log_x + weight * (log_prior - log_posterior)
    each = (jnp.mean(log_weights, 0) if not bound.weighted else
            elbo.importance_weighted(log_weights) if marks is None else
            elbo.doubly_reparametrised(log_weights, marks))
    value = jnp.mean(each)
    reconstruction, kl = -jnp.mean(log_x), jnp.mean(log_posterior - log_prior)
    metrics = {'reconstruction': reconstruction, 'kl': kl, 'elbo': -reconstruction - kl}
    if bound.weighted:
      metrics['iwae'] = value
    return {'vae': -value}, ({**variables, 'vae': states}, metrics)

  def exact(log_x: Array, mean: Array, log_variance: Array, weight: Any, ctx: Context,
            variables: PerPlayer) -> Any:
    """The loss by the divergence in closed form."""
    reconstruction = jnp.mean(-log_x)
    kl = jnp.mean(elbo.kl_standard_normal(mean, log_variance))
    pressed = kl if not bound.free_bits else elbo.with_free_bits(
        elbo.kl_of_latents(mean, log_variance), bound.free_bits, ctx.axis_name)
    metrics = {'reconstruction': reconstruction, 'kl': kl, 'elbo': -reconstruction - kl}
    return {'vae': reconstruction + weight * pressed}, (variables, metrics)

  coupled = 'free bits are of the divergence of the whole batch' if bound.free_bits else ''
  return Objective(init, loss, _sampler(nets, likelihood, temperature, draw_pixels), coupled)


def _sampler(nets: Networks, likelihood: Likelihood, temperature: float, draw_pixels: bool
             ) -> Callable[..., Array]:
  """`sample` of `vae`."""
  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != nets.conditional:
      raise ValueError(f'cond: expected {"labels [n]" if nets.conditional else None}, got {cond}')
    labels = () if cond is None else (cond,)
    noise = temperature * nets.noise(keys)[0]
    output = nets.decoded(params, variables, noise, *labels)
    return pixels.images(likelihood, output, keys, draw_pixels)
  return sample
