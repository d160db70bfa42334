"""Private gradients against hand arithmetic, and who sees which example."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.losses import relativistic
from jaxsynth.models import dcgan
from jaxsynth.objectives.ada import DiscriminatorAugmentation
from jaxsynth.objectives.gan import gan
from jaxsynth.privacy import private_grad, refusals
from jaxsynth.privacy.dependence import depends
from jaxsynth.types import Context, Objective

SHAPE = (8, 8, 1)
ROWS, SIZE = 6, 4  # of a batch, and expected
PADDING = jnp.array([False] * 5 + [True])


def net_g(norm=False):
  return dcgan.Generator(SHAPE, 4, (2,), 3, kernel_size=3, batch_norm=norm)


def tiny(norm=False, dropout=0., **options):
  return gan(net_g(norm), dcgan.Discriminator(4, (2,), dropout, 3, kernel_size=3),
             latent_dim=2, num_classes=3, **options)


def batch_of(key, rows=ROWS):
  return {'image': jax.random.normal(key, (rows, *SHAPE)), 'label': jnp.arange(rows) % 3,
          'padding': jnp.arange(rows) >= 5}


def context(key, step=0):
  return Context(jnp.int32(step), key)


# loss (x - m)^2 / 2 of a mean m: the gradient of an example is m - x
mean = Objective(
    init=lambda key, batch: ({'mean': jnp.zeros(2)}, {}),
    loss=lambda params, variables, batch, ctx: (
        {'mean': jnp.mean(jnp.sum((batch['x'] - params['mean'][None]) ** 2, 1)) / 2},
        (variables, {'distance': jnp.mean(batch['x']), 'size': jnp.sum(params['mean'] ** 2)})),
    sample=lambda params, variables, keys, cond: params['mean'])
X = jnp.array([[3., 4.], [.3, -.4], [0., 0.], [-6., 8.], [0., .5], [99., 99.]])
# at m = 0 the gradients are -x, of lengths 5, .5, 0, 10, .5; clipped to 1
CLIPPED = -np.array([[.6, .8], [.3, -.4], [0., 0.], [-.6, .8], [0., .5]])


def gradient(objective=mean, batch=None, players=('mean',), key=0, **options):
  options = {'clip_norm': 1., 'noise_multiplier': 0., 'batch_size': SIZE} | options
  grad = private_grad.private_grad(objective, players, **options)
  params, variables = objective.init(jax.random.key(0), batch or {'x': X})
  return jax.jit(lambda batch, key: grad(
      objective.loss, tuple(params), params, variables, batch, context(key)))(
          batch or {'x': X, 'padding': PADDING}, jax.random.key(key))


@pytest.mark.parametrize('microbatch', [0, 1, 2, 6])
def test_it_is_the_sum_of_clipped_gradients_by_the_expected_size(microbatch):
  grads, losses, (_, metrics) = gradient(microbatch=microbatch)
  np.testing.assert_allclose(grads['mean'], CLIPPED.sum(0) / SIZE, rtol=1e-6)
  assert losses == {} and metrics == {}  # nothing else of the data


def test_an_empty_batch_is_noise_alone():
  nobody = {'x': X, 'padding': jnp.ones(ROWS, bool)}
  np.testing.assert_array_equal(gradient(batch=nobody)[0]['mean'], 0)
  some = gradient(batch=nobody, noise_multiplier=1.)[0]['mean']
  assert float(jnp.abs(some).min()) > 0


def test_noise_is_of_the_clip_norm_over_the_expected_size(key):
  """Its standard deviation is S C / B = 3 * .5 / 4: of 40,000 numbers, within 2 %."""
  grad = private_grad.private_grad(mean, ('mean',), clip_norm=.5, noise_multiplier=3.,
                                   batch_size=SIZE)
  batch = {'x': X, 'padding': jnp.ones(ROWS, bool)}
  draw = lambda key: grad(mean.loss, ('mean',), {'mean': jnp.zeros(2)}, {}, batch,
                          context(key))[0]['mean']
  drawn = jax.jit(jax.vmap(draw))(jax.random.split(key, 20_000))
  np.testing.assert_allclose(drawn.std(), 3 * .5 / 4, rtol=.02)
  np.testing.assert_allclose(drawn.mean(), 0, atol=.01)


def test_without_a_clip_it_is_the_gradient_of_the_batch(key):
  """Every example has the latent that it has in a batch of all."""
  objective, batch = tiny(), batch_of(key)
  batch['padding'] = jnp.zeros(ROWS, bool)
  params, variables = objective.init(key, batch)
  options = dict(clip_norm=1e9, noise_multiplier=0., batch_size=ROWS, num_classes=3)
  private = private_grad.private_grad(objective, ('generator', 'discriminator'), **options)

  @jax.jit
  def both(batch, key):
    of = lambda grad, batch: grad(objective.loss, ('discriminator', 'generator'), params,
                                  variables, batch, context(key))[0]
    return of(private, batch), of(ts.joint_grad, {k: batch[k] for k in ('image', 'label')})
  chex.assert_trees_all_close(*both(batch, key), rtol=1e-4, atol=1e-6)


def test_several_draws_of_noise_are_under_one_clip(key):
  """Loss n * m: the gradient is the draw n, of each example `draws` of them, averaged."""
  def loss(params, variables, batch, ctx):
    n = batch['x'].shape[0]
    noise = jax.random.normal(jax.random.fold_in(ctx.key, ctx.part[0]), (n,))
    return {'m': params['m'] * jnp.mean(noise)}, (variables, {})
  objective = Objective(lambda key, batch: ({'m': jnp.zeros(())}, {}), loss, lambda *x: 0.)
  for draws in (1, 8):
    grads, *_ = gradient(objective, {'x': X, 'padding': PADDING}, ('m',), multiplicity=draws,
                         batch_size=1, key=3)
    means = [jax.random.normal(jax.random.fold_in(jax.random.key(3), i), (draws,)).mean()
             for i in range(5)]
    np.testing.assert_allclose(grads['m'], np.clip(means, -1, 1).sum(), rtol=1e-5)


def test_the_generator_sees_no_example(key):
  """Not in its gradient, nor in metrics, nor in variables: read from the program itself."""
  objective = tiny()
  batch = batch_of(key)
  grad = private_grad.private_grad(objective, ('discriminator',), clip_norm=1., batch_size=SIZE,
                                   noise_multiplier=1., num_classes=3)
  params, variables = objective.init(key, batch)

  def step(batch, params, key):
    return grad(objective.loss, ('discriminator', 'generator'), params, variables, batch,
                context(key))
  reads = depends(step, batch, params, key)
  assert all(jax.tree.leaves(reads[0]['discriminator']))
  assert not any(jax.tree.leaves((reads[0]['generator'], reads[1:])))
  assert set(reads[1]) == {'generator'}
  assert 'logits/fake' in reads[2][1] and 'logits/real' not in reads[2][1]


def test_nor_in_the_lowered_step(key):
  """Of the whole step with its optimizers, what is needed for the generator takes no batch."""
  objective, batch = tiny(), batch_of(key)
  grad = private_grad.private_grad(objective, ('discriminator',), clip_norm=1., batch_size=SIZE,
                                   noise_multiplier=1., num_classes=3)
  rule = {'generator': optax.adam(1e-3), 'discriminator': optax.adam(1e-3)}
  algorithm = ts.build(objective, rule, grad_fn=grad, ema=ts.EMA(('generator',), .9))
  state = jax.eval_shape(algorithm.init, key, batch)

  def lowered(player):
    def updated(state, batch, key):
      new, _ = algorithm.step(state, batch, key)
      return new.params[player], new.opt_state[player]
    return jax.jit(updated).lower(state, batch, key).as_text()
  image = f'tensor<{ROWS}x8x8x1xf32>'
  assert image in lowered('discriminator') and image not in lowered('generator')


def test_a_step_compiles_once_and_tells_no_loss_of_a_private_player(key):
  objective = tiny(dropout=.3)
  grad = private_grad.private_grad(objective, ('discriminator',), clip_norm=1., batch_size=SIZE,
                                   noise_multiplier=1., microbatch=3, num_classes=3)
  rule = {'generator': optax.sgd(1e-3), 'discriminator': optax.sgd(1e-3)}
  algorithm = ts.build(objective, rule, grad_fn=grad,
                       schedule=(('discriminator',), ('generator', 'discriminator')))
  state = algorithm.init(key, batch_of(key))
  step = ts.jit(algorithm.step)
  for n in (0, 3, 5):
    batch = batch_of(key) | {'padding': jnp.arange(ROWS) >= n}
    two = jax.tree.map(lambda x: jnp.stack([x, x]), batch)
    state, metrics = step(state, two, key)
  assert step._cache_size() == 1
  assert {'generator/loss', 'generator/grad_norm', 'discriminator/grad_norm'} <= set(metrics)
  assert not {'discriminator/loss', 'logits/real', 'accuracy/real'} & set(metrics)


def test_who_sees_examples_is_known():
  batch = {'image': jax.ShapeDtypeStruct((2, *SHAPE), jnp.float32),
           'label': jax.ShapeDtypeStruct((2,), jnp.int32)}
  assert refusals.seeing(tiny(), batch) == {'discriminator'}
  paired = tiny(loss=relativistic.RELATIVISTIC)
  assert refusals.seeing(paired, batch) == {'discriminator', 'generator'}


@pytest.mark.parametrize('options, message', [
    (dict(clip_norm=0.), 'clip_norm=0.0: expected a number above 0'),
    (dict(clip_norm=np.inf), 'clip_norm=inf: expected'),
    (dict(noise_multiplier=-1.), 'noise_multiplier=-1.0: expected at least 0'),
    (dict(batch_size=0), 'batch_size=0: expected at least 1'),
    (dict(microbatch=4), 'a batch of 6 rows in microbatches of 4: expected a multiple of 4'),
    (dict(multiplicity=0), 'multiplicity=0: expected at least 1'),
    (dict(players=()), r'players=\(\): expected the names'),
    (dict(players='mean'), "players='mean': expected the names"),
    (dict(players=('other',)), 'the loss of mean depends on the examples: expected that only'),
    (dict(batch={'x': X}), r"takes a batch with 'padding' \[B\], bool, got \['x'\]")])
def test_numbers_that_cannot_be_are_refused(options, message):
  with pytest.raises(ValueError, match=message):
    gradient(**options)


def moving(params, variables, batch, ctx):
  moved = {'mean': {'center': jnp.mean(batch['x'], 0)}}
  return mean.loss(params, variables, batch, ctx)[0], (moved, {})


@pytest.mark.parametrize('objective, message', [
    (mean._replace(coupled='pairs are compared'), 'pairs are compared, so one example'),
    (mean._replace(loss=moving), r"changes variables by the examples \(\['mean'\]\['center'\]\)"),
    (mean._replace(init=lambda key, batch: (
        {'mean': jnp.zeros(2)}, {'mean': {'batch_stats': {}}})), 'mean has batch statistics')])
def test_losses_that_cannot_be_private_say_why(objective, message):
  with pytest.raises(ValueError, match=message):
    gradient(objective)


def test_gans_that_cannot_be_private_say_why(key):
  build = lambda objective: private_grad.private_grad(
      objective, ('discriminator',), clip_norm=1., noise_multiplier=1., batch_size=4,
      num_classes=3)
  with pytest.raises(ValueError, match='with the mean of the batch, so one example'):
    build(tiny(loss=relativistic.RELATIVISTIC_AVERAGE))
  follows = DiscriminatorAugmentation(lambda keys, x, p: x, 0., .6, 10.)
  with pytest.raises(ValueError, match='clipping does not bound'):
    build(tiny(augmentation=follows))
  normalised = tiny(norm=True)
  params, variables = normalised.init(key, batch_of(key))
  with pytest.raises(ValueError, match='the generator has batch statistics'):
    build(normalised)(normalised.loss, ('discriminator',), params, variables, batch_of(key),
                      context(key))
  with pytest.raises(ValueError, match='no private gradient in a mapped step'):
    build(tiny())(tiny().loss, ('discriminator',), *tiny().init(key, batch_of(key)),
                  batch_of(key), context(key)._replace(axis_name='batch'))
