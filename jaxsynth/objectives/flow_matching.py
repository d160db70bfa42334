"""Flow matching and diffusion: one player, which learns where points of a path come from."""
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.losses import flow, paths
from jaxsynth.losses.flow import Ends, Prediction
from jaxsynth.losses.paths import Path
from jaxsynth.objectives import fields, network, solvers
from jaxsynth.types import Batch, Context, Objective, PerPlayer


def flow_matching(
    net: Any, image_shape: Sequence[int], path: Path = paths.rectified(),
    prediction: Prediction = flow.VELOCITY, *,
    measured: Prediction | None = None, times: flow.Times = flow.logit_normal(),
    num_classes: int | None = None, label_dropout: float = .1,
    solver: solvers.Step = solvers.heun, solver_steps: int = 10, guidance: float = 1.,
    guidance_interval: tuple[float, float] = (0., 1.), guide: bool = False, crop: float = 1.,
    extra: Callable[[Array, Array], Array] | None = None) -> Objective:
  """Binds a network, a path and a prediction into an objective.

  At a time `t` of each example and `x_t = alpha(t) data + sigma(t) noise`, the loss is the mean
  over pixels and batch of

      weight(t) (F(x_t, t) - target(t))^2,

  whose minimum says the expected data and noise of `x_t`, whatever the prediction; predictions
  and weights differ in what a small network does best. The player is `flow`. Batches are
  `{'image': [B, H, W, C]}` in [-1, 1], with `'label': [B]` integers if conditional. Noise, times
  and dropped labels are functions of (key, index in the whole batch); a batch with `'noise'`, of
  the images' shape and variance 1, pairs its images with that.

  Args:
    net: has Linen's `init` and `apply`, called as `(x [B, H, W, C], clock [B], train=)`, or
      `(x, clock, cond [B, K], train=)` if conditional, where `cond` is the label as one-hot, and
      zeros where there is none; gives `[B, H, W, C]`.
    image_shape: `(H, W, C)`; of another kind the shape of its example, as `(T, C)`.
    path: from noise to data.
    prediction: what the network gives.
    measured: the prediction whose squared error is the loss; by default the network's.
    times: at which it learns.
    num_classes: number of labels, K; `None` for an unconditional model.
    label_dropout: share of labels that are hidden in training, in [0, 1), so that the same
      network learns without.
    solver: the step of `sample`.
    solver_steps: how many steps it takes.
    guidance: of `sample`: `g` in `F(none) + g (F(label) - F(none))`, at least 0. With 1 it is the
      conditional model, above 1 images are more of their class and less varied (Ho & Salimans
      2022, https://arxiv.org/abs/2207.12598, with `g = 1 + w`), at twice the evaluations.
    guidance_interval: times `(first, last)` in [0, 1], from noise to data, between which samples
      are guided. Near noise it costs variety, near data it changes nothing (Kynkaanniemi et al.
      2024, https://arxiv.org/abs/2404.07724); outside, an evaluation is one.
    guide: whether samples are guided by a worse model of the same network instead of the network
      without labels: `F(worse) + g (F - F(worse))`, both with the label if there are any. It is
      `variables['guide']`, `{'params': {'flow': tree}, 'variables': {'flow': tree}}`, say of an
      earlier step. What it gets wrong the model gets wrong a little, so that leaving it behind
      corrects images and keeps their variety (Karras et al. 2024, autoguidance,
      https://arxiv.org/abs/2406.02507).
    crop: samples are cropped to [-crop, crop].
    extra: `(expected [B, ...], data [B, ...]) -> [B]`, added to the loss of each example: a
      further error of the data that are expected of `x_t`.

  Returns:
    An `Objective`. `sample` gives `[n, H, W, C]` within `crop`; its `cond` is labels `[n]`
    if conditional. It raises `ValueError` if labels are missing or not wanted, and `init` does if
    the data or the network's output are not shaped so.

  Raises:
    ValueError: steps below 1, guidance without labels or without dropped labels, or a share, a
      guidance or an interval out of range.

  Lipman et al. 2023, https://arxiv.org/abs/2210.02747, equation 9; for diffusion Ho et al. 2020,
  https://arxiv.org/abs/2006.11239, and Song et al. 2021, https://arxiv.org/abs/2011.13456.
  """
  fields.check(num_classes, label_dropout, solver_steps, guidance, guidance_interval, guide)

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, cond = conditions.learned(batch), fields.labels(batch, num_classes)
    key_examples, key_device = jax.random.split(ctx.key)
    keys = keys_.per_example(key_examples, len(image), ctx)
    key_of = jax.vmap(lambda key: jax.random.split(key, 3))(keys)  # [B, 3]
    noise = batch['noise'] if 'noise' in batch else fields.normal(key_of[:, 0], image.shape[1:])
    t = jnp.clip(jax.vmap(times)(key_of[:, 1]), *prediction.span)
    if ctx.train:
      cond = tuple(fields.hidden(label_dropout, key_of[:, 2], x) for x in cond)
    x = paths.mixed(path, image, noise, t)
    output, updated = network.apply(
        net, params['flow'], variables['flow'], paths.over(prediction.scale(path, t), x) * x,
        path.clock(t), *cond, train=ctx.train, key=keys_.per_part(key_device, ctx))
    error = (output - flow.target(path, prediction, Ends(image, noise), t)) ** 2
    each = jnp.mean(error.reshape(len(error), -1), -1)
    if measured is not None:
      each = each * flow.weight(path, prediction, measured, t)
    if extra is not None:
      each = each + extra(flow.ends(path, prediction, x, output, t).data, image)
    return {'flow': jnp.mean(each)}, ({**variables, 'flow': updated}, {})

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    labels = fields.asked(cond, num_classes)
    if guide and 'guide' not in variables:
      raise ValueError("variables: expected 'guide', a worse model that samples are guided by")
    field = field_of(net, path, prediction, params, variables, *labels, guidance=guidance,
                     guidance_interval=guidance_interval,
                     guide=variables['guide'] if guide else None, crop=crop)
    x = path.sigma(jnp.zeros(())) * fields.beginnings(keys, image_shape)
    rest = jax.vmap(lambda key: jax.random.split(key)[1])(keys)
    x, _ = solvers.solved(solver, field, path, x, rest, path.times(solver_steps))
    return jnp.clip(x, -crop, crop)

  return Objective(fields.starting(net, image_shape, num_classes), loss, sample)


def field_of(net: Any, path: Path, prediction: Prediction, params: PerPlayer,
             variables: PerPlayer, cond: Array | None = None, *, guidance: float = 1.,
             guidance_interval: tuple[float, float] = (0., 1.),
             guide: PerPlayer | None = None, crop: float = 1.) -> solvers.Field:
  """What a trained network expects of points on the path, for solvers and likelihoods.

  Args:
    net: as `flow_matching`'s, with its path and prediction.
    path: as there.
    prediction: as there. Data that are not known at the noisy end, as those of
      `flow.NOISE`, are cropped to [-crop, crop] (Ho et al. 2020, algorithm 2's code).
    params: `{'flow': tree}`.
    variables: `{'flow': tree}`.
    cond: `[n, K]`, one-hot labels or zeros, or `None`.
    guidance: see `flow_matching`.
    guidance_interval: see there.
    guide: `variables['guide']` there, or `None`.
    crop: see there.

  Returns:
    `(x [n, H, W, C], t []) -> Ends`.
  """
  labels = () if cond is None else (cond,)

  def said(model: PerPlayer, x: Array, t: Array, *labels: Array) -> Array:
    return network.apply(net, model['params']['flow'], model['variables']['flow'],
                         prediction.scale(path, t) * x, jnp.full(len(x), path.clock(t)), *labels)[0]

  def plain(x: Array, t: Array) -> Array:
    return said(model, x, t, *labels)

  def guided(x: Array, t: Array) -> Array:
    if guide is not None:
      good, worse = plain(x, t), said(guide, x, t, *labels)
    else:
      good, worse = jnp.split(said(model, jnp.concatenate([x, x]), t, jnp.concatenate(
          [*labels, *map(jnp.zeros_like, labels)])), 2)
    return worse + guidance * (good - worse)

  model = {'params': params, 'variables': variables}
  always = tuple(guidance_interval) == (0, 1)

  def field(x: Array, t: Array) -> Ends:
    inside = (guidance_interval[0] <= t) & (t <= guidance_interval[1])
    t = jnp.clip(t, *prediction.span)
    if guidance == 1 or (cond is None and guide is None):
      output = plain(x, t)
    elif always:
      output = guided(x, t)
    else:
      output = jax.lax.cond(inside, guided, plain, x, t)
    ends = flow.ends(path, prediction, x, output, t)
    return ends if prediction.span[0] == 0 else ends._replace(data=jnp.clip(ends.data, -crop, crop))
  return field
