"""Generative adversarial networks: two players, one forward computation."""
import math
from typing import Any

import chex
import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.losses.adversarial import GANLoss, NON_SATURATING
from jaxsynth.objectives import network
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Tree


def gan(generator: Any, discriminator: Any, loss: GANLoss = NON_SATURATING, *,
        latent_dim: int = 100, num_classes: int | None = None,
        packing: int = 1, temperature: float = 1.) -> Objective:
  """Binds two networks and a loss into an objective.

  Players `generator` and `discriminator`. Batches are `{'image': [B, H, W, C]}` in
  [-1, 1], with `'label': [B]` integers if conditional. The same fakes serve both
  players, and fakes take the batch's labels. Every latent is a function of
  (key, index in the whole batch).

  Args:
    generator: has Linen's `init` and `apply`, called as `(z, train=)` with
      `z` `[B, latent_dim]`, or `(z, label, train=)` if conditional; gives images.
    discriminator: called as `(image, train=)` or `(image, label, train=)`; gives
      logits `[B]` or `[B, 1]`. Its dropout draws from `'dropout'`.
    loss: both players' losses.
    latent_dim: size of the normal latent.
    num_classes: number of labels; `None` for an unconditional model.
    packing: how many images of one kind the discriminator judges together, as
      channels `[B / packing, H, W, packing * C]`: it then sees a lack of variety.
      Lin et al. 2017, https://arxiv.org/abs/1712.04086. Unconditional only.
    temperature: standard deviation of the latents of `sample`, above 0; training draws
      with 1. Above 1 samples are more varied and less faithful, below 1 the other way;
      the word is Glow's, https://arxiv.org/abs/1807.03039, section 6.

  Returns:
    An `Objective`. `sample`'s `cond` is labels `[n]` if conditional; its images
    are `[n, H, W, C]`. It raises `ValueError` if labels are missing or not wanted,
    and `init` does if the generator's images are not shaped as the data's.
  """
  conditional = num_classes is not None
  _check(packing, num_classes, temperature)

  def latents(keys: Array) -> Array:
    return jax.vmap(lambda key: jax.random.normal(key, (latent_dim,)))(keys)

  def batch_labels(batch: Batch) -> tuple[Array, ...]:
    return conditions.of_batch(batch, 'a conditional GAN', conditional)

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    key_g, key_d, key_z = jax.random.split(key, 3)
    image, labels = batch['image'][:1], tuple(x[:1] for x in batch_labels(batch))
    chex.assert_rank(image, 4)
    z = latents(key_z[None])
    g = network.init(generator, key_g, z, *labels)
    fake = jax.eval_shape(lambda: network.apply(generator, *g, z, *labels)[0])
    if fake.shape != image.shape:
      raise ValueError(f"the generator's images are {fake.shape[1:]}, the data's are "
                       f'{image.shape[1:]}')
    d = network.init(discriminator, key_d, jnp.tile(image, packing), *labels)
    return ({'generator': g[0], 'discriminator': d[0]},
            {'generator': g[1], 'discriminator': d[1], 'shared': {}})

  def judge(params: Tree, variables: Tree, *args: Array, train: bool, key: Array):
    image, *labels = args
    logits, variables = network.apply(
        discriminator, params, variables, packed(image, packing), *labels, train=train, key=key)
    return logits.reshape(logits.shape[0]), variables

  def losses(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    real, labels = batch['image'], batch_labels(batch)
    # two branches: a key folded and a key split would meet in the same keys
    key_examples, key_device = jax.random.split(ctx.key)
    z = latents(keys_.per_example(key_examples, real.shape[0], ctx))
    key_g, key_real, key_fake = jax.random.split(keys_.per_part(key_device, ctx), 3)
    fake, updated_g = network.apply(generator, params['generator'], variables['generator'],
                                    z, *labels, train=ctx.train, key=key_g)
    params_d, updated_d = params['discriminator'], variables['discriminator']
    real_logits, updated_d = judge(params_d, updated_d, real, *labels, train=ctx.train,
                                   key=key_real)
    fake_logits, updated_d = judge(params_d, updated_d, fake, *labels, train=ctx.train,
                                   key=key_fake)
    values = {'generator': jnp.mean(loss.generator(real_logits, fake_logits)),
              'discriminator': jnp.mean(loss.discriminator(real_logits, fake_logits))}
    metrics = {'logits/real': jnp.mean(real_logits),
               'logits/fake': jnp.mean(fake_logits),
               'accuracy/real': jnp.mean(real_logits > 0),
               'accuracy/fake': jnp.mean(fake_logits < 0)}
    return values, ({**variables, 'generator': updated_g, 'discriminator': updated_d}, metrics)

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != conditional:
      raise ValueError(f'cond: expected {"labels [n]" if conditional else None}, '
                       f'got {cond}')
    labels = () if cond is None else (cond,)
    z = latents(keys)
    return network.apply(generator, params['generator'], variables['generator'],
                         z if temperature == 1 else temperature * z, *labels)[0]

  coupled = loss.coupled or ('the discriminator judges packs of examples' if packing > 1 else '')
  return Objective(init, losses, sample, coupled)


def _check(packing: int, num_classes: int | None, temperature: float) -> None:
  if packing < 1 or packing > 1 and num_classes is not None:
    raise ValueError(f'packing: expected a positive integer, and 1 with labels, got {packing} '
                     f'and num_classes={num_classes}')
  if not 0 < temperature < math.inf:
    raise ValueError(f'temperature={temperature}: expected a number above 0, 1 as in training')


def packed(image: Array, n: int) -> Array:
  """Every `n` images as one: `[B, H, W, C] -> [B / n, H, W, n * C]`."""
  b, h, w, c = image.shape
  if b % n:
    raise ValueError(f'packing {n} images: expected a multiple of them in a batch, got {b}')
  return jnp.moveaxis(image.reshape(b // n, n, h, w, c), 1, 3).reshape(b // n, h, w, n * c)
