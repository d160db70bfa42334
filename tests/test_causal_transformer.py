"""The transformer over tokens: it looks back alone, and draws what it says."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsynth.models.causal_transformer import CausalTransformer
from jaxsynth.objectives import autoregressive, network

pytestmark = pytest.mark.long


def transformer(num_classes=3, dtype=jnp.float32):
  net = CausalTransformer(5, 6, 16, 2, 4, num_classes, dtype)
  tokens, label = jax.random.randint(jax.random.key(0), (2, 6), 0, 5), jnp.array([0, 2])
  labels = () if num_classes is None else (label,)
  params, _ = jax.jit(functools.partial(network.init, net))(jax.random.key(1), tokens, *labels)
  params = jax.tree.map(
      lambda x: x + .2 * jax.random.normal(jax.random.key(x.size), x.shape), params)
  return net, params, tokens, labels


@pytest.mark.parametrize('num_classes', [None, 3])
def test_what_comes_later_changes_no_logits(num_classes):
  net, params, tokens, labels = transformer(num_classes)
  logits_of = jax.jit(lambda tokens: network.apply(net, params, {}, tokens, *labels)[0])
  logits = logits_of(tokens)
  for place in range(6):
    changed = tokens.at[:, place].set((tokens[:, place] + 1) % 5)
    other = logits_of(changed)
    np.testing.assert_allclose(other[:, :place + 1], logits[:, :place + 1], atol=1e-6)
    assert place == 5 or not np.allclose(other[:, place + 1:], logits[:, place + 1:], atol=1e-3)


@pytest.mark.parametrize('num_classes, dtype, apart', [
    (None, jnp.float32, 1e-5), (3, jnp.float32, 1e-5), (3, jnp.bfloat16, .1)])
def test_a_step_gives_the_logits_of_the_whole(num_classes, dtype, apart):
  net, params, tokens, labels = transformer(num_classes, dtype)
  logits = network.apply(net, params, {}, tokens, *labels)[0]
  assert not np.allclose(logits[0], logits[1], atol=1e-2)
  cache, previous = net.apply({'params': params}, 2, method='cache'), jnp.zeros(2, int)
  apply = jax.jit(functools.partial(net.apply, method='step'))
  for place in range(6):
    step, cache = apply({'params': params}, previous, jnp.int32(place), cache, *labels)
    np.testing.assert_allclose(step, logits[:, place], atol=apart)
    previous = tokens[:, place]


def test_samples_have_the_probabilities_of_the_prior():
  """All 25 sequences of two tokens: drawn as often as the logits say."""
  net = CausalTransformer(5, 2, 8, 1, 2)
  every = jnp.stack(jnp.meshgrid(jnp.arange(5), jnp.arange(5), indexing='ij'), -1).reshape(25, 2)
  params, _ = network.init(net, jax.random.key(1), every)
  params = jax.tree.map(
      lambda x: x + .5 * jax.random.normal(jax.random.key(x.size), x.shape), params)
  log_p = autoregressive.log_probability(network.apply(net, params, {}, every)[0], every)
  np.testing.assert_allclose(jnp.exp(log_p).sum(), 1, rtol=1e-5)
  draw = jax.jit(lambda keys, temperature: autoregressive.sampled(
      net, params, {}, keys, (), 2, temperature))
  keys = jax.random.split(jax.random.key(2), 20000)
  drawn = np.asarray(draw(keys, 1.))
  share = np.bincount(drawn @ [5, 1], minlength=25) / len(drawn)
  np.testing.assert_allclose(share, np.exp(log_p), atol=.015)
  np.testing.assert_array_equal(draw(keys[7:9], 1.), drawn[7:9])
  cold = np.asarray(draw(keys[:50], 1e-4))
  assert (cold == cold[0]).all()
