"""Classifiers of several seeds, trained in one process on one device."""
from collections.abc import Sequence
import functools
from typing import Any, Literal, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import data, train_step as ts
from jaxsynth.data import augment
from jaxsynth.metrics.predict import Predictions, predict
from jaxsynth.models.classifier import Classifier
from jaxsynth.objectives import classify
from jaxsynth.types import Algorithm, Tree
from judge import net_for

Together = Literal['vmap', 'map', 'turns']


class Recipe(NamedTuple):
  """How every classifier is trained, whatever it is trained on.

  Attributes:
    steps: of Adam, whose rate falls as a cosine to 0.
    batch_size: images a step.
    learning_rate: at first.
    together: how the seeds share the process, see `trained`.
  """
  steps: int = 1720
  batch_size: int = 128
  learning_rate: float = 5e-3
  together: Together | None = None


class Classifiers(NamedTuple):
  """Trained classifiers, one a seed.

  Attributes:
    net: the network of all.
    weights: `(params, variables)` of each.
  """
  net: Classifier
  weights: list[tuple[Tree, Tree]]

  def predict(self, images: np.ndarray) -> list[Predictions]:
    """What each says of `images`, uint8 `[N, H, W, C]`."""
    return [predict(self.net, *own, images) for own in self.weights]


def classical(key: Array, image: Array, label: Array) -> tuple[Array, Array]:
  """Classical augmentation that changes no digit and no X-ray: no flips."""
  policy = augment.random_affine(degrees=10., translate=(.08, .08), scale=(.9, 1.1))
  return policy(key, {'image': image})['image'], label


def together_on(platform: str) -> Together:
  """What is fastest there: see experiments/benchmarks/seeds.py.

  >>> together_on('cpu'), together_on('tpu')
  ('turns', 'vmap')
  """
  return 'turns' if platform == 'cpu' else 'vmap'


def trained(sources: Sequence[data.Source], seeds: Sequence[int], recipe: Recipe, *,
            augmented: bool = False) -> Classifiers:
  """Trains a classifier for each seed, on its own data.

  Seed s gives the initialisation, the order of the data and the augmentations. The seeds
  are one batched program (`'vmap'`), one program that takes them one after another
  (`'map'`), or one program that each step calls for every seed (`'turns'`); their numbers
  are equal to a rounding.

  Args:
    sources: what each learns from; of one shape and number of classes.
    seeds: as many.
    recipe: the same for all.
    augmented: whether by `classical`.

  Raises:
    ValueError: no labels.
  """
  first = sources[0]
  if first.num_classes is None:
    raise ValueError(f'{first.name}: no labels, so no classifier can learn from it')
  net = net_for(first.image_shape, first.num_classes)
  algorithm = ts.build(
      classify(net, augment=classical if augmented else None),
      {'classifier': optax.adam(optax.cosine_decay_schedule(recipe.learning_rate,
                                                            recipe.steps))})
  at = [data.batch_at(x, recipe.batch_size, s) for x, s in zip(sources, seeds)]
  keys = [jax.random.key(s) for s in seeds]
  start = data.to_float(at[0](0))
  states = [jax.jit(algorithm.init)(key, start) for key in keys]
  together = recipe.together or together_on(jax.devices()[0].platform)
  run = _turns if together == 'turns' else functools.partial(_stacked, together=together)
  states = run(algorithm, states, at, keys, recipe.steps)
  return Classifiers(net, [jax.device_get((s.params['classifier'], s.variables['classifier']))
                           for s in states])


def _turns(algorithm: Algorithm, states: list, at: Sequence, keys: Sequence[Array], steps: int
           ) -> list:
  step = ts.jit(algorithm.step)
  batches = data.prefetch(lambda k: [data.to_float(one(k)) for one in at])
  try:
    for _, every in zip(range(steps), batches):
      states = [step(state, batch, key)[0] for state, batch, key in zip(states, every, keys)]
    return states
  finally:
    batches.close()


def _stacked(algorithm: Algorithm, states: list, at: Sequence, keys: Sequence[Array], steps: int,
             *, together: Together) -> list:
  def each(*args: Any) -> Any:
    return algorithm.step(*args)[0]
  step = jax.jit(jax.vmap(each) if together == 'vmap' else
                 lambda *args: lax.map(lambda one: each(*one), args), donate_argnums=0)
  stack = functools.partial(jax.tree.map, lambda *x: jnp.stack(x))
  state, key = stack(*states), stack(*keys)
  batches = data.prefetch(lambda k: data.to_float(
      jax.tree.map(lambda *x: np.stack(x), *(dict(one(k)) for one in at))))
  try:
    for _, batch in zip(range(steps), batches):
      state = step(state, batch, key)
  finally:
    batches.close()
  return [jax.tree.map(lambda x, i=i: x[i], state) for i in range(len(keys))]
