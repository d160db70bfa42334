"""The likelihood of images under a model with latents, by importance sampling."""
from collections.abc import Callable, Mapping
import functools
import math
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth import keys as keys_, pixels
from jaxsynth.types import PerPlayer

LogWeights = Callable[[PerPlayer, PerPlayer, Mapping[str, Array], Array, int], Array]
STREAM = 0x4c494b45  # parts these draws from others of the same seed


class LogLikelihood(NamedTuple):
  """What is known of each image's likelihood, as host arrays.

  Attributes:
    log_p: `[N]`, nats: `log 1/K sum_k w_k`, in the mean at most log p(x).
    elbo: `[N]`, nats: the mean of `log w_k`, the evidence lower bound.
    effective: `[N]`, in [1, K]: `(sum w)^2 / sum w^2`, the draws that count. Where they are
      few, `log_p` lies well below log p(x), and its error is not known.
    samples: draws `K` an image.
    pixels: of an image, over all channels.
  """
  log_p: np.ndarray
  elbo: np.ndarray
  effective: np.ndarray
  samples: int
  pixels: int

  def summary(self) -> dict[str, Any]:
    """The mean over images, as JSON keeps it, with standard errors over images.

    Negative log-likelihoods in nats an image and in bits a dimension; of the draws that count,
    the median and the share of images with fewer than ten.

    >>> few = LogLikelihood(np.array([-80., -90.]), np.array([-85., -95.]), np.array([9., 99.]),
    ...                     100, 784)
    >>> few.summary()['nats'], few.summary()['standard_error'], few.summary()['few_effective']
    (85.0, 5.0, 0.5)
    """
    nats = -self.log_p.astype(np.float64)
    error = nats.std(ddof=1) / math.sqrt(len(nats)) if len(nats) > 1 else None
    return {'nats': float(nats.mean()), 'standard_error': error and float(error),
            'bits_per_dim': float(nats.mean() / (self.pixels * math.log(2))),
            'negative_elbo': float(-self.elbo.astype(np.float64).mean()),
            'effective_samples': float(np.median(self.effective)),
            'few_effective': float((self.effective < 10).mean())}


def log_likelihood(log_weights: LogWeights, params: PerPlayer, variables: PerPlayer,
                   images: np.ndarray, labels: np.ndarray | None = None, *, samples: int = 5000,
                   seed: int = 0, batch_size: int = 20, chunk: int = 50) -> LogLikelihood:
  """Importance samples of `p(x)` for each image, in chunks, compiled once.

  The draws of image i are a function of (seed, i, chunk).

  Args:
    log_weights: `(params, variables, batch, keys [B], count) -> [count, B]`, as
      `runs.Run.log_weights`.
    params: the model's.
    variables: the model's.
    images: uint8 `[N, H, W, C]`.
    labels: integers `[N]`, for a conditional model: the likelihood is then `p(x | label)`.
    samples: draws `K` an image, a multiple of `chunk`.
    seed: of the draws.
    batch_size: images at once.
    chunk: draws at once.

  Returns:
    What is known of each image.

  Raises:
    ValueError: no images, no draws, or a chunk that does not divide them.
    FloatingPointError: an image whose likelihood is not finite; how many, and the first.

  >>> flat = lambda params, variables, batch, keys, count: jnp.zeros((count, len(keys)))
  >>> found = log_likelihood(flat, {}, {}, np.zeros((3, 2, 2, 1), np.uint8), samples=50)
  >>> found.log_p.round(4).tolist(), found.effective.round(3).tolist()
  ([0.0, 0.0, 0.0], [50.0, 50.0, 50.0])

  Burda et al. 2016, https://arxiv.org/abs/1509.00519, equation 8.
  """
  for name, n in (('samples', samples), ('batch_size', batch_size), ('chunk', chunk)):
    if n < 1:
      raise ValueError(f'{name}={n}: expected at least 1')
  if samples % chunk:
    raise ValueError(f'samples={samples}: expected a multiple of chunk={chunk}')
  if not len(images):
    raise ValueError('no images: expected uint8 [N, H, W, C], N > 0')
  key = jax.random.fold_in(keys_.of_seed(seed), STREAM)
  outputs = []
  for start in range(0, len(images), batch_size):
    places = np.minimum(np.arange(start, start + batch_size), len(images) - 1)
    batch = {'image': images[places]}
    if labels is not None:
      batch['label'] = np.asarray(labels)[places]
    outputs.append(jax.device_get(_block(log_weights, samples // chunk, chunk, params, variables,
                                         batch, key, places)))
  log_p, elbo, effective = (np.concatenate(x)[:len(images)] for x in zip(*outputs))
  bad = ~(np.isfinite(log_p) & np.isfinite(elbo))
  if bad.any():
    raise FloatingPointError(f'{bad.sum()} of {len(images)} images have no finite likelihood, '
                             f'the first is {int(np.argmax(bad))}')
  return LogLikelihood(log_p, elbo, effective, samples, math.prod(images.shape[1:]))


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _block(log_weights: LogWeights, chunks: int, chunk: int, params: PerPlayer,
           variables: PerPlayer, batch: Mapping[str, Array], key: Array, places: Array
           ) -> tuple[Array, Array, Array]:
  """`log_p`, `elbo`, `effective` of a block of images, each `[B]`."""
  batch = pixels.to_float(batch)
  keys = jax.vmap(jax.random.fold_in, (None, 0))(key, places)

  def more(sums: tuple[Array, Array, Array], k: Array) -> tuple[tuple[Array, Array, Array], None]:
    drawn = log_weights(params, variables, batch, jax.vmap(
        jax.random.fold_in, (0, None))(keys, k), chunk)
    first, second, total = sums
    return (jnp.logaddexp(first, jax.nn.logsumexp(drawn, 0)),
            jnp.logaddexp(second, jax.nn.logsumexp(2 * drawn, 0)),
            total + jnp.mean(drawn, 0)), None

  none = jnp.full(len(places), -jnp.inf)
  (first, second, total), _ = lax.scan(more, (none, none, jnp.zeros(len(places))),
                                       jnp.arange(chunks))
  return (first - math.log(chunks * chunk), total / chunks, jnp.exp(2 * first - second))
