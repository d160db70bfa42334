"""The classifier that labels and judges samples: trained on real images, or from a file."""
import hashlib
import os
import pathlib
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth import data, files
from jaxsynth.data.classes import listed, names_of
from jaxsynth.downstream import learners, train
from jaxsynth.kinds.kind import Kind
from jaxsynth.objectives import network

EPOCHS, BATCH_SIZE = 2, 128
NAMES = 'class_names'  # beside the weights
LEAST_STEPS = 800  # of small data sets


class Labeller(NamedTuple):
  """A trained classifier.

  Attributes:
    net: the network.
    weights: `(params, variables)`.
    class_names: of the classes, in the order of its logits.
  """
  net: Any
  weights: tuple[Any, Any]
  class_names: tuple[str, ...] | None = None

  def logits(self, weights: tuple[Any, Any], images: Array) -> Array:
    """`[n, H, W, C]` in [-1, 1], or another kind in the model, to `[n, K]`; pure."""
    return network.apply(self.net, *weights, images)[0]

  @property
  def digest(self) -> str:
    """SHA-256 of the weights."""
    sha = hashlib.sha256()
    for name, x in _by_path(self.weights).items():
      sha.update(f'{name}{x.shape}'.encode() + x.tobytes())
    return sha.hexdigest()


def train_labeller(source: data.Source, seed: int, *, steps: int | None = None) -> Labeller:
  """Trains the network of `downstream` on real images as they are.

  Args:
    source: real images with labels.
    seed: of the initialisation and the order of the data.
    steps: of 128 images each, or of all there are; by default two passes over the data, and at
      least 800.

  Raises:
    ValueError: no labels.
  """
  size = min(BATCH_SIZE, source.size)
  steps = steps or max(LEAST_STEPS, EPOCHS * source.size // size)
  recipe = train.Recipe(steps, size, together='turns')
  classifiers = train.trained([source], [seed], recipe)
  return Labeller(classifiers.net, classifiers.weights[0], names_of(source))


def save_labeller(path: str | os.PathLike, labeller: Labeller) -> None:
  """Writes a file for `load_labeller`; one that is there stays."""
  with files.write_aside(path, exclusive=True) as f:
    names = {} if labeller.class_names is None else {NAMES: np.array(labeller.class_names)}
    np.savez(f, **names, **_by_path(labeller.weights))  # type: ignore[arg-type]


def load_labeller(path: str | os.PathLike, image_shape: tuple[int, ...], num_classes: int,
                  class_names: tuple[str, ...] | None = None,
                  kind: Kind | None = None) -> Labeller:
  """Reads what `save_labeller` wrote.

  Args:
    path: of the file, the `.classifier.npz` of a data set.
    image_shape: `(H, W, C)` that it takes.
    num_classes: that it tells apart.
    class_names: of them, in their order; a file of an earlier version has none.
    kind: what it takes; `None` for images.

  Raises:
    ValueError: not such a file, or of a classifier of other images or classes.
    FileNotFoundError: no such file.
  """
  path = pathlib.Path(path).expanduser()
  net = (learners.net_for if kind is None else learners.learner_of(kind).network)(
      image_shape, num_classes)
  like = jax.eval_shape(lambda: network.init(
      net, jax.random.key(0), jnp.zeros((1, *image_shape))))
  try:
    with np.load(path, allow_pickle=False) as file:
      arrays = {name: file[name] for name in file.files}
  except FileNotFoundError:
    raise
  except Exception as error:  # zip and npy fail in many ways
    raise ValueError(f'{path}: not a classifier of this engine ({error}); expected the '
                     '.classifier.npz of a data set') from error
  names = tuple(arrays.pop(NAMES, np.array(class_names or ())).tolist()) or None
  leaves, tree = jax.tree_util.tree_flatten_with_path(like)
  wanted = {jax.tree_util.keystr(p): x.shape for p, x in leaves}
  if {name: x.shape for name, x in arrays.items()} != wanted:
    raise ValueError(f'{path}: not a classifier of '
                     f'{kind.plural if kind else "images"} {list(image_shape)} in {num_classes} '
                     'classes as this engine trains them')
  if class_names is not None and names != class_names:
    raise ValueError(f'{path}: a classifier of the classes {listed(names or ())} in this order, '
                     f'expected {listed(class_names)}')
  return Labeller(net, jax.tree.unflatten(tree, [arrays[name] for name in wanted]), names)


def _by_path(weights: tuple[Any, Any]) -> dict[str, np.ndarray]:
  return {jax.tree_util.keystr(p): np.asarray(x)
          for p, x in jax.tree_util.tree_flatten_with_path(weights)[0]}
