"""A classifier that judges samples: trained on the run's data, or from a file."""
import hashlib
import pathlib
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import data, files, train_step as ts
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives import classify, network

EPOCHS, BATCH_SIZE, LEARNING_RATE = 2, 128, 5e-3
LEAST_STEPS = 800  # of small data sets


class Judge(NamedTuple):
  """A trained classifier.

  Attributes:
    net: the network.
    weights: `(params, variables)`.
  """
  net: Classifier
  weights: tuple[Any, Any]

  def logits(self, weights: tuple[Any, Any], images: Array) -> Array:
    """`[n, H, W, C]` in [-1, 1] to `[n, K]`."""
    return network.apply(self.net, *weights, images)[0]

  @property
  def digest(self) -> str:
    """SHA-256 of the weights."""
    sha = hashlib.sha256()
    for name, x in _named(self.weights).items():
      sha.update(f'{name}{x.shape}'.encode() + x.tobytes())
    return sha.hexdigest()


def net_for(image_shape: tuple[int, int, int], num_classes: int) -> Classifier:
  """The small classifier, deeper for images of more than 32 pixels a side."""
  return Classifier(num_classes, (16, 32) if max(image_shape[:2]) <= 32 else (16, 32, 64, 64))


def train(source: data.Source, seed: int) -> Judge:
  """Trains for two passes over the data, or 800 steps if that is more."""
  if source.num_classes is None:
    raise ValueError(f'{source.name} has no labels for a classifier to learn')
  net = net_for(source.image_shape, source.num_classes)
  size = min(BATCH_SIZE, source.size)
  steps = max(LEAST_STEPS, EPOCHS * source.size // size)
  algorithm = ts.build(classify(net), {'classifier': optax.adam(
      optax.cosine_decay_schedule(LEARNING_RATE, steps))})
  key, at = jax.random.key(seed), data.batch_at(source, size, seed)
  state = jax.jit(algorithm.init)(key, data.to_float(at(0)))
  step, batches = ts.jit(algorithm.step), data.prefetch(lambda k: data.to_float(at(k)))
  try:
    for _, batch in zip(range(steps), batches):
      state, _ = step(state, batch, key)
  finally:
    batches.close()
  return Judge(net, jax.device_get((state.params['classifier'], state.variables['classifier'])))


def save(path: pathlib.Path, judge: Judge) -> None:
  """Writes a file for `load`; one that is there stays."""
  with files.write_aside(path, exclusive=True) as f:
    np.savez(f, **_named(judge.weights))  # type: ignore[arg-type]


def load(path: pathlib.Path, image_shape: tuple[int, int, int], num_classes: int) -> Judge:
  """Reads what `save` wrote.

  Raises:
    ValueError: not such a file, or of a classifier of other images or classes.
    FileNotFoundError: no such file.
  """
  net = net_for(image_shape, num_classes)
  like = jax.eval_shape(lambda: network.init(
      net, jax.random.key(0), jnp.zeros((1, *image_shape))))
  try:
    with np.load(path, allow_pickle=False) as arrays:
      found = {name: arrays[name] for name in arrays.files}
  except FileNotFoundError:
    raise
  except Exception as error:  # zip and npy fail in many ways
    raise ValueError(f'{path}: not a classifier of this engine ({error}); expected the '
                     '.classifier.npz of a data set') from error
  leaves, tree = jax.tree_util.tree_flatten_with_path(like)
  wanted = {jax.tree_util.keystr(p): x.shape for p, x in leaves}
  have = {name: x.shape for name, x in found.items()}
  if have != wanted:
    raise ValueError(f'{path}: not a classifier of images {list(image_shape)} in {num_classes} '
                     'classes as this engine trains them')
  return Judge(net, jax.tree.unflatten(tree, [found[name] for name in wanted]))


def _named(weights: tuple[Any, Any]) -> dict[str, np.ndarray]:
  return {jax.tree_util.keystr(p): np.asarray(x)
          for p, x in jax.tree_util.tree_flatten_with_path(weights)[0]}
