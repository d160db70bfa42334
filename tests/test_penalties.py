"""Penalties of the discriminator against critics whose slopes are known."""
import math

import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import ops, train_step as ts
from jaxsynth.losses import penalties
from jaxsynth.losses.penalties import Critic
from jaxsynth.models import dcgan
from jaxsynth.objectives.gan import gan
from jaxsynth.types import Context

REAL = jnp.array([[[[1., 2.]]], [[[-2., 0.]]]])  # two images of a pixel with two channels
FAKE = jnp.array([[[[3., 2.]]], [[[-2., 4.]]]])
KEYS = jax.random.split(jax.random.key(0))


def linear(w):
  """Slope `w` everywhere."""
  judge = lambda x: jnp.sum(x * w, (1, 2, 3))
  return Critic(judge, lambda x: 2 * judge(x))


def bowl(x):
  """`|x|^2 / 2`: the slope is the point itself."""
  return jnp.sum(x ** 2, (1, 2, 3)) / 2


W = jnp.array([3., 4.])[None, None, None]


@pytest.mark.parametrize('penalty, wanted', [
    (penalties.r1(1.), 12.5),  # |w|^2 / 2, |w| = 5
    (penalties.r2(1.), 50.),  # twice the slope
    (penalties.gradient_penalty(1.), 16.), (penalties.dragan(1.), 16.),  # (5 - 1)^2
    # w x and w (-x): (2 w x)^2, w x = 11 and -6
    (penalties.consistency(lambda keys, x: -x, 1.), [484., 144.])], ids=lambda x: getattr(
        x, 'name', ''))
def test_of_a_linear_critic(penalty, wanted):
  np.testing.assert_allclose(penalty.value(linear(W), REAL, FAKE, KEYS),
                             np.broadcast_to(wanted, 2), rtol=1e-6)


def test_the_gradient_of_a_penalty_is_that_of_the_formula():
  """d/dw |w|^2 / 2 = w; d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|."""
  of = lambda penalty: jax.grad(lambda w: jnp.mean(penalty.value(linear(w), REAL, FAKE, KEYS)))(W)
  np.testing.assert_allclose(of(penalties.r1(1.)), W, rtol=1e-6)
  np.testing.assert_allclose(of(penalties.gradient_penalty(1.)), 8 * W / 5, rtol=1e-6)


def test_slopes_are_taken_at_the_points_that_the_name_says():
  critic = Critic(bowl, bowl)
  at = lambda penalty: penalty.value(critic, REAL, FAKE, KEYS)
  np.testing.assert_allclose(at(penalties.r1(1.)), [2.5, 2.], rtol=1e-6)
  np.testing.assert_allclose(at(penalties.r2(1.)), [6.5, 10.], rtol=1e-6)


def test_interpolates_lie_on_the_line_between_a_real_and_its_fake():
  """Between (1, 2) and (3, 2): the slope of the bowl is the point, whose first number is told."""
  real, fake = (jnp.broadcast_to(x[:1], (64, 1, 1, 2)) for x in (REAL, FAKE))
  value = penalties.gradient_penalty().value(Critic(bowl, bowl), real, fake,
                                             jax.random.split(KEYS[0], 64))
  first = np.sqrt((1 + np.sqrt(value)) ** 2 - 4)
  assert first.min() > .999 and first.max() < 3.001
  assert len(set(first.tolist())) == 64 and abs(first.mean() - 2) < .25


def test_dragan_looks_near_real_images_as_far_as_they_vary():
  """Pixels 1 and 2 have a standard deviation of 0.5; the slope is the first pixel."""
  judge = lambda x: x[:, 0, 0, 0] ** 2 / 2
  real = jnp.broadcast_to(REAL[:1], (512, 1, 1, 2))
  away = np.sqrt(penalties.dragan(scale=.5).value(
      Critic(judge, judge), real, real, jax.random.split(KEYS[0], 512)))
  assert .24 < away.max() < .2501 and abs(away.mean() - .125) < .01
  with pytest.raises(ValueError, match='dragan: scale=0.0'):
    penalties.dragan(scale=0.)


def test_a_slope_of_zero_has_a_gradient():
  value = lambda w: jnp.sum(penalties.gradient_penalty().value(linear(w), REAL, FAKE, KEYS))
  assert value(0 * W) == 2 and not np.isnan(jax.grad(value)(0 * W)).any()


def test_second_derivatives_of_convolutions_by_finite_differences():
  """Of the kernel, through the slope at the image."""
  image, kernel = (jax.random.normal(jax.random.key(k), shape)
                   for k, shape in enumerate([(2, 6, 6, 2), (3, 3, 2, 4)]))
  direction = jax.random.normal(jax.random.key(2), kernel.shape)

  def value(kernel):
    judge = lambda x: jnp.sum(jnp.tanh(.2 * ops.conv(x, kernel, 2)), (1, 2, 3))
    return jnp.mean(penalties.r1(1.).value(Critic(judge, judge), image, image, KEYS))
  slope = jnp.sum(jax.grad(value)(kernel) * direction)
  step = 1e-2
  apart = (value(kernel + step * direction) - value(kernel - step * direction)) / (2 * step)
  np.testing.assert_allclose(slope, apart, rtol=1e-3)


def test_a_lazy_penalty_is_as_large_on_average_and_computed_when_it_is_due():
  lazy, seen = penalties.r1(.5, every=4), []

  def at(step):
    critic = Critic(lambda x: (jax.debug.callback(lambda: seen.append(step)), bowl(x))[1], bowl)
    return penalties.mean(lazy, jnp.int32(step), critic, REAL, FAKE, KEYS)
  values = [float(jax.jit(at, static_argnums=0)(step)) for step in range(8)]
  jax.effects_barrier()
  always = float(penalties.mean(penalties.r1(.5), jnp.int32(1), Critic(bowl, bowl), REAL, FAKE,
                                KEYS))
  assert always == 1.125 and values == [0, 0, 0, 4 * always] * 2 and set(seen) == {3, 7}


class WithBatchNorm(objectives.TinyGenerator):
  """A discriminator whose logits depend on the batch."""

  def __call__(self, x, label=None, *, train):
    return super().__call__(x.reshape(len(x), -1), train=train)[:, 0, 0, 0]


@pytest.mark.parametrize('penalty', [penalties.gradient_penalty(), penalties.r1(1.)])
def test_a_slope_by_its_own_example_needs_logits_of_their_own_example(penalty, key):
  make = lambda term: gan(objectives.TinyGenerator(), WithBatchNorm(), latent_dim=5,
                          penalties=[term])
  with pytest.raises(ValueError, match=f'penalty {penalty.name}: .* batch normalisation makes'):
    make(penalty).init(key, objectives.batch())
  make(penalties.consistency(lambda keys, x: x)).init(key, objectives.batch())
  make(penalty._replace(weight=0.)).init(key, objectives.batch())


@pytest.mark.parametrize('penalty, message', [
    (penalties.r1(-1.), 'penalty r1: weight=-1.0'), (penalties.r2(math.nan), 'weight=nan'),
    (penalties.dragan(every=0), 'penalty dragan: every=0, expected at least 1')])
def test_numbers_that_are_refused(penalty, message):
  with pytest.raises(ValueError, match=message):
    gan(objectives.TinyGenerator(), objectives.TinyDiscriminator(), penalties=[penalty])


@pytest.mark.parametrize('options, message', [
    (dict(penalties=[penalties.r1(1.), penalties.r1(2., every=4)]), 'r1 more than once'),
    (dict(penalties=[penalties.consistency(lambda keys, x: x)], packing=2), 'of single images')])
def test_penalties_that_do_not_go_together(options, message):
  with pytest.raises(ValueError, match=message):
    gan(objectives.TinyGenerator(), objectives.TinyDiscriminator(), **options)


def test_a_penalty_is_the_discriminators_alone_and_has_a_metric(key):
  plain, punished = (gan(objectives.TinyGenerator(), objectives.TinyDiscriminator(), latent_dim=5,
                         penalties=terms)
                     for terms in ([], [penalties.r1(2.), penalties.r2(3.)]))
  params, variables = plain.init(key, objectives.batch())
  ctx = Context(jnp.int32(0), key)
  (one, _), (two, (_, metrics)) = (x.loss(params, variables, objectives.batch(), ctx)
                                   for x in (plain, punished))
  assert one['generator'] == two['generator'] and metrics['penalty/r1'] > 0
  np.testing.assert_allclose(two['discriminator'], one['discriminator'] + metrics['penalty/r1']
                             + metrics['penalty/r2'], rtol=1e-6)
  evaluated = punished.loss(params, variables, objectives.batch(), ctx._replace(train=False))
  assert 'penalty/r1' not in evaluated[1][1]


class Mean(objectives.TinyDiscriminator):
  """The logit is the sum of all pixels of all images of a pack."""

  def __call__(self, x, label=None, *, train):
    return jnp.sum(x, (1, 2, 3))


def test_of_packs_the_slope_is_of_all_their_images(key):
  """48 pixels in a pack of three images, each of slope 1."""
  objective = gan(objectives.TinyGenerator(), Mean(), latent_dim=5, packing=3,
                  penalties=[penalties.r1(1.)])
  params, variables = objective.init(key, objectives.batch(9))
  metrics = objective.loss(params, variables, objectives.batch(9), Context(jnp.int32(0), key))[1][1]
  assert metrics['penalty/r1'] == 24


@pytest.mark.long
def test_the_pass_that_judged_an_image_is_not_computed_again_for_its_slope():
  """FLOPs of compiled steps: with another dropout mask there is one more pass."""
  discriminator = dcgan.Discriminator(16)
  image = {'image': jnp.zeros((8, 28, 28, 1))}

  def flops(f, *args):
    return jax.jit(f).lower(*args).compile().cost_analysis()['flops']

  def of_step(penalty):
    objective = gan(dcgan.Generator(width=4), discriminator, latent_dim=5, penalties=[penalty])
    algorithm = ts.build(objective, {player: optax.sgd(.1) for player in (
        'generator', 'discriminator')})
    state = jax.eval_shape(algorithm.init, jax.random.key(0), image)
    return flops(algorithm.step, state, image, jax.random.key(0))
  other = penalties.r1(1.)._replace(value=lambda critic, real, fake, keys: (
      penalties.squared_gradients(critic.fake, real) / 2))
  variables = jax.eval_shape(lambda: discriminator.init(jax.random.key(0), **{
      'x': image['image'], 'train': False}))
  forward = flops(lambda v, x: discriminator.apply(v, x, train=False), variables, image['image'])
  assert of_step(other) - of_step(penalties.r1(1.)) > .7 * forward
