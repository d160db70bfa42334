"""Generative adversarial networks: two players, one forward computation."""
from collections.abc import Sequence
import functools
import math
from typing import Any

import chex
import jax
from jax import Array, lax
import jax.numpy as jnp
import optax

from jaxsynth import conditions, keys as keys_
from jaxsynth.losses import penalties as penalties_
from jaxsynth.losses.adversarial import GANLoss, NON_SATURATING
from jaxsynth.losses.penalties import Critic, Penalty
from jaxsynth.objectives import ada, network
from jaxsynth.objectives.ada import DiscriminatorAugmentation
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Tree


def gan(generator: Any, discriminator: Any, loss: GANLoss = NON_SATURATING, *,
        latent_dim: int = 100, num_classes: int | None = None,
        packing: int = 1, temperature: float = 1., penalties: Sequence[Penalty] = (),
        augmentation: DiscriminatorAugmentation | None = None, auxiliary: float = 0.
        ) -> Objective:
  """Binds two networks and a loss into an objective.

  Players `generator` and `discriminator`. Batches are `{'image': [B, H, W, C]}` in
  [-1, 1], with `'label': [B]` integers if conditional. The same fakes serve both
  players, and fakes take the batch's labels. Every latent is a function of
  (key, index in the whole batch).

  Args:
    generator: has Linen's `init` and `apply`, called as `(z, train=)` with
      `z` `[B, latent_dim]`, or `(z, label, train=)` if conditional; gives images.
    discriminator: called as `(image, train=)` or `(image, label, train=)`; gives
      logits `[B]` or `[B, 1]`, and with `auxiliary` a pair of them and of logits of
      classes `[B, num_classes]`. Its dropout draws from `'dropout'`.
    loss: both players' losses.
    latent_dim: size of the normal latent.
    num_classes: number of labels; `None` for an unconditional model.
    packing: how many images of one kind the discriminator judges together, as
      channels `[B / packing, H, W, packing * C]`: it then sees a lack of variety.
      Lin et al. 2017, https://arxiv.org/abs/1712.04086. Unconditional only.
    temperature: standard deviation of the latents of `sample`, above 0; training draws
      with 1. Above 1 samples are more varied and less faithful, below 1 the other way;
      the word is Glow's, https://arxiv.org/abs/1807.03039, section 6.
    penalties: of the discriminator, as `losses.penalties.r1(.1)`, each of another name.
      They see images as they were before `augmentation`, packs as one example each.
    augmentation: what the discriminator sees real and generated images through.
    auxiliary: weight of the cross entropy of the classes that the discriminator sees,
      in its own loss on real images and in the generator's on its own; 0 for none.
      Odena et al. 2017, https://arxiv.org/abs/1610.09585, where the discriminator learns
      classes from fakes too, which early on are of none.

  Returns:
    An `Objective`. `sample`'s `cond` is labels `[n]` if conditional; its images
    are `[n, H, W, C]`. It raises `ValueError` if labels are missing or not wanted.
    `init` does if the generator's images are not shaped as the data's, if a penalty is of
    the gradients of a discriminator with batch normalisation, or if the discriminator
    gives logits of classes and `auxiliary` is 0, or the other way round.
  """
  conditional = num_classes is not None
  _check(packing, num_classes, temperature, auxiliary)
  terms = _checked_terms(penalties, packing)
  ada.checked(augmentation)

  latents = jax.vmap(lambda key: jax.random.normal(key, (latent_dim,)))

  batch_labels = functools.partial(conditions.of_batch, who='a conditional GAN',
                                   conditional=conditional)

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    key_g, key_d, key_z = jax.random.split(key, 3)
    image, labels = conditions.learned(batch)[:1], tuple(x[:1] for x in batch_labels(batch))
    chex.assert_rank(image, 4)
    z = latents(key_z[None])
    g = network.init(generator, key_g, z, *labels)
    fake = jax.eval_shape(lambda: network.apply(generator, *g, z, *labels)[0])
    if fake.shape != image.shape:
      raise ValueError(f"the generator's images are {fake.shape[1:]}, the data's are "
                       f'{image.shape[1:]}')
    d = network.init(discriminator, key_d, jnp.tile(image, packing), *labels)
    _check_statistics(terms, d[1])
    judged = jax.eval_shape(lambda: network.apply(
        discriminator, *d, jnp.tile(image, packing), *labels)[0])
    if isinstance(judged, tuple) != bool(auxiliary):
      raise ValueError(f'auxiliary={auxiliary}: expected a discriminator that gives '
                       f'{"logits and logits of classes" if auxiliary else "logits alone"}, got '
                       f'{jax.tree.map(lambda x: x.shape, judged)}')
    return ({'generator': g[0], 'discriminator': d[0]},
            {'generator': g[1], 'discriminator': d[1], 'shared': ada.shared(augmentation)})

  def judge(params: Tree, variables: Tree, image: Array, labels: Sequence[Array], *,
            train: bool, key: Array) -> tuple[tuple[Array, Array | None], Tree]:
    out, variables = network.apply(discriminator, params, variables, packed(image, packing),
                                   *labels, train=train, key=key)
    logits, classes = out if auxiliary else (out, None)
    return (logits.reshape(logits.shape[0]), classes), variables

  def losses(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    real, labels = conditions.learned(batch), batch_labels(batch)
    n = real.shape[0]
    # branches: a key folded and a key split would meet in the same keys
    key_examples, key_device, key_views, key_terms = jax.random.split(ctx.key, 4)
    z = latents(keys_.per_example(key_examples, n, ctx))
    key_g, key_real, key_fake = jax.random.split(keys_.per_part(key_device, ctx), 3)
    fake, updated_g = network.apply(generator, params['generator'], variables['generator'],
                                    z, *labels, train=ctx.train, key=key_g)
    seen = ada.views(augmentation, variables.get('shared', {}), key_views, n, ctx)

    def judged(k: int, statistics: Tree, image: Array):
      return judge(params['discriminator'], statistics, seen[k](image), labels, train=ctx.train,
                   key=(key_real, key_fake)[k])
    before = variables['discriminator']
    (real_logits, real_classes), between = judged(0, before, real)
    (fake_logits, fake_classes), after = judged(1, between, fake)
    both = [_whole(x, ctx.axis_name if loss.coupled else None) for x in (real_logits, fake_logits)]
    values = {'generator': jnp.mean(loss.generator(*both)),
              'discriminator': jnp.mean(loss.discriminator(*both))}
    metrics = {'logits/real': jnp.mean(real_logits),
               'logits/fake': jnp.mean(fake_logits),
               'accuracy/real': jnp.mean(real_logits > 0),
               'accuracy/fake': jnp.mean(fake_logits < 0),
               **_spreads(real, fake, ctx.axis_name)}
    updated = {**variables, 'generator': updated_g, 'discriminator': after}
    if auxiliary:
      entropy, accuracy = _of_classes(real_classes, fake_classes, labels[0])
      values = {player: value + auxiliary * entropy[player] for player, value in values.items()}
      metrics |= accuracy
    if not ctx.train:
      return values, (updated, metrics)
    critic = Critic(*(lambda packs, k=k, x=x: judged(k, x, unpacked(packs, packing))[0][0]
                      for k, x in enumerate((before, between))))
    punished = _punished(terms, ctx.step, critic, packed(real, packing), packed(fake, packing),
                         keys_.per_example(key_terms, n, ctx)[::packing] if terms else key_terms)
    values['discriminator'] += sum(punished.values())
    shared, followed = ada.updated(augmentation, updated.get('shared', {}), real_logits, n,
                                   ctx.axis_name)
    return values, ({**updated, 'shared': shared}, {**metrics, **punished, **followed})

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != conditional:
      raise ValueError(f'cond: expected {"labels [n]" if conditional else None}, '
                       f'got {cond}')
    labels = () if cond is None else (cond,)
    z = latents(keys)
    return network.apply(generator, params['generator'], variables['generator'],
                         z if temperature == 1 else temperature * z, *labels)[0]

  return Objective(init, losses, sample, loss.coupled or _coupled(packing, augmentation))


def packed(image: Array, n: int) -> Array:
  """Every `n` images as one: `[B, H, W, C] -> [B / n, H, W, n * C]`."""
  b, h, w, c = image.shape
  if b % n:
    raise ValueError(f'packing {n} images: expected a multiple of them in a batch, got {b}')
  return jnp.moveaxis(image.reshape(b // n, n, h, w, c), 1, 3).reshape(b // n, h, w, n * c)


def unpacked(packs: Array, n: int) -> Array:
  """The images of packs: `[B / n, H, W, n * C] -> [B, H, W, C]`.

  >>> packs = packed(jnp.arange(8.).reshape(4, 2, 1, 1), 2)
  >>> unpacked(packs, 2).ravel().tolist()
  [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
  """
  b, h, w, c = packs.shape
  return jnp.moveaxis(packs.reshape(b, h, w, n, c // n), 3, 1).reshape(b * n, h, w, c // n)


def _whole(logits: Array, axis_name: str | None) -> Array:
  """The logits of all devices, `[B] -> [devices * B]`: a mean is then the whole batch's."""
  return logits if axis_name is None else lax.all_gather(logits, axis_name, tiled=True)


def _spreads(real: Array, fake: Array, axis_name: str | None) -> dict[str, Array]:
  """Mean squared differences of pairs of examples: twice the variance, in any even part of a batch.

  Devices with odd parts share them, so that every way to divide a batch has the same pairs.
  """
  if len(real) % 2 and axis_name is not None:
    real, fake = (lax.all_gather(x, axis_name, tiled=True) for x in (real, fake))
  n = len(real) // 2 * 2
  if not n:
    return {}
  of_pairs = lambda x: 4 * jnp.mean(jnp.var(x[:n].reshape(n // 2, 2, -1), axis=1))
  return {'spread/real': of_pairs(real), 'spread/fake': of_pairs(lax.stop_gradient(fake))}


def _of_classes(real: Array, fake: Array, label: Array
                ) -> tuple[dict[str, Array], dict[str, Array]]:
  """Mean cross entropies of the players' images, and shares of them that are of their class."""
  entropy = lambda classes: jnp.mean(
      optax.softmax_cross_entropy_with_integer_labels(classes, label))
  right = lambda classes: jnp.mean(jnp.argmax(classes, -1) == label)
  return ({'discriminator': entropy(real), 'generator': entropy(fake)},
          {'classes/real': right(real), 'classes/fake': right(fake)})


def _punished(terms: Sequence[Penalty], step: Array, critic: Critic, real: Array, fake: Array,
              keys: Array) -> dict[str, Array]:
  """The penalties by the names of their metrics; fakes are given."""
  folded = jax.vmap(jax.random.fold_in, (0, None))
  return {f'penalty/{term.name}': penalties_.mean(
      term, step, critic, real, lax.stop_gradient(fake), folded(keys, k))
          for k, term in enumerate(terms)}


def _coupled(packing: int, augmentation: DiscriminatorAugmentation | None) -> str:
  if packing > 1:
    return 'the discriminator judges packs of examples'
  if augmentation is not None and augmentation.target is not None:
    return 'the probability of augmentation follows the logits of the whole batch'
  return ''


def _check(packing: int, num_classes: int | None, temperature: float, auxiliary: float) -> None:
  if packing < 1 or packing > 1 and num_classes is not None:
    raise ValueError(f'packing: expected a positive integer, and 1 with labels, got {packing} '
                     f'and num_classes={num_classes}')
  if not 0 < temperature < math.inf:
    raise ValueError(f'temperature={temperature}: expected a number above 0, 1 as in training')
  if not 0 <= auxiliary < math.inf or auxiliary and num_classes is None:
    raise ValueError(f'auxiliary={auxiliary}: expected a finite weight of at least 0, and 0 '
                     f'without labels, got num_classes={num_classes}')


def _checked_terms(penalties: Sequence[Penalty], packing: int) -> list[Penalty]:
  terms = penalties_.of_weight(penalties)
  if packing > 1 and any(not term.of_gradients for term in terms):
    raise ValueError(f'packing={packing} with a penalty of consistency, whose augmentation is of '
                     'single images; expected packing=1')
  return terms


def _check_statistics(terms: Sequence[Penalty], variables: Tree) -> None:
  """Batch normalisation makes every logit a function of the whole batch."""
  wanted = [term.name for term in terms if term.of_gradients]
  if wanted and 'batch_stats' in variables:
    raise ValueError(f'penalty {wanted[0]}: it is of the gradient of a logit by its own example, '
                     'and batch normalisation makes the logit depend on the whole batch; expected '
                     'a discriminator without it, or with group or layer normalisation')
