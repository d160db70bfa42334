"""Numbers that flow and classes that are unmasked: one player over the rows of a table."""
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth import conditions, keys as keys_
from jaxsynth.objectives import fields, network
from jaxsynth.objectives.row_parts import one_hots, Parts
from jaxsynth.types import Batch, Context, Objective, PerPlayer, Tree

LATEST = .999  # time that is trained: the weight of classes grows without bound towards 1
GOLDEN = .6180339887498949  # times of a batch are spread evenly by its multiples


def table_flow(net: Any, parts: Parts, *, num_classes: int | None = None, steps: int = 32,
               class_weight: float = 1.) -> Objective:
  """Binds a network of rows into an objective.

  At a time t in [0, 1) each class is masked with probability 1 - t, and numbers, as normal scores,
  are `x_t = (1 - t) noise + t x`. The loss is the mean over the batch of

      sum_numbers (v(x_t, t) - (x - noise))^2 + w sum_masked -log p(class | x_t, t) / (1 - t),

  the second a bound of the classes' negative log-likelihood in nats (of which `w = 1`). The player
  is `flow`. Batches are `{'row': [B, C]}` as a model sees them, with `'label': [B]` integers if
  conditional. Metrics: `numbers`, the mean squared error, and `classes`, the bound.

  Args:
    net: has Linen's `init` and `apply`, called as `(numbers [B, M], there [B, M], classes
      [B, V + D], time [B], cond [B, K] if conditional, train=)`, classes as one-hot, zeros where
      masked, and D which tell what is; gives velocities `[B, M]` and logits `[B, V]`.
    parts: which columns are what.
    num_classes: of the labels, K; `None` for an unconditional model.
    steps: of `sample`, each an evaluation. One column of classes is unmasked in a step at most if
      there are as many steps as columns; fewer draw some as if independent.
    class_weight: `w`, above 0.

  Returns:
    An `Objective`. `sample` gives rows `[n, C]`; its `cond` is labels `[n]` if conditional. It
    raises `ValueError` if labels are missing or not wanted, and `init` if the batch lacks them.

  Raises:
    ValueError: no steps, or a weight that is not above 0.

  Numbers: Lipman et al. 2023, https://arxiv.org/abs/2210.02747; classes: Shi et al. 2024,
  https://arxiv.org/abs/2406.04329, equation 5 with a linear schedule; together: Shi et al. 2025,
  https://arxiv.org/abs/2410.20626.
  """
  if steps < 1 or not class_weight > 0:
    raise ValueError(f'steps={steps}, class_weight={class_weight}: expected at least 1 step, and a '
                     'weight above 0')
  sizes = parts.sizes

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    cond = tuple(x[:1] for x in fields.labels(batch, num_classes))
    numbers, there, codes = parts.split(conditions.learned(batch)[:1])
    seen = _seen(codes, jnp.ones(codes.shape, bool), sizes)
    params, variables = network.init(net, key, numbers, there, seen, jnp.zeros(1), *cond)
    return {'flow': params}, {'flow': variables, 'shared': {}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    cond = fields.labels(batch, num_classes)
    numbers, there, codes = parts.split(conditions.learned(batch))
    key_examples, key_all = jax.random.split(ctx.key)
    keys = keys_.per_example(key_examples, len(codes), ctx)
    key_of = jax.vmap(lambda key: jax.random.split(key, 3))(keys)
    begin = jax.random.uniform(jax.random.fold_in(key_all, 0))
    t = LATEST * ((begin + GOLDEN * keys_.indices(len(codes), ctx)) % 1)
    noise = fields.normal(key_of[:, 0], numbers.shape[1:])
    shown = jax.vmap(lambda key: jax.random.uniform(key, codes.shape[1:]))(
        key_of[:, 1]) < t[:, None]
    # what is missing is as likely as any number until the class that says so is shown
    numbers = jnp.where(there == 1, numbers, fields.normal(key_of[:, 2], numbers.shape[1:]))
    x = (1 - t)[:, None] * noise + t[:, None] * numbers
    x, known = _hidden(parts, x, there, shown)
    (velocity, logits), updated = network.apply(
        net, params['flow'], variables['flow'], x, known, _seen(codes, shown, sizes), t, *cond,
        train=ctx.train, key=keys_.per_part(jax.random.fold_in(key_all, 1), ctx))
    error = jnp.sum(there * (velocity - (numbers - noise)) ** 2, 1)
    nats = _cross_entropies(logits, codes, sizes) * ~shown
    each = jnp.sum(nats, 1) / (1 - t)
    metrics = {'numbers': jnp.mean(error), 'classes': jnp.mean(each)}
    return ({'flow': metrics['numbers'] + class_weight * metrics['classes']},
            ({**variables, 'flow': updated}, metrics))

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    labels = fields.asked(cond, num_classes)
    key_of = jax.vmap(lambda key: jax.random.split(key, 3))(keys)
    x = fields.normal(key_of[:, 0], (len(parts.numbers),))
    chance, uniform = (jax.vmap(lambda key: jax.random.uniform(key, (len(sizes),)))(key_of[:, i])
                       for i in (1, 2))
    rank = jnp.argsort(jnp.argsort(chance, 1), 1)  # in which order columns are unmasked
    turn = (rank * steps + steps // 2) // max(len(sizes), 1)

    def step(carry: Tree, k: Array) -> tuple[Tree, None]:
      x, codes = carry
      shown = turn < k
      there = jnp.ones_like(x)
      for i, place in enumerate(parts.gaps):
        there = there.at[:, place].set(1. - codes[:, len(parts.classes) + i])
      given, known = _hidden(parts, x, there, shown)
      (velocity, logits), _ = network.apply(
          net, params['flow'], variables['flow'], given, known, _seen(codes, shown, sizes),
          jnp.full(len(x), k / steps), *labels)
      drawn = _drawn(logits, uniform, sizes)
      return (x + velocity / steps, jnp.where(turn == k, drawn, codes)), None

    start = x, jnp.zeros((len(keys), len(sizes)), jnp.int32)
    (x, codes), _ = lax.scan(step, start, jnp.arange(steps))
    rows = parts.joined(x, codes)
    for label in labels:  # NaN of a wrong one would become a class
      rows = rows + 0 * jnp.sum(label, 1, keepdims=True)
    return rows

  return Objective(init, loss, sample)


def _hidden(parts: Parts, x: Array, there: Array, shown: Array) -> tuple[Array, Array]:
  """Numbers without those that are shown to be missing, and 0 for these, else 1: `[B, M]` each."""
  known = jnp.ones_like(there)
  for i, place in enumerate(parts.gaps):
    lacks = shown[:, len(parts.classes) + i] & (there[:, place] == 0)
    known = known.at[:, place].set(1. - lacks)
  return x * known, known


def _seen(codes: Array, shown: Array, sizes: tuple[int, ...]) -> Array:
  """Classes as a network sees them: `[B, V + D]`, zeros where masked, then what is masked."""
  if not sizes:
    return jnp.zeros((len(codes), 0))
  mask = jnp.take(shown, np.repeat(np.arange(len(sizes)), sizes), 1)
  return jnp.concatenate([one_hots(codes, sizes) * mask, 1. - shown], 1)


def _cross_entropies(logits: Array, codes: Array, sizes: tuple[int, ...]) -> Array:
  """`-log p(code)` of each column, nats: `[B, D]`."""
  every = jnp.split(logits, np.cumsum(sizes)[:-1], 1) if sizes else []
  of = [-jnp.take_along_axis(jax.nn.log_softmax(x, 1), codes[:, i, None], 1)
        for i, x in enumerate(every)]
  return jnp.concatenate(of, 1) if of else jnp.zeros(codes.shape)


def _drawn(logits: Array, uniform: Array, sizes: tuple[int, ...]) -> Array:
  """A class of each column by one uniform number each: int32 `[n, D]`."""
  out = []
  for i, x in enumerate(jnp.split(logits, np.cumsum(sizes)[:-1], 1) if sizes else []):
    cumulative = jnp.cumsum(jax.nn.softmax(x, 1), 1)
    wanted = uniform[:, i, None] * cumulative[:, -1:]
    out.append(jnp.sum(cumulative[:, :-1] <= wanted, 1).astype(jnp.int32))
  return jnp.stack(out, 1) if out else jnp.zeros(uniform.shape, jnp.int32)
