"""Features that have learned the labels of the data in hand, for scores that see what matters."""
from collections.abc import Mapping

import jax
from jax import Array
import numpy as np

from jaxsynth.data.batches import Source
from jaxsynth.data.kinded import kind_of
from jaxsynth.downstream.train import Recipe, trained
from jaxsynth.metrics.features import digest, Features
from jaxsynth.objectives import network

NAME = 'trained'


def trained_features(source: Source, recipe: Recipe = Recipe(), *, seed: int = 0) -> Features:
  """What the last layer but one of a classifier sees that was trained on the source.

  On a rule whose truth is known, scores on such features follow the truth, and those on random
  features hardly do: experiments/benchmarks/truth.py. Numbers compare where `sha256` is the same,
  that is on the same weights. The source is what models learned from, never what they are judged
  by.

  Args:
    source: with labels, of a kind that `learners.LEARNERS` has a network for.
    recipe: how the classifier is trained.
    seed: of its parameters and the order of the data.

  Returns:
    The features, named `trained`.

  Raises:
    ValueError: no labels.

  >>> from jaxsynth.data import ArraySource
  >>> images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)
  >>> net = trained_features(ArraySource.of(images, np.arange(20) % 2), Recipe(2, 4))
  >>> from jaxsynth.metrics.features import extract
  >>> net.name, extract(net, images).shape
  ('trained', (20, 64))
  """
  classifier = trained([source], [seed], recipe)
  leaves, structure = jax.tree.flatten(classifier.weights[0])
  names = [f'{i:03d}' for i in range(len(leaves))]

  def apply(params: Mapping[str, Array], values: Array) -> Array:
    weights = jax.tree.unflatten(structure, [params[name] for name in names])
    (_, features), _ = network.apply(classifier.net, *weights, values, features=True)
    return features
  params = {name: np.asarray(x) for name, x in zip(names, leaves)}
  return Features(NAME, digest(params), None, 'none', kind_of(source).shape, params, apply)
