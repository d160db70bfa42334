"""A model whose log p(x) is known: `z ~ N(0, I)`, `x = W z + b + noise`."""
import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth.losses.likelihoods import Likelihood
from jaxsynth.objectives.vae_networks import Networks

STD, LATENTS, SHAPE = .5, 2, (1, 4, 1)


class Encoder:
  """`mean = A x + c`, and a variance that is the same for every x."""

  def init(self, rngs, x, train):
    return {'params': {'kernel': jnp.zeros((4, LATENTS)), 'bias': jnp.zeros(LATENTS),
                       'log_variance': jnp.zeros(LATENTS)}}

  def apply(self, variables, x, train, **unused):
    p = variables['params']
    mean = x.reshape(len(x), -1) @ p['kernel'] + p['bias'][None]
    out = mean, jnp.broadcast_to(p['log_variance'][None], mean.shape)
    return (out, {}) if train else out


class Decoder:
  """`W z + b`."""

  def init(self, rngs, z, train):
    key = rngs['params']
    return {'params': {'kernel': .5 * jax.random.normal(key, (LATENTS, 4)), 'bias': jnp.zeros(4)}}

  def apply(self, variables, z, train, **unused):
    p = variables['params']
    out = (z @ p['kernel'] + p['bias'][None]).reshape(-1, *SHAPE)
    return (out, {}) if train else out


def likelihood():
  """Normal around the output itself."""
  constant = np.log(STD) + .5 * np.log(2 * np.pi)
  return Likelihood(
      lambda output, x: jnp.sum(.5 * ((x - output) / STD) ** 2 + constant, (1, 2, 3)),
      lambda output: output, lambda key, output: output)


def networks():
  return Networks(Encoder(), Decoder(), None, LATENTS, None)


def log_normal(x, mean, covariance):
  """`[n]`, by the density's formula, of rows `x`."""
  off = x - mean
  return -.5 * (np.einsum('ni,ij,nj->n', off, np.linalg.inv(covariance), off)
                + np.linalg.slogdet(2 * np.pi * covariance)[1])


def log_p(params, x):
  """Exact, `[n]`."""
  kernel = np.asarray(params['decoder']['kernel'], np.float64)
  covariance = kernel.T @ kernel + STD ** 2 * np.eye(4)
  return log_normal(np.asarray(x, np.float64).reshape(len(x), -1),
                    np.asarray(params['decoder']['bias'], np.float64), covariance)


def best_log_p(x):
  """The greatest mean of log p over all W and b: probabilistic principal components."""
  x = np.asarray(x, np.float64).reshape(len(x), -1)
  values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
  values = np.maximum(values[::-1], STD ** 2)
  values[LATENTS:] = STD ** 2
  vectors = vectors[:, ::-1]
  return log_normal(x, x.mean(0), vectors * values @ vectors.T).mean()


def data(n=256):
  rng = np.random.default_rng(0)
  mix = np.array([[1., .5, -.3, 0.], [0., .4, .8, -1.]])
  x = rng.normal(size=(n, 2)) @ mix + [.1, 0, -.2, .3] + STD * rng.normal(size=(n, 4))
  return x.reshape(n, *SHAPE).astype(np.float32)


def parameters(seed=0):
  """An encoder that is near no posterior, with a decoder of some size."""
  rng = np.random.default_rng(seed)
  some = lambda *shape: jnp.asarray(.4 * rng.normal(size=shape), jnp.float32)
  return {'encoder': {'kernel': some(4, 2), 'bias': some(2), 'log_variance': some(2) - 1.},
          'decoder': {'kernel': 2 * some(2, 4), 'bias': some(4)}}


def with_posterior(params):
  """The same with the encoder that gives the exact posterior, if its covariance is diagonal."""
  kernel = params['decoder']['kernel']
  precision = jnp.eye(2) + kernel @ kernel.T / STD ** 2
  gain = jnp.linalg.inv(precision) @ kernel / STD ** 2
  return {**params, 'encoder': {'kernel': gain.T, 'bias': -gain @ params['decoder']['bias'],
                                'log_variance': -jnp.log(jnp.diag(precision))}}
