"""Scores of synthetic series by networks that are trained to tell them apart, or to foretell.

The two of Yoon et al. 2019 (TimeGAN, NeurIPS, section 5 and its code), by which generators of
series are compared. Both see windows in [0, 1], by the range of the real ones.
"""
from collections.abc import Callable
import functools
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth.keys import of_seed
from jaxsynth.models.recurrent import GRU
from jaxsynth.objectives import network
from jaxsynth.types import Tree

Loss = Callable[[Array, Array], Array]
LEARNED = .8  # of the windows of each kind; the rest is tested on


class Judge(NamedTuple):
  """How a judge is trained.

  Attributes:
    features: of its state; `None` for half of the columns, one at least, as published.
    steps: of Adam.
    batch_size: windows a step.
    learning_rate: its own.
  """
  features: int | None = None
  steps: int = 2000
  batch_size: int = 128
  learning_rate: float = 1e-3


def discriminative(real: np.ndarray, synthetic: np.ndarray, judge: Judge = Judge(), *,
                   seed: int = 0) -> float:
  """How well real and synthetic windows are told apart: `|accuracy - .5|`, 0 for not at all.

  A judge learns four fifths of as many real as synthetic windows, and is tested on the rest. Where
  windows overlap, some of those are nearly ones that it has learned, of both kinds alike.

  Args:
    real: `[N, T, C]`.
    synthetic: `[M, T, C]`.
    judge: how it is trained.
    seed: of the split, the parameters and the order.

  Returns:
    In [0, .5].

  Raises:
    ValueError: other shapes, values that are not finite, or fewer than 10 windows.

  >>> rng = np.random.default_rng(0)
  >>> some = rng.normal(size=(200, 5, 1))
  >>> discriminative(some, some + 3, Judge(4, steps=150, learning_rate=.02)) > .4
  True
  """
  real, synthetic = _scaled(real, synthetic)
  rng = np.random.default_rng(seed)
  n = min(len(real), len(synthetic))
  first = int(LEARNED * n)
  sets = [x[rng.permutation(len(x))[:n]] for x in (real, synthetic)]
  labels = lambda k: np.repeat(np.array([1., 0.], np.float32), k)
  learned = np.concatenate([x[:first] for x in sets]), labels(first)
  tested = np.concatenate([x[first:] for x in sets]), labels(n - first)
  say = trained(learned, _of_labels, judge, real.shape[2], seed)
  right = (np.asarray(say(tested[0]))[:, -1, 0] > 0) == (tested[1] > .5)
  return float(abs(right.mean() - .5))


def predictive(real: np.ndarray, synthetic: np.ndarray, judge: Judge = Judge(steps=5000), *,
               seed: int = 0) -> float:
  """The mean absolute error in foretelling real windows of who learned from synthetic ones.

  At each step the last column of the next is foretold from all others; from itself where there
  is one column alone.

  Args:
    real: `[N, T, C]`, all of which are foretold.
    synthetic: `[M, T, C]`, which are learned from.
    judge: how it is trained.
    seed: of the parameters and the order.

  Returns:
    In units of the last column's range.

  Raises:
    ValueError: as `discriminative`; or windows of a single step.
  """
  if real.ndim == 3 and real.shape[1] < 2:
    raise ValueError('windows of 1 step: nothing to foretell; expected 2 or more')
  real, synthetic = _scaled(real, synthetic)
  columns = slice(None) if real.shape[2] == 1 else slice(None, -1)
  pairs = lambda x: (x[:, :-1, columns], x[:, 1:, -1])
  say = trained(pairs(synthetic), _of_values, judge, real.shape[2], seed)
  inputs, values = pairs(real)
  guesses = np.asarray(jax.nn.sigmoid(say(inputs)))[..., 0]
  return float(np.abs(guesses - values).mean())


def trained(data: tuple[np.ndarray, np.ndarray], loss: Loss, judge: Judge, columns: int, seed: int
            ) -> Callable[[Any], Array]:
  """A judge that has learned: `inputs [N, T, C] -> [N, T, 1]`."""
  features = max(1, columns // 2) if judge.features is None else judge.features
  begin, learn, say = _programs(GRU, features, loss, judge.batch_size, judge.learning_rate)
  inputs, targets = map(jnp.asarray, data)
  key_init, key_order = jax.random.split(of_seed(seed))
  carry, variables = begin(key_init, inputs[:1])
  params, _ = learn(carry, variables, inputs, targets, jax.random.split(key_order, judge.steps))
  return lambda x: say(params, variables, x)


@functools.lru_cache(maxsize=8)  # the trainings of a judge compile once
def _programs(cell: Callable[[int], Any], features: int, loss: Loss, batch_size: int,
              learning_rate: float) -> tuple[Callable, Callable, Callable]:
  """A judge's beginning, its training and its word, compiled."""
  net, optimizer = cell(features), optax.adam(learning_rate)

  def begin(key: Array, inputs: Array) -> tuple[tuple[Tree, Tree], Tree]:
    params, variables = network.init(net, key, inputs)
    return (params, optimizer.init(params)), variables

  def learn(carry: tuple[Tree, Tree], variables: Tree, inputs: Array, targets: Array, keys: Array
            ) -> tuple[Tree, Tree]:
    def step(carry: tuple[Tree, Tree], key: Array) -> tuple[tuple[Tree, Tree], None]:
      params, state = carry
      at = jax.random.randint(key, (batch_size,), 0, len(inputs))
      gradient = jax.grad(lambda p: loss(
          network.apply(net, p, variables, inputs[at], train=True)[0], targets[at]))(params)
      updates, state = optimizer.update(gradient, state)
      return (optax.apply_updates(params, updates), state), None
    return lax.scan(step, carry, keys)[0]
  return begin, jax.jit(learn), jax.jit(lambda params, variables, x: network.apply(
      net, params, variables, x)[0])


def _of_labels(said: Array, label: Array) -> Array:
  return jnp.mean(optax.sigmoid_binary_cross_entropy(said[:, -1, 0], label))


def _of_values(said: Array, value: Array) -> Array:
  return jnp.mean(jnp.abs(jax.nn.sigmoid(said[..., 0]) - value))


def _scaled(real: np.ndarray, synthetic: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Both in [0, 1] by the range of the real ones, column by column."""
  for name, x in (('real', real), ('synthetic', synthetic)):
    if np.ndim(x) != 3 or np.shape(x)[1:] != np.shape(real)[1:] or len(x) < 10:
      raise ValueError(f'{name}: windows {list(np.shape(x))}, expected [N, steps, columns] of one '
                       f'length, N of at least 10; the real ones are {list(np.shape(real))}')
    if not np.isfinite(x).all():
      raise ValueError(f'{name}: windows that are not finite')
  low, high = (f(real, (0, 1)) for f in (np.min, np.max))
  size = np.maximum(high - low, 1e-7)
  first, second = (((x - low) / size).astype(np.float32) for x in (real, synthetic))
  return first, second
