"""Classifiers of several seeds, trained in one process on one device."""
from collections.abc import Callable, Sequence
import functools
from typing import Any, Literal, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import data, loop, train_step as ts
from jaxsynth.data.kinded import kind_of
from jaxsynth.downstream.learners import learner_of
from jaxsynth.keys import of_seed
from jaxsynth.metrics.predict import Predictions, predict
from jaxsynth.objectives.classify import Augment, classify
from jaxsynth.types import Tree

Together = Literal['vmap', 'map', 'turns']
Keys = tuple[Array, Array]
BatchAt = Callable[[int], Any]
InModel = Callable[[Any], Any]  # `Kind.in_model`


class Recipe(NamedTuple):
  """How every classifier is trained, whatever it is trained on.

  Attributes:
    steps: of Adam, whose rate falls as a cosine to 0.
    batch_size: images a step.
    learning_rate: at first.
    together: how the seeds share the process, see `trained`; `None` for what is fastest.
  """
  steps: int = 1720
  batch_size: int = 128
  learning_rate: float = 5e-3
  together: Together | None = None


class Classifiers(NamedTuple):
  """Trained classifiers, one a seed.

  Attributes:
    net: the network of all.
    weights: `(params, variables)` of each, averaged where an average was asked for.
    to_model: of the kind that they learned from; `None` for images.
  """
  net: Any
  weights: list[tuple[Tree, Tree]]
  to_model: Callable[[Any], Array] | None = None

  def predict(self, images: np.ndarray) -> list[Predictions]:
    """What each says of `images`, uint8 `[N, H, W, C]`, or of another kind as on disk."""
    return [predict(self.net, *weights, images, to_model=self.to_model)
            for weights in self.weights]


def together_on(platform: str) -> Together:
  """What is fastest there: see experiments/benchmarks/seeds.py.

  >>> together_on('cpu'), together_on('tpu')
  ('turns', 'vmap')
  """
  return 'turns' if platform == 'cpu' else 'vmap'


def trained(sources: Sequence[data.Source], seeds: Sequence[int], recipe: Recipe, *,
            net: Any = None, augment: Augment | None = None,
            optimizer: optax.GradientTransformation | None = None, ema: ts.EMA | None = None,
            keys: Sequence[Keys] | None = None, hooks: Sequence[loop.Hook] = ()) -> Classifiers:
  """Trains a classifier for each seed, on its own data.

  Seed s gives the initialisation, the order of the data and the augmentations. The seeds
  are one batched program (`'vmap'`), one program that takes them one after another
  (`'map'`), or one program that each step calls for every seed (`'turns'`); their numbers
  are equal to a rounding. A single seed is always trained by `'turns'`.

  Args:
    sources: what each learns from; of one kind and number of classes.
    seeds: as many.
    recipe: the same for all.
    net: the network, as `objectives.classify` takes it; by default that of `learner_of`.
    augment: `(key, image, label) -> (image, label)` of one example, as `learners.classical`;
      `None` for none.
    optimizer: takes the place of Adam and of `recipe.learning_rate`.
    ema: the average whose weights are returned; by default there is none.
    keys: of the initialisation and of the steps, for each seed; by default both are
      `keys.of_seed(seed)`.
    hooks: called after every step with `(step, state, metrics)`, say for a line of
      validation; of a single seed alone.

  Returns:
    The classifiers, in the order of the seeds.

  Raises:
    ValueError: no labels; not as many sources as seeds; or hooks of several seeds.

  >>> from jaxsynth.models.classifier import Classifier
  >>> blank = data.ArraySource.of(np.zeros((4, 8, 8, 1), np.uint8), np.arange(4))
  >>> small = Classifier(4, widths=(2,), blocks=0, features=2)
  >>> classifiers = trained([blank], [0], Recipe(steps=1, batch_size=4), net=small)
  >>> classifiers.predict(blank.images)[0].probabilities.shape
  (4, 4)
  """
  _check(sources, seeds, hooks)
  first = sources[0]
  kind = kind_of(first)
  net = learner_of(kind).network(kind.shape, first.num_classes or 0) if net is None else net
  optimizer = optimizer or _adam(recipe.learning_rate, recipe.steps)
  try:
    programs = _kept_programs(net, augment, optimizer, ema)
  except TypeError:  # a network that cannot be hashed
    programs = _programs(net, augment, optimizer, ema)
  batches_at = [data.batch_at(x, recipe.batch_size, s) for x, s in zip(sources, seeds)]
  keys = keys or [(of_seed(s), of_seed(s)) for s in seeds]
  start = kind.in_model(batches_at[0](0))
  states = [programs.init(key, start) for key, _ in keys]
  together = recipe.together or together_on(jax.devices()[0].platform)
  run: Callable[..., list]
  if len(seeds) == 1:
    run = functools.partial(_alone, hooks=hooks)
  else:
    run = _turns if together == 'turns' else functools.partial(_stacked, together=together)
  states = run(programs, states, batches_at, [key for _, key in keys], recipe.steps,
               in_model=kind.in_model)
  return Classifiers(net, [jax.device_get(weights_of(state)) for state in states],
                     kind.to_model)


def weights_of(state: ts.TrainState) -> tuple[Tree, Tree]:
  """A classifier's `(params, variables)`, averaged where its state holds an average."""
  params, variables = ts.averaged(state)
  return params['classifier'], variables['classifier']


def _check(sources: Sequence[data.Source], seeds: Sequence[int], hooks: Sequence[loop.Hook]
           ) -> None:
  if not sources or len(sources) != len(seeds):
    raise ValueError(f'{len(sources)} training sets for {len(seeds)} seeds: expected one each, '
                     'and one at least')
  for source in sources:
    if source.num_classes is None:
      raise ValueError(f'{source.name}: no labels, so no classifier can learn from it')
  if hooks and len(seeds) > 1:
    raise ValueError(f'hooks with {len(seeds)} seeds: expected one seed; train them in turn')


class _Programs(NamedTuple):
  """An algorithm's compiled functions; kept, so that equal trainings compile once."""
  init: Callable
  step: Callable
  vmap: Callable
  map: Callable


def _programs(net: Any, augment: Augment | None, optimizer: optax.GradientTransformation,
              ema: ts.EMA | None) -> _Programs:
  algorithm = ts.build(classify(net, augment=augment), {'classifier': optimizer}, ema=ema)

  def next_state(*args: Any) -> Any:
    return algorithm.step(*args)[0]
  compiled = functools.partial(jax.jit, donate_argnums=0)
  return _Programs(jax.jit(algorithm.init), ts.jit(algorithm.step),
                   compiled(jax.vmap(next_state)),
                   compiled(lambda *args: lax.map(lambda each: next_state(*each), args)))


_kept_programs = functools.lru_cache(maxsize=4)(_programs)


@functools.lru_cache(maxsize=4)
def _adam(learning_rate: float, steps: int) -> optax.GradientTransformation:
  return optax.adam(optax.cosine_decay_schedule(learning_rate, steps))


def _alone(programs: _Programs, states: list, batches_at: Sequence[BatchAt],
           keys: Sequence[Array], steps: int, *, in_model: InModel,
           hooks: Sequence[loop.Hook]) -> list:
  batches = data.prefetch(lambda k: in_model(batches_at[0](k)))
  try:
    return [loop.run(programs.step, states[0], batches, keys[0], steps, hooks=hooks)]
  finally:
    batches.close()


def _turns(programs: _Programs, states: list, batches_at: Sequence[BatchAt],
           keys: Sequence[Array], steps: int, *, in_model: InModel) -> list:
  batches = data.prefetch(lambda k: [in_model(batch_at(k)) for batch_at in batches_at])
  try:
    for _, each in zip(range(steps), batches):
      states = [programs.step(*state_batch_key)[0]
                for state_batch_key in zip(states, each, keys)]
    return states
  finally:
    batches.close()


def _stacked(programs: _Programs, states: list, batches_at: Sequence[BatchAt],
             keys: Sequence[Array], steps: int, *, in_model: InModel, together: Together
             ) -> list:
  step = programs.vmap if together == 'vmap' else programs.map
  stack = functools.partial(jax.tree.map, lambda *x: jnp.stack(x))
  state, key = stack(*states), stack(*keys)
  batches = data.prefetch(lambda k: in_model(
      jax.tree.map(lambda *x: np.stack(x), *(dict(batch_at(k)) for batch_at in batches_at))))
  try:
    for _, batch in zip(range(steps), batches):
      state = step(state, batch, key)
  finally:
    batches.close()
  return [jax.tree.map(lambda x, i=i: x[i], state) for i in range(len(keys))]
