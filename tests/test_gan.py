"""The GAN objective's own words: latents, labels, and what it refuses."""
import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import pytest

from jaxsynth import keys
from jaxsynth.losses import penalties
from jaxsynth.losses.adversarial import GANLoss
from jaxsynth.objectives.ada import DiscriminatorAugmentation
from jaxsynth.objectives.gan import gan, packed, unpacked
from jaxsynth.objectives import network
from jaxsynth.types import Context


def context(key):
  return Context(jnp.int32(0), key)


def test_losses_are_means_of_the_given_loss(key):
  loss = GANLoss(lambda real, fake: fake - real, lambda real, fake: jnp.full(8, 3.))
  objective = gan(objectives.TinyGenerator(), objectives.TinyDiscriminator(), loss,
                  latent_dim=5)
  params, variables = objective.init(key, objectives.batch())
  values, (_, metrics) = objective.loss(params, variables, objectives.batch(), context(key))
  assert values['discriminator'] == 3
  gap = metrics['logits/fake'] - metrics['logits/real']
  assert abs(float(values['generator'] - gap)) < 1e-6


def test_an_examples_latent_does_not_depend_on_the_batch_size(key):
  """Evaluate on the first half of a batch: the same fakes are judged."""
  seen = []
  loss = GANLoss(lambda real, fake: (seen.append(fake), fake)[1], lambda real, fake: fake)

  class Judge(objectives.TinyDiscriminator):
    def __call__(self, x, label=None, *, train):
      return x.reshape(x.shape[0], -1)[:, 0]

  class Plain(objectives.TinyGenerator):
    def __call__(self, z, label=None, *, train):
      return jnp.zeros((z.shape[0], 16)).at[:, :5].set(z).reshape(-1, 4, 4, 1)

  objective = gan(Plain(), Judge(), loss, latent_dim=5)
  for n in (8, 4):
    objective.loss({'generator': {}, 'discriminator': {}},
                   {'generator': {}, 'discriminator': {}}, objectives.batch(n), context(key))
  assert bool(jnp.all(seen[0][:4] == seen[1])) and len(set(seen[0].tolist())) == 8


def test_every_key_is_drawn_from_once(monkeypatch, key):
  """Latents and both dropouts: eight keys of examples, three of networks, none shared."""
  used = []
  apply, per_example = network.apply, keys.per_example

  def spy_apply(*args, key=None, **kwargs):
    used.append(key)
    return apply(*args, key=key, **kwargs)

  def spy_keys(*args):
    used.extend(per_example(*args))
    return per_example(*args)

  monkeypatch.setattr(network, 'apply', spy_apply)
  monkeypatch.setattr(keys, 'per_example', spy_keys)
  objective = objectives.tiny_gan(dropout=0.5)
  params, variables = objective.init(key, objectives.batch())
  used.clear()
  objective.loss(params, variables, objectives.batch(), context(key))
  assert len({tuple(jax.random.key_data(k).tolist()) for k in used}) == len(used) == 11


def test_augmentations_and_penalties_have_keys_of_their_own(key):
  """Eight latents; two augmentations and two penalties of eight each; parents apart from them."""
  used, given = [], []
  note = lambda keys, x, *p: (used.extend(keys), x)[1]
  penalty = lambda name: penalties.consistency(note)._replace(name=name)
  objective = objectives.tiny_gan(penalties=[penalty('a'), penalty('b')],
                                  augmentation=DiscriminatorAugmentation(note))
  params, variables = objective.init(key, objectives.batch())
  real = jax.random.normal
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(jax.random, 'normal', lambda k, shape: (given.append(k), real(k, shape))[1])
    objective.loss(params, variables, objectives.batch(), context(key))
  distinct = {tuple(jax.random.key_data(k).tolist()) for k in used}
  # an augmentation is called again, with the same keys, by the penalties' discriminator
  assert len(distinct) == 32


def test_evaluation_moves_nothing_and_drops_nothing(key):
  objective = objectives.tiny_gan(dropout=0.5)
  params, variables = objective.init(key, objectives.batch())
  ctx = context(key)._replace(train=False)
  _, (after, one) = objective.loss(params, variables, objectives.batch(), ctx)
  _, (_, two) = objective.loss(params, variables, objectives.batch(), ctx._replace(
      key=jax.random.key(9)))
  chex.assert_trees_all_equal(after, variables)
  assert one['logits/real'] == two['logits/real'] and one['logits/fake'] != two['logits/fake']


class Identity(objectives.TinyGenerator):
  """The latents are the image."""

  def __call__(self, z, label=None, *, train):
    return z.reshape(-1, 4, 4, 1)


def test_temperature_scales_the_latents_of_samples_and_not_of_training(key):
  made = [gan(Identity(), objectives.TinyDiscriminator(), latent_dim=16, temperature=t)
          for t in (1., 1.5)]
  params, variables = made[0].init(key, objectives.batch())
  cold, warm = (x.sample(params, variables, jax.random.split(key, 5)) for x in made)
  np.testing.assert_allclose(warm, 1.5 * cold, rtol=1e-6)
  losses = [x.loss(params, variables, objectives.batch(), context(key))[0] for x in made]
  chex.assert_trees_all_equal(*losses)


@pytest.mark.parametrize('temperature', [0., -1., math.inf, math.nan])
def test_temperatures_that_are_refused(temperature):
  with pytest.raises(ValueError, match='expected a number above 0'):
    gan(Identity(), objectives.TinyDiscriminator(), temperature=temperature)


def test_refusals(key):
  conditional = objectives.tiny_gan(num_classes=3)
  image = {'image': objectives.batch()['image']}
  with pytest.raises(ValueError, match="needs 'label', got .'image'."):
    conditional.init(key, image)
  with pytest.raises(ValueError, match=r'images are \(4, 4, 1\), the data.s are \(5, 4, 1\)'):
    objectives.tiny_gan().init(key, {'image': jnp.zeros((2, 5, 4, 1))})
  params, variables = conditional.init(key, objectives.batch())
  with pytest.raises(ValueError, match=r'cond: expected labels \[n\], got None'):
    conditional.sample(params, variables, jax.random.split(key, 2), None)
  with pytest.raises(ValueError, match='cond: expected None'):
    objectives.tiny_gan().sample(params, variables, jax.random.split(key, 2), jnp.zeros(2))


def test_labels_of_an_auxiliary_classifier_are_learned_from_their_own_images(key):
  """The discriminator's loss grows by the cross entropy on real images, the generator's on its
  own: of logits of zero, log 3."""
  plain, with_classes = (objectives.tiny_gan(num_classes=3, auxiliary=weight) for weight in (
      1e-9, 2.))
  params, variables = plain.init(key, objectives.batch())
  last = params['discriminator']['Dense_2']
  params['discriminator']['Dense_2'] = jax.tree.map(jnp.zeros_like, last)
  (one, _), (two, (_, metrics)) = (x.loss(params, variables, objectives.batch(), context(key))
                                   for x in (plain, with_classes))
  for player in ('generator', 'discriminator'):
    np.testing.assert_allclose(two[player] - one[player], 2 * math.log(3), rtol=1e-5)
  first = float(jnp.mean(objectives.batch()['label'] == 0))
  assert metrics['classes/real'] == metrics['classes/fake'] == first


def seen(key, **options):
  """Mean logits of a discriminator whose logit is the image's mean."""
  class Mean(objectives.TinyDiscriminator):
    def __call__(self, x, label=None, *, train):
      return jnp.mean(x, (1, 2, 3))
  objective = gan(objectives.TinyGenerator(), Mean(), latent_dim=5, **options)
  params, variables = objective.init(key, objectives.batch())
  return lambda **more: objective.loss(
      params, variables, objectives.batch(), context(key)._replace(**more))[1]


def test_real_and_generated_images_are_seen_through_the_augmentation_in_training(key):
  white = DiscriminatorAugmentation(lambda keys, images, p: images * 0 + p, .25)
  metrics = seen(key, augmentation=white)()[1]
  assert metrics['logits/real'] == metrics['logits/fake'] == .25
  plain, evaluated = seen(key)(train=False), seen(key, augmentation=white)(train=False)
  assert plain[1]['logits/real'] == evaluated[1]['logits/real'] != .25


def test_real_and_generated_images_are_augmented_by_other_keys(key):
  drawn = []
  noise = DiscriminatorAugmentation(lambda keys, images, p: (drawn.append(keys), images)[1])
  seen(key, augmentation=noise)()
  real, fake = (set(map(tuple, jax.random.key_data(x).tolist())) for x in drawn)
  assert len(real | fake) == 16


@pytest.mark.parametrize('value, start, moved', [
    (1., .5, .5 + 8 / 100), (-1., .5, .5 - 8 / 100), (1., 1., 1.), (-1., 0., 0.),
    (0., .5, .5 - 8 / 100)])
def test_an_adaptive_probability_follows_the_sign_of_real_logits(value, start, moved, key):
  """Eight images of a hundred that take it from 0 to 1; the target is a mean sign of 0.6."""
  sure = DiscriminatorAugmentation(lambda keys, images, p: images * 0 + value, start, .6, 100.)
  loss = seen(key, augmentation=sure)
  variables, metrics = loss()
  np.testing.assert_allclose(variables['shared']['augment_p'], moved, rtol=1e-6)
  assert metrics['augment/p'] == start and metrics['augment/sign'] == np.sign(value)
  assert loss(train=False)[0]['shared']['augment_p'] == start


@pytest.mark.parametrize('options, message', [
    (dict(augmentation=DiscriminatorAugmentation(None, target=.6)), 'needs augmentations'),
    (dict(augmentation=DiscriminatorAugmentation(objectives.moved, 1.5)), 'p=1.5'),
    (dict(augmentation=DiscriminatorAugmentation(objectives.moved, 0., 1.)), 'target=1.0'),
    (dict(augmentation=DiscriminatorAugmentation(objectives.moved, 0., .6, 0.)), 'images=0.0'),
    (dict(auxiliary=1.), 'auxiliary=1.0: .*num_classes=None'),
    (dict(auxiliary=-1., num_classes=3), 'auxiliary=-1.0'),
    (dict(packing=2, num_classes=3), 'packing: .* 1 with labels')])
def test_options_that_are_refused(options, message):
  with pytest.raises(ValueError, match=message):
    gan(objectives.TinyGenerator(), objectives.TinyDiscriminator(), **options)


def test_a_discriminator_gives_classes_where_they_are_learned_and_nowhere_else(key):
  for classes, options in ((True, {}), (False, {'auxiliary': 1.})):
    objective = gan(objectives.TinyGenerator(), objectives.TinyDiscriminator(0., classes),
                    latent_dim=5, num_classes=3, **options)
    with pytest.raises(ValueError, match='auxiliary=.*: expected a discriminator that gives logi'):
      objective.init(key, objectives.batch())


def test_packs_come_apart_as_they_were_packed(key):
  images = jax.random.normal(key, (6, 2, 3, 2))
  np.testing.assert_array_equal(unpacked(packed(images, 3), 3), images)
