"""Vector-quantised autoencoders: one player rounds images to codes, another learns the codes."""
from collections.abc import Callable
import math
from typing import Any

import chex
import jax
from jax import Array, lax
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.losses.likelihoods import Likelihood
from jaxsynth.objectives import autoregressive, codebook, network, pixels
from jaxsynth.objectives.codebook import Codebook
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Tree


def vq_vae(encoder: Any, decoder: Any, prior: Any, likelihood: Likelihood, book: Codebook,
           grid: tuple[int, int], *, num_classes: int | None = None, commitment: float = .25,
           temperature: float = 1., draw_pixels: bool = False) -> Objective:
  """Binds three networks, a likelihood and a codebook into an objective of two players.

  The encoder's outputs z on a grid are rounded to the nearest vectors e of a codebook, which moves
  by averages and not by a gradient (`codebook.py`). The player `vqvae`, encoder and decoder,
  descends

      -log p(x | e) + commitment sum |z - stop(e)|^2,

  the gradient of the first term passing from e to z; the player `prior` descends -log p(codes)
  (of their label) of the codes as they are, in the same step, and its gradient moves neither
  network nor codes. Both are means over the batch, in nats an image. The codebook moves whenever
  the loss is computed in training, so once in every phase of a schedule of several.

  Since codes are discrete, `log p(x) >= log p(x | e) + log p(codes)`, which is the metric `elbo`.
  Others: `reconstruction`, `commitment` (a squared distance), `codes` (`-log p(codes)`), and
  `used` and `perplexity` of `codebook.usage`, which are of the batches before.

  Args:
    encoder: has Linen's `init` and `apply`, called as `(image [B, H, W, C], train=)`, gives
      `[B, h, w, D]`.
    decoder: called as `([B, h, w, D], train=)`, gives what the likelihood takes,
      `[B, H, W, outputs * C]`.
    prior: called as `(codes [B, h w], train=)` or `(codes, label [B], train=)`, gives logits
      `[B, h w, K]`, those of a code from the codes before it alone; with the methods that
      `autoregressive.sampled` needs.
    likelihood: of pixels.
    book: the codebook's settings.
    grid: `(h, w)`.
    num_classes: number of labels, which the prior is given; `None` for an unconditional model.
    commitment: weight of the encoder's distance from the codebook, at least 0.
    temperature: of `sample`'s codes, above 0.
    draw_pixels: whether `sample` draws pixels from the likelihood; otherwise it gives the mean.

  Returns:
    An `Objective`. `sample` gives images `[n, H, W, C]` in [-1, 1]; its `cond` is labels `[n]` if
    conditional. It raises `ValueError` if labels are missing or not wanted, and `init` does if
    networks, codebook and data do not fit each other.

  Raises:
    ValueError: settings out of range.

  van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, equation 3, whose prior is trained
  afterwards.
  """
  book.checked()
  if not 0 < temperature < math.inf:
    raise ValueError(f'temperature={temperature}: expected a number above 0')
  if not 0 <= commitment < math.inf:
    raise ValueError(f'commitment={commitment}: expected a number of at least 0')
  h, w = grid

  def labels_of(batch: Batch) -> tuple[Array, ...]:
    return conditions.of_batch(batch, 'a conditional prior', num_classes is not None)

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    image, labels = conditions.learned(batch)[:1], tuple(x[:1] for x in labels_of(batch))
    chex.assert_rank(image, 4)
    keys = jax.random.split(key, 4)
    z, codes = jnp.zeros((1, h, w, book.features)), jnp.zeros((1, h * w), jnp.int32)
    nets: dict[str, tuple[Tree, Tree]] = {}
    for name, net, args, wanted in (
        ('encoder', encoder, (image,), z.shape),
        ('decoder', decoder, (z,), (*image.shape[:-1], likelihood.outputs * image.shape[-1])),
        ('prior', prior, (codes, *labels), (*codes.shape, book.size))):
      nets[name] = start = network.init(net, keys[len(nets)], *args)
      output = jax.eval_shape(lambda net=net, start=start, args=args: network.apply(
          net, *start, *args)[0])
      if output.shape != wanted:
        raise ValueError(f"the {name}'s output is {list(output.shape[1:])}, expected "
                         f'{list(wanted[1:])}')
    params, variables = ({name: start[k] for name, start in nets.items()} for k in (0, 1))
    pair = lambda trees: {name: trees[name] for name in ('encoder', 'decoder')}
    return ({'vqvae': pair(params), 'prior': params['prior']},
            {'vqvae': {**pair(variables), 'codebook': codebook.init(book, keys[3])},
             'prior': variables['prior'], 'shared': {}})

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, labels, nets = conditions.learned(batch), labels_of(batch), params['vqvae']
    states = dict(variables['vqvae'])
    key_examples, key_device = jax.random.split(ctx.key)
    key_encoder, key_decoder, key_prior = jax.random.split(keys_.per_part(key_device, ctx), 3)
    z, states['encoder'] = network.apply(
        encoder, nets['encoder'], states['encoder'], image, train=ctx.train, key=key_encoder)
    z = z.reshape(len(z), h * w, book.features)
    vectors = codebook.vectors(states['codebook'])
    codes = codebook.nearest(vectors, lax.stop_gradient(z))
    rounded = codebook.looked_up(vectors, codes)
    output, states['decoder'] = network.apply(
        decoder, nets['decoder'], states['decoder'],
        codebook.passed(z, rounded).reshape(len(z), h, w, -1), train=ctx.train,
        key=key_decoder)
    reconstruction = jnp.mean(likelihood.negative_log(output, image))
    distance = jnp.mean(jnp.sum((z - lax.stop_gradient(rounded)) ** 2, (1, 2)))
    logits, prior_state = network.apply(
        prior, params['prior'], variables['prior'], codes, *labels, train=ctx.train,
        key=key_prior)
    nats = -jnp.mean(autoregressive.log_probability(logits, codes))
    metrics = {'reconstruction': reconstruction, 'commitment': distance, 'codes': nats,
               'elbo': -reconstruction - nats, **codebook.usage(book, states['codebook'])}
    if ctx.train:
      states['codebook'] = codebook.moved(
          book, states['codebook'], lax.stop_gradient(z), codes,
          keys_.per_example(key_examples, len(z), ctx), ctx.axis_name)
    return ({'vqvae': reconstruction + commitment * distance, 'prior': nats},
            ({**variables, 'vqvae': states, 'prior': prior_state}, metrics))

  def decoded(params: PerPlayer, variables: PerPlayer, codes: Array) -> Array:
    vectors = codebook.vectors(variables['vqvae']['codebook'])
    return network.apply(decoder, params['vqvae']['decoder'], variables['vqvae']['decoder'],
                         codebook.looked_up(vectors, codes).reshape(len(codes), h, w, -1))[0]

  coupled = 'the codebook moves by the whole batch, and dead codes become outputs of it'
  return Objective(init, loss, _sampler(prior, decoded, likelihood, num_classes, h * w,
                                        temperature, draw_pixels), coupled)


def _sampler(prior: Any, decoded: Callable[..., Array], likelihood: Likelihood,
             num_classes: int | None, length: int, temperature: float, draw_pixels: bool
             ) -> Callable[..., Array]:
  """`sample` of `vq_vae`."""
  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != (num_classes is not None):
      raise ValueError(f'cond: expected {"None" if num_classes is None else "labels [n]"}, '
                       f'got {cond}')
    labels = () if cond is None else (cond,)
    codes = autoregressive.sampled(prior, params['prior'], variables['prior'], keys, labels,
                                   length, temperature)
    return pixels.images(likelihood, decoded(params, variables, codes), keys, draw_pixels)
  return sample
