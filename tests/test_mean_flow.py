"""MeanFlow on data whose average velocities are known, and what its loss is made of."""
import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import objectives
import optax
import pytest

from jaxsynth import train_step as ts
from jaxsynth.data import two_d
from jaxsynth.losses import flow
from jaxsynth.metrics import points
from jaxsynth.models.time_mlp import TimeAndLabel, TimeMLP
from jaxsynth.models.unet import UNet
from jaxsynth.objectives import mean_flow as mf
from jaxsynth.objectives.flow_matching import flow_matching
from jaxsynth.types import Context

pytestmark = pytest.mark.long

MEAN, STD = .1, .15  # of the data whose flow is known
TIMES = flow.logit_normal(.4)
tiny = objectives.tiny_mean_flow


def exact(x, at, mean=MEAN, std=STD):
  """The average velocity of normal data: from t to s points are scaled about the mean.

  `x_s = s mean + (x_t - t mean) width(s) / width(t)`, `width^2 = t^2 std^2 + (1 - t)^2`; the
  difference of two widths is that of their squares over their sum, so that s may be t.
  """
  t, s = (y.reshape(-1, *[1] * (x.ndim - 1)) for y in (at[:, 0], at[:, 0] + at[:, 1]))
  width = lambda t: jnp.sqrt((t * std) ** 2 + (1 - t) ** 2)
  slope = (std ** 2 * (t + s) - (2 - t - s)) / (width(t) + width(s))
  return mean + (x - t * mean) * slope / width(t)


class Exact:
  """`scale` times it, as a network with one parameter."""

  def init(self, rngs, *args, train):
    return {'params': {'scale': jnp.ones(())}}

  def apply(self, variables, x, at, *, train, **_):
    y = variables['params']['scale'] * exact(x, at)
    return (y, {}) if train else y


@pytest.fixture(scope='module')
def started():
  """Parameters of which none is zero, so that labels and times count."""
  params, variables = tiny(num_classes=3).init(jax.random.key(0), objectives.batch())
  leaves, tree = jax.tree.flatten(params)
  rng = np.random.default_rng(1)
  return jax.tree.unflatten(tree, [
      x + .3 * rng.normal(size=x.shape).astype(np.float32) for x in leaves]), variables


def context(seed=0, **options):
  return Context(jnp.int32(0), jax.random.key(seed), **options)


def loss_of(objective, started, batch, ctx):
  losses, (_, metrics) = objective.loss(*started, batch, ctx)
  return losses['flow'], metrics['squared_error']


@jax.jit
def sides(x, at):
  velocity = exact(x, at * jnp.array([[1., 0.]]))
  return exact(x, at), velocity + at[:, 1:] * mf.derivative(exact, x, at, velocity)


def test_the_exact_average_velocity_satisfies_the_identity():
  """At times near both ends, with intervals of nothing, a little and all."""
  at = jnp.array([[t, h * (1 - t)] for t in (0., .2, .6, .95) for h in (0., .1, .5, 1.)])
  x = jax.random.normal(jax.random.key(0), (len(at), 3))
  left, right = sides(x, at)
  np.testing.assert_allclose(left, right, rtol=1e-5, atol=2e-5)
  wrong = exact(x, at * jnp.array([[1., 0.]]))  # the velocity, of which all intervals differ
  assert (np.abs(left - wrong).max(-1) > 1e-3).reshape(4, 4)[:, 1:].all()


def test_the_loss_pulls_the_exact_function_nowhere():
  """Given the point, the mean of the loss's target is the average velocity itself."""
  n = 40_000
  image = MEAN + STD * jax.random.normal(jax.random.key(1), (n, 1, 1, 1))
  objective = mf.mean_flow(Exact(), (1, 1, 1), interval_every=1, power=0.)

  @jax.jit
  def pull(scale):
    return jax.grad(lambda p: loss_of(objective, ({'flow': p}, {'flow': {}}), {'image': image},
                                      context())[0])({'scale': scale})['scale']
  assert abs(pull(jnp.float32(1.))) < .03  # five standard errors
  assert pull(jnp.float32(1.1)) > .1 and pull(jnp.float32(.9)) < -.1


@pytest.mark.parametrize('steps', [1, 3])
def test_the_exact_function_draws_the_data_in_any_number_of_steps(steps):
  keys = jax.random.split(jax.random.key(3), 500)
  sample = mf.mean_flow(Exact(), (2, 1, 1), solver_steps=steps).sample
  images = jax.jit(sample)({'flow': {'scale': jnp.ones(())}}, {'flow': {}}, keys, None)
  noise = jax.vmap(lambda key: jax.random.normal(jax.random.split(key)[0], (2, 1, 1)))(keys)
  np.testing.assert_allclose(images, jnp.clip(MEAN + STD * noise, -1, 1), atol=2e-6)


def test_of_moments_alone_it_is_flow_matching(started):
  """With the earlier of two times; parameters of a network that is told of one time more."""
  earlier = lambda key: jax.vmap(TIMES)(jax.random.split(key)).min()

  class Moment:
    def apply(self, variables, x, t, cond, **options):
      return TimeMLP(8, 1).apply(variables, x, jnp.stack([t, 0 * t], -1), cond, **options)
  batch, ctx = objectives.batch(), context(5)
  known = flow_matching(Moment(), objectives.SHAPE, times=earlier, num_classes=3, label_dropout=.5)
  ours = tiny(num_classes=3, label_dropout=.5, interval_every=0, power=0.)
  expected = known.loss(*started, batch, ctx)[0]['flow']
  np.testing.assert_allclose(loss_of(ours, started, batch, ctx), expected, rtol=1e-5)


def by_hand(params, batch, ctx, guidance=1., dropout=.5, power=1.):
  """The loss of one example after another, its derivative by finite differences."""
  key_examples, key_rest = jax.random.split(ctx.key)
  first = jax.random.randint(jax.random.split(key_rest)[1], (), 0, 4)
  net = jax.jit(lambda x, t, s, cond: TimeMLP(8, 1).apply(
      {'params': params['flow']}, x[None], jnp.stack([t, s - t])[None], cond[None],
      train=False)[0])
  errors = []
  for i, (image, label) in enumerate(zip(batch['image'], batch['label'])):
    key_noise, key_times, key_label = jax.random.split(jax.random.fold_in(key_examples, i), 3)
    noise = jax.random.normal(key_noise, image.shape)
    t, s = sorted(TIMES(key) for key in jax.random.split(key_times))
    s = s if i % 4 == first else t
    cond = jnp.eye(3)[label] * (jax.random.uniform(key_label) >= dropout)
    x, velocity = t * image + (1 - t) * noise, image - noise
    if cond.any():
      without = net(x, t, t, 0 * cond)
      velocity = without + guidance * (velocity - without)
    h = 5e-4
    there, back = (net(x + e * velocity, t + e, s, cond) for e in (h, -h))
    goal = velocity + (s - t) * (there - back) / (2 * h)
    errors.append(jnp.mean((net(x, t, s, cond) - goal) ** 2))
  errors = jnp.stack(errors)
  return jnp.mean(errors / (errors + .01 / 16) ** power), jnp.mean(errors)


@pytest.mark.parametrize('options', [{}, {'power': .5, 'guidance': 2.}], ids=['paper', 'guided'])
def test_the_loss_is_what_its_key_gives_by_hand(started, options):
  batch, ctx = objectives.batch(), context(5)
  ours = tiny(num_classes=3, label_dropout=.5, **options)
  np.testing.assert_allclose(loss_of(ours, started, batch, ctx),
                             by_hand(started[0], batch, ctx, **options), rtol=2e-3)


@pytest.mark.parametrize('parts', [2, 4])
def test_an_example_has_the_same_loss_in_any_part(started, parts):
  """Parts of four and of two, where one in four is not in every part."""
  batch, objective = objectives.batch(), tiny(num_classes=3, power=0.)
  size = 8 // parts
  each = [loss_of(objective, started, jax.tree.map(lambda x, k=k: x[size * k:size * k + size],
                                                   batch), context(part=(k, parts)))[0]
          for k in range(parts)]
  whole = loss_of(objective, started, batch, context())[0]
  np.testing.assert_allclose(np.mean(each), whole, rtol=1e-5)
  without = loss_of(tiny(num_classes=3, power=0., interval_every=0), started, batch, context())[0]
  assert abs(whole - without) > 3e-4  # so intervals count


def test_no_gradient_goes_through_the_target(started):
  """Along the gradient the loss falls otherwise than it says, as the target moves too."""
  batch, objective = objectives.batch(), tiny(num_classes=3, power=0., interval_every=1)
  of = jax.jit(lambda params: loss_of(objective, (params, started[1]), batch, context())[0])
  gradient = jax.jit(jax.grad(of))(started[0])
  norm, h = optax.tree.norm(gradient), 1e-2
  there, back = (of(jax.tree.map(lambda p, g, e=e: p + e * g / norm, started[0], gradient))
                 for e in (h, -h))
  assert abs((there - back) / (2 * h) - norm) > .02 * norm


@pytest.mark.slow
@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
def test_the_derivative_costs_what_forward_mode_does(dtype):
  """Twice the convolutions of the network, in a compiled program."""
  net = UNet((4,), features=8, heads=0, patch=1, dtype=dtype)
  x, at = jnp.ones((2, 4, 4, 1)), jnp.full((2, 2), .3)
  shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), x, at, train=False))
  rng = np.random.default_rng(0)
  params = jax.tree.map(lambda p: jnp.asarray(.3 * rng.normal(size=p.shape), p.dtype), shapes)
  u = lambda x, at: net.apply(params, x, at, train=False)

  def count(f):
    return len(re.findall('(?:convolution|__onednn\\$conv)\\(', jax.jit(f).lower(
        x, at).compile().as_text()))
  assert 3 <= count(u) and count(lambda x, at: mf.derivative(u, x, at, x)) <= 2 * count(u)
  change = jax.jit(lambda x, at: mf.derivative(u, x, at, x))(x, at)
  h = 1e-3
  there, back = (u(x + e * x, at + e * jnp.array([[1., -1.]])) for e in (h, -h))
  if dtype == jnp.float32:
    np.testing.assert_allclose(change, (there - back) / (2 * h), rtol=.02, atol=.02)
  else:
    wide = mf.derivative(lambda x, at: net.copy(dtype=jnp.float32).apply(
        params, x, at, train=False), x, at, x)
    assert jnp.linalg.norm(change - wide) < .05 * jnp.linalg.norm(wide)
  assert change.dtype == jnp.float32


def test_times_side_by_side_are_each_told():
  layer = TimeAndLabel(4)
  one = layer.init(jax.random.key(0), jnp.zeros(2), None)['params']
  two = layer.init(jax.random.key(0), jnp.zeros((2, 2)), None)['params']
  assert one['Dense_0']['kernel'].shape == (32, 4) and two['Dense_0']['kernel'].shape == (64, 4)
  chex.assert_trees_all_equal(layer.apply({'params': one}, jnp.array([.1, .7]), None),
                              layer.apply({'params': one}, jnp.array([[.1], [.7]]), None))
  by_time = jax.jacobian(lambda at: layer.apply({'params': two}, at, None))(jnp.ones((1, 2)))
  assert (jnp.abs(by_time).max((0, 1, 2)) > 1e-3).all()


def test_a_number_that_is_none_is_seen(started):
  batch, objective = objectives.batch(), tiny(num_classes=3, label_dropout=.9, guidance=2.)
  loss = jax.jit(lambda batch: loss_of(objective, started, batch, context())[0])
  broken = {**batch, 'image': batch['image'].at[3, 0, 0].set(jnp.nan)}
  other = {**batch, 'label': batch['label'].at[2].set(3)}
  assert jnp.isfinite(loss(batch)) and jnp.isnan(loss(broken)) and jnp.isnan(loss(other))


@pytest.mark.parametrize('make, message', [
    (lambda: tiny(solver_steps=0), 'solver_steps=0: expected at least 1'),
    (lambda: TimeAndLabel(2, fastest=0.).init(jax.random.key(0), jnp.zeros(1), None),
     'fastest=0.0: expected radians'),
    (lambda: tiny(guidance=2.), 'a model without labels has nothing to be guided by'),
    (lambda: tiny(num_classes=3, guidance=2., label_dropout=0.), 'never learned without labels'),
    (lambda: tiny(guidance=-1.), 'guidance=-1.0: expected at least 0'),
    (lambda: tiny(label_dropout=1.), 'label_dropout=1.0: expected a share'),
    (lambda: tiny(interval_every=-1), 'interval_every=-1: expected one example in how many'),
    (lambda: tiny(power=-1.), 'power=-1.0: expected at least 0'),
    (lambda: tiny(offset=0.), 'offset=0.0: expected more than 0'),
    (lambda: tiny(num_classes=3).init(jax.random.key(0), {'image': jnp.zeros((1, 4, 4, 1))}),
     "needs 'label'"),
    (lambda: tiny().init(jax.random.key(0), {'image': jnp.zeros((1, 8, 8, 1))}),
     r"the data's images are \(8, 8, 1\), expected"),
    (lambda: tiny().sample({}, {}, jax.random.split(jax.random.key(0), 2), jnp.zeros(2)),
     'cond: expected None'),
    (lambda: tiny(num_classes=3).sample({}, {}, jax.random.split(jax.random.key(0), 2)),
     'cond: expected labels')])
def test_what_does_not_fit_is_refused(make, message):
  with pytest.raises(ValueError, match=message):
    make()


@pytest.mark.slow
def test_it_learns_eight_gaussians_in_one_step():
  plane = two_d.eight_gaussians()
  objective = mf.mean_flow(TimeMLP(64, 2, fastest=5.), (1, 1, 2))
  algorithm = ts.build(objective, {'flow': optax.adam(optax.cosine_decay_schedule(5e-3, 1500))},
                       ema=ts.EMA())
  batch_at = lambda key: {'image': two_d.as_images(plane.draw(key, 256))}

  @jax.jit
  def learned(key):
    state = algorithm.init(key, batch_at(key))
    step = lambda state, k: (algorithm.step(state, batch_at(jax.random.fold_in(key, k)), key)[0],
                             None)
    state = jax.lax.scan(step, state, jnp.arange(1500))[0]
    keys = jax.random.split(jax.random.key(1), 2000)
    return objective.sample(*ts.averaged(state), keys, None).reshape(-1, 2)
  drawn = learned(jax.random.key(0))
  near = points.reached(drawn, plane.modes, plane.std, least=60)
  distance = points.sliced_wasserstein(drawn, plane.draw(jax.random.key(2), 2000))
  assert near.modes == 8 and near.quality > .6 and distance < .1
