"""The networks of a variational autoencoder: how they begin and how they are called."""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions
from jaxsynth.losses import elbo
from jaxsynth.losses.likelihoods import Likelihood
from jaxsynth.objectives import network
from jaxsynth.types import Batch, PerPlayer


class Networks(NamedTuple):
  """Encoder, decoder and prior of one model, as `vae` takes them."""
  encoder: Any
  decoder: Any
  prior: Any
  latent_dim: int
  num_classes: int | None

  @property
  def conditional(self) -> bool:
    """Whether the networks are given the label."""
    return self.num_classes is not None

  def labels_of(self, batch: Batch) -> tuple[Array, ...]:
    """`(labels [B],)`, or nothing for an unconditional model.

    Raises:
      ValueError: labels are wanted, and the batch has none.
    """
    return conditions.of_batch(batch, 'a conditional VAE', self.conditional)

  def init(self, key: Array, image: Array, labels: tuple[Array, ...], outputs: int
           ) -> tuple[PerPlayer, PerPlayer]:
    """Params and variables of the player `vae`, for one example.

    Args:
      key: of the first parameters.
      image: `[1, H, W, C]`.
      labels: `([1],)` or nothing.
      outputs: of the decoder, for each channel of the image.

    Raises:
      ValueError: the decoder's images are shaped otherwise than the data's.
    """
    key_encoder, key_decoder = jax.random.split(key)
    z = jnp.zeros((1, self.latent_dim))
    nets = {'encoder': network.init(self.encoder, key_encoder, image, *labels),
            'decoder': network.init(self.decoder, key_decoder, z, *labels)}
    if self.prior is not None:
      nets['prior'] = network.init(self.prior, jax.random.fold_in(key, 2), z, *labels)
    output = jax.eval_shape(
        lambda: network.apply(self.decoder, *nets['decoder'], z, *labels)[0])
    wanted = (*image.shape[1:-1], outputs * image.shape[-1])
    if output.shape[1:] != wanted:
      times = f', with {outputs} outputs a channel for the likelihood' * (outputs > 1)
      raise ValueError(f"the decoder's images are {output.shape[1:]}, the data's are "
                       f'{image.shape[1:]}{times}')
    params, variables = ({name: net[k] for name, net in nets.items()} for k in (0, 1))
    return {'vae': params}, {'vae': variables, 'shared': {}}

  def noise(self, keys: Array, count: int = 1) -> Array:
    """Normal noise `[count, n, latent_dim]`, of one key an example."""
    drawn = jax.vmap(lambda key: jax.random.normal(key, (count, self.latent_dim)))(keys)
    return jnp.moveaxis(drawn, 1, 0)

  def log_prior(self, z: Array, apply: Callable[..., Any]) -> Array:
    """`log p(z)`: `[n]`, nats.

    Args:
      z: `[n, latent_dim]`.
      apply: of the prior, if there is one: `(inverse=) -> (noise, log determinant)`.
    """
    if self.prior is None:
      return elbo.log_normal(z, jnp.zeros(()), jnp.zeros(()))
    noise, log_determinant = apply(inverse=False)
    return elbo.log_normal(noise, jnp.zeros(()), jnp.zeros(())) + log_determinant

  def log_weights(self, likelihood: Likelihood, params: PerPlayer, variables: PerPlayer,
                  batch: Batch, keys: Array, count: int) -> Array:
    """`log p(x | z) + log p(z) - log q(z | x)` of draws from `q(z | x)`, in evaluation.

    Args:
      likelihood: of the images.
      params: of the player `vae`.
      variables: likewise.
      batch: `{'image': [B, H, W, C]}` in [-1, 1], with `'label'` if conditional.
      keys: `[B]`, one an example.
      count: draws `K` an example.

    Returns:
      `[K, B]`, nats.
    """
    image, labels = conditions.learned(batch), self.labels_of(batch)
    mean, log_variance = self._applied('encoder', params, variables, image, *labels)
    z = mean[None] + jnp.exp(log_variance / 2)[None] * self.noise(keys, count)
    every, flat = tuple(jnp.tile(x, count) for x in labels), z.reshape(-1, self.latent_dim)
    output = self.output(params, variables, flat, *every)
    log_x = -likelihood.negative_log(output, repeated(image, count))
    log_prior = self.log_prior(flat, lambda **options: self._applied(
        'prior', params, variables, flat, *every, **options))
    return (log_x + log_prior).reshape(count, -1) - elbo.log_normal(
        z, mean[None], log_variance[None])

  def decoded(self, params: PerPlayer, variables: PerPlayer, noise: Array, *labels: Array
              ) -> Array:
    """What the decoder makes of normal noise `[n, latent_dim]`, in evaluation."""
    return self.output(params, variables, self.latent(params, variables, noise, *labels), *labels)

  def latent(self, params: PerPlayer, variables: PerPlayer, noise: Array, *labels: Array) -> Array:
    """The latents of normal noise, by the prior: `[n, latent_dim]`."""
    if self.prior is None:
      return noise
    return self._applied('prior', params, variables, noise, *labels, inverse=True)[0]

  def output(self, params: PerPlayer, variables: PerPlayer, z: Array, *labels: Array) -> Array:
    """The decoder's output of latents `[n, latent_dim]`, in evaluation."""
    return self._applied('decoder', params, variables, z, *labels)

  def _applied(self, name: str, params: PerPlayer, variables: PerPlayer, *args: Array,
               **options: Any) -> Any:
    return network.apply(getattr(self, name), params['vae'][name], variables['vae'][name],
                         *args, **options)[0]


def repeated(image: Array, count: int) -> Array:
  """A batch `[B, ...]`, `count` times: `[count * B, ...]`."""
  return image if count == 1 else jnp.tile(image, (count,) + (1,) * (image.ndim - 1))
