"""MeanFlow: one player, which learns average velocities, so that an image takes one step."""
from collections.abc import Callable, Sequence
import math
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.losses import flow, paths
from jaxsynth.losses.paths import over
from jaxsynth.objectives import fields, network, rows
from jaxsynth.types import Batch, Context, Objective, PerPlayer

# (x [B, ...], times [B, 2]) -> [B, ...]; the times are t and s - t
Average = Callable[[Array, Array], Array]


def mean_flow(
    net: Any, image_shape: Sequence[int], *, times: flow.Times = flow.logit_normal(.4),
    interval_every: int = 4, power: float = 1., offset: float = .01,
    num_classes: int | None = None, label_dropout: float = .1, solver_steps: int = 1,
    guidance: float = 1.) -> Objective:
  """Binds a network into an objective that learns where a flow takes a point in one step.

  On straight lines `x_t = t data + (1 - t) noise` a flow `dx/dt = v(x_t, t)` takes noise, at time
  0, to data, at time 1. Its average velocity from t to a later s is

      (s - t) u(x_t, t, s) = integral from t to s of v(x_r, r) dr,

  so `x_s = x_t + (s - t) u(x_t, t, s)`, with no error however long the step. Both sides move with
  t along the flow, while s stays, by `-u + (s - t) du/dt = -v`. So

      u = v + (s - t) du/dt,  du/dt = (du/dx) v + du/dt at a fixed x,

  which with t = s says `u = v`. (The paper's time is 1 at the noise, so its step goes back from t
  to r and its sign is minus.) The network `F(x_t, (t, s - t))` is `u`. The right side, with its own
  derivative and `data - noise` in v's place, whose mean given `x_t` is v, is its target and has no
  gradient. With `e` the mean over the D pixels of the squared error, the loss is the mean over the
  batch of

      e / (e + offset / D)^power,

  whose denominator has no gradient either, so with `power` 1 it is near 1 however much was
  learned; the metric `squared_error` is the mean of `e`. The
  player is `flow`. Batches are `{'image': [B, H, W, C]}` in [-1, 1], with `'label': [B]` integers
  if conditional. All that is random is a function of (key, index in the whole batch).

  Args:
    net: has Linen's `init` and `apply`, called as `(x [B, H, W, C], times [B, 2], train=)`, or
      `(x, times, cond [B, K], train=)` if conditional, where `cond` is the label as one-hot, and
      zeros where there is none; gives `[B, H, W, C]`. It should tell times by slow waves, as its
      derivative in time is learned from: eight Gaussians were learned with `fastest=5`, and not
      with the 100 of `models.time_mlp`. The derivative is of the network as it is evaluated,
      `train=False`.
    image_shape: `(H, W, C)`; of another kind the shape of its example, as `(T, C)`.
    times: of which two are drawn, and the later is s. The default is the paper's, mirrored.
    interval_every: of how many examples one learns an average, and all others with `s = t` the
      velocity; 1 for every one, 0 for none. Which one is drawn anew in each step. Only those
      examples cost a derivative.
    power: of the weight, at least 0; 0 is the mean squared error, flow matching's.
    offset: above 0.
    num_classes: number of labels, K; `None` for an unconditional model.
    label_dropout: share of labels that are hidden in training, in [0, 1).
    solver_steps: how many steps `sample` takes, of equal length.
    guidance: what is learned, at least 0: with g, where the label is shown, `v` is
      `F(none) + g (data - noise - F(none))`, `F(none)` the network's velocity without a label. It
      is part of the flow, so samples cost no more, and it cannot be changed once it is trained.

  Returns:
    An `Objective`. `sample` gives `[n, H, W, C]`, cropped to [-1, 1]; its `cond` is labels `[n]`
    if conditional. It raises `ValueError` if labels are missing or not wanted, and `init` does if
    the data or the network's output are not shaped so.

  Raises:
    ValueError: steps below 1, guidance without labels or without dropped labels, or a share, a
      power, an offset or a guidance out of range.

  Geng et al. 2025, https://arxiv.org/abs/2505.13447: sections 4.1 and 4.2, algorithms 1 and 2;
  the offset is that of their code.

  >>> from jaxsynth.models.time_mlp import TimeMLP
  >>> objective = mean_flow(TimeMLP(8, 1), (4, 4, 1))
  >>> params, variables = objective.init(jax.random.key(0), {'image': jnp.zeros((2, 4, 4, 1))})
  >>> objective.sample(params, variables, jax.random.split(jax.random.key(1), 3), None).shape
  (3, 4, 4, 1)
  """
  fields.check(num_classes, label_dropout, solver_steps, guidance)
  _check(interval_every, power, offset)

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, cond = conditions.learned(batch), fields.labels(batch, num_classes)
    key_examples, key_rest = jax.random.split(ctx.key)
    key_device, key_first = jax.random.split(key_rest)
    keys = keys_.per_example(key_examples, len(image), ctx)
    key_of = jax.vmap(lambda key: jax.random.split(key, 3))(keys)  # [B, 3]
    noise = fields.normal(key_of[:, 0], image.shape[1:])
    if ctx.train:
      cond = tuple(fields.hidden(label_dropout, key_of[:, 2], x) for x in cond)
    both = jax.vmap(lambda key: jax.vmap(times)(jax.random.split(key)))(key_of[:, 1])  # [B, 2]
    t, s = both.min(-1), both.max(-1)
    averaged = rows.every(interval_every or 1, keys_.indices(len(image), ctx),
                          jax.random.randint(key_first, (), 0, interval_every or 1))
    s = jnp.where(averaged.mask, s, t) if interval_every else t
    at = jnp.stack([t, s - t], -1)

    x = paths.mixed(paths.rectified(), image, noise, t)
    fixed = jax.lax.stop_gradient(params['flow'])
    average = lambda x, at, *cond: network.apply(net, fixed, variables['flow'], x, at, *cond)[0]
    velocity = image - noise
    if guidance != 1:
      shown = over(cond[0].sum(-1), x)
      without = average(x, at * jnp.array([[1., 0.]]), jnp.zeros_like(cond[0]))
      velocity = velocity + (guidance - 1) * shown * (velocity - without)
    goal = velocity
    if interval_every:
      few, at_few, along, *labels = (averaged.take(y) for y in (x, at, velocity, *cond))
      change = derivative(lambda x, at: average(x, at, *labels), few, at_few, along)
      goal = velocity + averaged.put(over(at_few[:, 1], few) * change)

    output, updated = network.apply(net, params['flow'], variables['flow'], x, at, *cond,
                                    train=ctx.train, key=keys_.per_part(key_device, ctx))
    error = jnp.mean((output - goal).reshape(len(x), -1) ** 2, -1)
    each = error / jax.lax.stop_gradient(error + offset / math.prod(image.shape[1:])) ** power
    return {'flow': jnp.mean(each)}, ({**variables, 'flow': updated},
                                      {'squared_error': jnp.mean(error)})

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    labels = fields.asked(cond, num_classes)
    moments = paths.even(solver_steps)

    def step(x: Array, span: tuple[Array, Array]) -> tuple[Array, None]:
      t, s = span
      at = jnp.broadcast_to(jnp.stack([t, s - t]), (len(x), 2))
      u, _ = network.apply(net, params['flow'], variables['flow'], x, at, *labels)
      return x + (s - t) * u, None
    x, _ = jax.lax.scan(step, fields.beginnings(keys, image_shape), (moments[:-1], moments[1:]))
    return jnp.clip(x, -1, 1)

  return Objective(fields.starting(net, image_shape, num_classes, times=2), loss, sample)


def derivative(u: Average, x: Array, at: Array, velocity: Array) -> Array:
  """`du/dt` along the flow, where x moves by `velocity`, t by 1 and s not.

  A derivative along a direction, by two reverse passes, as the library's convolutions have no
  forward mode: the pull-back `w -> w J` is linear, so its own pull-back of the direction is
  `J direction`, whichever w it is taken at. A compiled step has twice the network's convolutions,
  as forward mode would have, since nothing asks for `w J` itself.

  Args:
    u: the average velocity, a network of float32 in and out.
    x: `[B, ...]`.
    at: `[B, 2]`, t and s - t.
    velocity: `[B, ...]`.

  Returns:
    `[B, ...]`.

  >>> u = lambda x, at: x ** 2 + 3 * at[:, :1] + 5 * at[:, 1:]
  >>> derivative(u, jnp.array([[2.]]), jnp.zeros((1, 2)), jnp.array([[1.]])).tolist()
  [[2.0]]
  """
  value, pull = jax.vjp(u, x, at)
  direction = velocity, jnp.broadcast_to(jnp.array([1., -1.]), at.shape)
  (change,) = jax.vjp(pull, jnp.zeros_like(value))[1](direction)
  return change


def _check(interval_every: int, power: float, offset: float) -> None:
  if interval_every < 0:
    raise ValueError(f'interval_every={interval_every}: expected one example in how many learns '
                     'an average: 1 for each, 0 for none, 4 in the paper')
  if not 0 <= power < math.inf:
    raise ValueError(f'power={power}: expected at least 0; 1 in the paper, 0 for squared errors')
  if not 0 < offset < math.inf:
    raise ValueError(f'offset={offset}: expected more than 0')
