"""One noisy look at the data: the sums of an embedding over each class, and the classes' sizes."""
from collections.abc import Iterator
import hashlib
from importlib import metadata
import math
from typing import Any

from absl import logging
import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.data import batches
from jaxsynth.data.kinded import kind_of
from jaxsynth.privacy import package
from jaxsynth.privacy.embeddings import Embedding, WITHIN
from jaxsynth.privacy.guarantee import Guarantee, ONE_EXAMPLE
from jaxsynth.privacy.plan import LEFT_OUT
from jaxsynth.types import PerPlayer, Tree

COUNTED = .2  # of an example's norm 1, what counts its class; the embedding has sqrt(1 - .2^2)
BLOCK = 512  # examples a step


def noise_of(epsilon: float, delta: float) -> float:
  """The least standard deviation of normal noise that hides a change of norm 1.

  Args:
    epsilon: above 0; infinite for no noise.
    delta: in (0, 1).

  Raises:
    ValueError: another epsilon or delta.
    ImportError: dp_accounting is not installed, and there is to be noise.

  The analytic Gaussian mechanism, Balle & Wang 2018, https://arxiv.org/abs/1805.06530, theorem 8.

  >>> noise_of(math.inf, 1e-5)
  0.0
  >>> round(noise_of(1., 1e-5), 3)
  3.731
  """
  if not epsilon > 0:
    raise ValueError(f'epsilon={epsilon}: expected more than 0')
  if not 0 < delta < 1:
    raise ValueError(f'delta={delta}: expected a probability in (0, 1)')
  if math.isinf(epsilon):
    return 0.
  gaussian = package.load('dp_accounting.gaussian_mechanism')
  return float(gaussian.get_sigma_gaussian(epsilon, delta))


def promise(epsilon: float, delta: float, size: int) -> Guarantee:
  """What a release of `epsilon` and `delta` promises, and all that is made of it.

  Args:
    epsilon: above 0 and finite.
    delta: in (0, 1).
    size: of the data; the noise does not depend on it.
  """
  noise = noise_of(epsilon, delta)
  return Guarantee(
      epsilon, delta, 'add_or_remove_one', ONE_EXAMPLE,
      'Normal noise on the sums, over each class, of fixed features of an example, whose norm is '
      "1, and on the classes' sizes; the model learns from nothing else.", '',
      f"the analytic Gaussian mechanism of dp_accounting {metadata.version('dp_accounting')}",
      noise, 1., 1., 1, size, ('generator', 'means', 'shares'), LEFT_OUT)


def warn_of(delta: float, size: int, name: str) -> None:
  """Warns of a delta with which whole examples might be given away.

  Args:
    delta: in (0, 1).
    size: of the data.
    name: of the data.
  """
  if delta * size >= 1:
    logging.warning(
        'delta=%g with the %s examples of %s: a mechanism that gives away one example in %s would '
        'pass; expected less than %g', delta, f'{size:,}', name, f'{size:,}', 1 / size)


def sums(source: batches.Source, embedding: Embedding, tree: Tree, num_classes: int | None,
         block: int = BLOCK) -> tuple[np.ndarray, str]:
  """The sums of `(sqrt(1 - c^2) phi(x), c)` over the examples of each class, with `c = COUNTED`.

  An example more or fewer changes them by a vector of norm 1 at most.

  Args:
    source: all of it is read once, in order.
    embedding: `phi`.
    tree: its random numbers.
    num_classes: of the labels; `None` for one class of all.
    block: examples a step.

  Returns:
    Float64 `[D + 1, K]`, whose last row counts, and a SHA-256 of what was read.

  Raises:
    ValueError: no labels, or data without end.
  """
  if source.size >= batches.ENDLESS:
    raise ValueError(f'{source.name}: it has no end, so it has no sums; name a part, as '
                     '--split=endless[:10000]')
  if num_classes is not None and source.num_classes is None:
    raise ValueError(f'{source.name}: no labels, and sums are of each class; expected '
                     'num_classes=None')
  features = jax.jit(embedding.apply)
  total, sha = np.zeros((embedding.size + 1, num_classes or 1)), hashlib.sha256()
  for values, labels in _blocks(source, block, sha):
    rows = np.asarray(features(tree, values), np.float64)[:len(labels)]
    rows = np.concatenate([math.sqrt(1 - COUNTED ** 2) * rows,
                           np.full((len(rows), 1), WITHIN * COUNTED)], 1)
    classes = labels if num_classes is not None else np.zeros_like(labels)
    total += rows.T @ np.eye(num_classes or 1)[classes]
  return total, sha.hexdigest()


def _blocks(source: batches.Source, block: int, sha: Any) -> Iterator[tuple[Array, np.ndarray]]:
  """Values as models take them, all of one shape, and labels of those that count."""
  kind = kind_of(source)
  for start in range(0, source.size, block):
    positions = np.arange(start, start + block)
    batch = source.take(np.minimum(positions, source.size - 1))
    count = min(block, source.size - start)
    labels = np.asarray(batch.get('label', np.zeros(block)), np.int64)[:count]
    sha.update(np.ascontiguousarray(batch[kind.name][:count]).tobytes() + labels.tobytes())
    yield kind.in_model(batch)[kind.name], labels


def noisy(exact: np.ndarray, noise: float, key: Array) -> np.ndarray:
  """The sums with normal noise of jax_privacy; without noise, as they are."""
  if not noise:
    return exact
  privatizer = package.load('jax_privacy.noise_addition').gaussian_privatizer(
      stddev=noise, prng_key=key)
  nothing = jnp.zeros(exact.shape)
  drawn, _ = privatizer.update(nothing, privatizer.init(nothing))
  return exact + np.asarray(drawn, np.float64)


def take(source: batches.Source, key: Array, variables: PerPlayer, *, embedding: Embedding,
         num_classes: int | None, epsilon: float, delta: float) -> PerPlayer:
  """Releases the mean embedding of a data set into the variables of `mean_embedding`.

  The noise is a function of the key and of what is released: the data, the embedding and the
  noise's size. So the same release made twice is one release, and two of the same seed that
  differ, of which equal noise would cancel, do not have equal noise.

  Args:
    source: the data.
    key: for this alone.
    variables: of `objectives.mean_embedding`, whose `'shared'` has the embedding's random numbers.
    embedding: the one that it was made with.
    num_classes: likewise.
    epsilon: of the release, above 0; infinite for no noise.
    delta: likewise, in (0, 1).

  Returns:
    The variables with `means [D, K]`, the joint mean embedding, and `shares [K]`, above 0.

  Raises:
    ValueError: as `sums` and `noise_of`.
    ImportError: as `noise_of`.
  """
  shared, noise = variables['shared'], noise_of(epsilon, delta)
  if noise:
    warn_of(delta, source.size, source.name)
  exact, digest = sums(source, embedding, shared['embedding'], num_classes)
  identity = repr((digest, noise, embedding.summary, exact.shape))
  released = noisy(exact, noise, _of_text(key, identity))
  counts = np.maximum(released[-1] / (WITHIN * COUNTED), 1)  # a class may seem to be empty
  means = released[:-1] / math.sqrt(1 - COUNTED ** 2) / counts.sum()
  return {**variables, 'shared': {
      **shared, 'means': jnp.asarray(means, jnp.float32),
      'shares': jnp.asarray(counts / counts.sum(), jnp.float32)}}


def _of_text(key: Array, text: str) -> Array:
  """A key of this text alone."""
  for word in np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint32):
    key = jax.random.fold_in(key, word)
  return key
