"""The classifier: its loss by hand, its hook, its labels, and a network that learns."""
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsynth import data, train_step as ts
from jaxsynth.metrics.predict import predict
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives.classify import classify
from jaxsynth.objectives import network
from jaxsynth.types import Context


class Constant:
  """Gives the same logits for all images: its only weights."""

  def __init__(self, logits):
    self._logits = jnp.asarray(logits)

  def init(self, rngs, x, *, train):
    return {'params': {'logits': self._logits}}

  def apply(self, variables, x, *, train, rngs=None, mutable=()):
    out = jnp.broadcast_to(variables['params']['logits'].reshape(1, -1),
                           (len(x), len(self._logits)))
    return (out, {}) if train else out


def batch(label, n=None):
  label = jnp.asarray(label)
  return {'image': jnp.zeros((len(label) if n is None else n, 4, 4, 1)), 'label': label}


def loss(objective, data, train=True):
  params, variables = objective.init(jax.random.key(0), data)
  losses, (_, metrics) = objective.loss(
      params, variables, data, Context(jnp.int32(0), jax.random.key(1), train))
  return float(losses['classifier']), float(metrics['accuracy'])


LOG = np.log([.5, .25, .25])


@pytest.mark.parametrize('label, smoothing, want, accuracy', [
    # -log .5 and -log .25
    ([0, 2], 0., (np.log(2) + np.log(4)) / 2, .5),
    # q = .7 + .1, .1, .1: -(.8 log .5 + .2 log .25)
    ([0], .3, .8 * np.log(2) + .2 * np.log(4), 1.),
    # mixup: .25 of class 0, .75 of class 1
    ([[.25, .75, 0.]], 0., .25 * np.log(2) + .75 * np.log(4), 0.),
    # both: .3 / 3 to each
    ([[1., 0., 0.]], .3, .8 * np.log(2) + .2 * np.log(4), 1.)])
def test_loss_by_hand(label, smoothing, want, accuracy):
  objective = classify(Constant(LOG), label_smoothing=smoothing)
  np.testing.assert_allclose(loss(objective, batch(label)), (want, accuracy), rtol=1e-6)


def test_the_loss_and_its_gradient_are_finite_at_large_logits():
  objective = classify(Constant([1e4, -1e4, 0.]))
  params, variables = objective.init(jax.random.key(0), batch([1]))
  f = lambda p: objective.loss(p, variables, batch([1]), Context(
      jnp.int32(0), jax.random.key(0)))[0]['classifier']
  value, grad = jax.value_and_grad(f)(params)
  assert value == 2e4
  np.testing.assert_array_equal(grad['classifier']['logits'], [1, -1, 0])


def test_augment_sees_each_example_with_its_own_key_in_training_alone():
  seen = []

  def augment(key, image, label):
    assert image.shape == (4, 4, 1) and label.shape == () and key.shape == ()
    jax.debug.callback(lambda k: seen.append(tuple(k.tolist())), jax.random.key_data(key))
    return image, jax.nn.one_hot(2, 3) + 0 * label

  objective = classify(Constant(LOG), augment=augment)
  trained, _ = loss(objective, batch([0] * 5))
  jax.effects_barrier()
  assert trained == pytest.approx(np.log(4)) and len(set(seen)) == len(seen) == 5
  assert loss(objective, batch([0] * 5), train=False)[0] == pytest.approx(np.log(2))
  assert len(seen) == 5


def test_samples_are_labels_drawn_from_the_softmax():
  """4,000 draws of p = .5, .25, .25: each frequency within 4 sqrt(p (1 - p) / 4000)."""
  objective = classify(Constant(LOG))
  params, variables = objective.init(jax.random.key(0), batch([0]))
  drawn = objective.sample(params, variables, jax.random.split(jax.random.key(0), 4000),
                           jnp.zeros((4000, 4, 4, 1)))
  p = np.exp(LOG)
  found = np.bincount(drawn, minlength=3) / 4000
  assert (np.abs(found - p) < 4 * np.sqrt(p * (1 - p) / 4000)).all()
  for cond in (None, jnp.arange(3)):
    with pytest.raises(ValueError, match=r'cond: expected images \[n, H, W, C\]'):
      objective.sample(params, variables, jax.random.split(jax.random.key(0), 3), cond)


@pytest.mark.parametrize('data, message', [
    ({'image': jnp.zeros((2, 4, 4, 1))}, "needs 'label', got .'image'."),
    (batch([[1., 0.]]), r'labels float32\[1, 2\]: expected integers \[B\] or probabilities \[1, 3'),
    (batch([1., 0.]), r'labels float32\[1\]'), (batch([[1, 0, 0]]), r'labels int32\[1, 3\]')])
def test_init_refuses(data, message):
  with pytest.raises(ValueError, match=message):
    classify(Constant(LOG)).init(jax.random.key(0), data)


@pytest.mark.parametrize('smoothing', [-.1, 1., np.nan])
def test_smoothing_out_of_range_is_refused(smoothing):
  with pytest.raises(ValueError, match='expected 0 <= label_smoothing < 1'):
    classify(Constant(LOG), label_smoothing=smoothing)


@pytest.mark.parametrize('shape, widths', [
    ((7, 9, 3), (4, 8)), ((1, 1, 2), (4,)), ((70, 33, 1), (4, 8))])
def test_any_image_shape(shape, widths, key):
  net, x = Classifier(7, widths, features=5), jax.random.normal(key, (3, *shape))
  params, variables = jax.jit(lambda k: network.init(net, k, x))(key)
  logits, last = jax.jit(lambda p: network.apply(net, p, variables, x, features=True)[0])(params)
  assert logits.shape == (3, 7) and last.shape == (3, 5) and float(last.min()) >= 0
  head = params['Dense_1']
  np.testing.assert_allclose(logits, last @ head['kernel'] + head['bias'].reshape(1, -1),
                             rtol=1e-5, atol=1e-5)
  trained, moved = jax.jit(lambda p: network.apply(net, p, variables, x, train=True, key=key))(
      params)
  assert trained.shape == (3, 7)
  assert jax.tree.structure(moved) == jax.tree.structure(variables)
  assert params['Dense_0']['kernel'].shape[0] <= 64 * widths[-1]


def test_dropout_bfloat16_and_statistics_over_devices(key):
  x = jax.random.normal(key, (4, 8, 8, 1))
  make = lambda **kwargs: Classifier(3, (4,), features=16, **kwargs)
  params, variables = jax.jit(lambda k: network.init(make(), k, x))(key)

  def run(net, x=x, train=False, key=None):
    return network.apply(net, params, variables, x, train=train, key=key)[0]
  a, b = jax.jit(lambda: (run(make()), run(make(dtype=jnp.bfloat16))))()
  assert a.dtype == b.dtype == jnp.float32 and 0 < float(jnp.abs(a - b).max()) < .1
  dropped = jax.jit(lambda k: run(make(dropout=.5), train=True, key=k))
  assert bool(jnp.any(dropped(jax.random.key(0)) != dropped(jax.random.key(1))))
  shared = jax.jit(jax.vmap(lambda x: run(make(axis_name='i'), x, True), axis_name='i'))
  whole = jax.jit(lambda: run(make(), train=True))()
  np.testing.assert_allclose(shared(x.reshape(2, 2, 8, 8, 1)).reshape(4, 3), whole, atol=1e-5)


@pytest.mark.long
def test_it_learns_digits(key):
  """150 steps of 64 on 4,000 digits: 95 % of 500 others, where chance is 10 %."""
  train, test = data.mnist5k('train'), data.mnist5k('test')
  net, rate = Classifier(10), optax.cosine_decay_schedule(5e-3, 150)
  algorithm = ts.build(classify(net), {'classifier': optax.adam(rate)},
                       ema=ts.EMA(('classifier',), .95))
  at, step = data.batch_at(train, 64, 0), ts.jit(algorithm.step)
  state = jax.jit(algorithm.init)(key, data.to_float(at(0)))
  for k in range(150):
    state, _ = step(state, data.to_float(at(k)), key)
    jax.block_until_ready(state)
  params, variables = (x['classifier'] for x in ts.averaged(state))
  found = predict(net, params, variables, test.images, features=True)
  assert np.mean(found.labels == test.labels) > .9
  assert found.features is not None and found.features.shape == (500, 64)
