"""The GAN objective's own words: latents, labels, and what it refuses."""
import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import pytest

from jaxsynth import keys
from jaxsynth.losses.adversarial import GANLoss
from jaxsynth.objectives.gan import gan
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
