"""Flow matching and diffusion: one player, which learns where points of a path come from."""
from collections.abc import Sequence
import math
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import keys as keys_
from jaxsynth.conditions import one_hot
from jaxsynth.losses import flow, paths
from jaxsynth.losses.flow import Ends, Prediction
from jaxsynth.losses.paths import Path
from jaxsynth.objectives import network, solvers
from jaxsynth.types import Batch, Context, Objective, PerPlayer


def flow_matching(
    net: Any, image_shape: Sequence[int], path: Path = paths.rectified(),
    prediction: Prediction = flow.VELOCITY, *,
    measured: Prediction | None = None, times: flow.Times = flow.logit_normal(),
    num_classes: int | None = None, label_dropout: float = .1,
    solver: solvers.Step = solvers.heun, solver_steps: int = 10, guidance: float = 1.
    ) -> Objective:
  """Binds a network, a path and a prediction into an objective.

  At a time `t` of each example and `x_t = alpha(t) data + sigma(t) noise`, the loss is the mean
  over pixels and batch of

      weight(t) (F(x_t, t) - target(t))^2,

  whose minimum says the expected data and noise of `x_t`, whatever the prediction; predictions
  and weights differ in what a small network does best. The player is `flow`. Batches are
  `{'image': [B, H, W, C]}` in [-1, 1], with `'label': [B]` integers if conditional. Noise, times
  and dropped labels are functions of (key, index in the whole batch).

  Args:
    net: has Linen's `init` and `apply`, called as `(x [B, H, W, C], clock [B], train=)`, or
      `(x, clock, cond [B, K], train=)` if conditional, where `cond` is the label as one-hot, and
      zeros where there is none; gives `[B, H, W, C]`.
    image_shape: `(H, W, C)`.
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

  Returns:
    An `Objective`. `sample` gives `[n, H, W, C]`, cropped to [-1, 1]; its `cond` is labels `[n]`
    if conditional. It raises `ValueError` if labels are missing or not wanted, and `init` does if
    the data or the network's output are not shaped so.

  Raises:
    ValueError: steps below 1, guidance without labels or without dropped labels, or a share or a
      guidance out of range.

  Lipman et al. 2023, https://arxiv.org/abs/2210.02747, equation 9; for diffusion Ho et al. 2020,
  https://arxiv.org/abs/2006.11239, and Song et al. 2021, https://arxiv.org/abs/2011.13456.
  """
  _check(num_classes, label_dropout, solver_steps, guidance)

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    image, cond = batch['image'][:1], tuple(x[:1] for x in _labels(batch, num_classes))
    args = (image, jnp.zeros(1), *cond)
    if image.shape[1:] != tuple(image_shape):
      raise ValueError(f"the data's images are {image.shape[1:]}, expected {tuple(image_shape)}")
    params, variables = network.init(net, key, *args)
    output = jax.eval_shape(lambda: network.apply(net, params, variables, *args)[0])
    if output.shape != image.shape:
      raise ValueError(f"the network's output is {output.shape[1:]}, the data's images are "
                       f'{image.shape[1:]}')
    return {'flow': params}, {'flow': variables, 'shared': {}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, cond = batch['image'], _labels(batch, num_classes)
    key_examples, key_device = jax.random.split(ctx.key)
    keys = keys_.per_example(key_examples, len(image), ctx)
    key_of = jax.vmap(lambda key: jax.random.split(key, 3))(keys)  # [B, 3]
    noise = _normal(key_of[:, 0], image.shape[1:])
    t = jnp.clip(jax.vmap(times)(key_of[:, 1]), *prediction.span)
    if ctx.train:
      cond = tuple(_hidden(label_dropout, key_of[:, 2], x) for x in cond)
    x = paths.mixed(path, image, noise, t)
    output, updated = network.apply(
        net, params['flow'], variables['flow'], paths.over(prediction.scale(path, t), x) * x,
        path.clock(t), *cond, train=ctx.train, key=keys_.per_part(key_device, ctx))
    error = (output - flow.target(path, prediction, Ends(image, noise), t)) ** 2
    each = jnp.mean(error.reshape(len(error), -1), -1)
    if measured is not None:
      each = each * flow.weight(path, prediction, measured, t)
    return {'flow': jnp.mean(each)}, ({**variables, 'flow': updated}, {})

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if (cond is not None) != (num_classes is not None):
      raise ValueError(f'cond: expected {"None" if num_classes is None else "labels [n]"}, '
                       f'got {cond}')
    labels = () if num_classes is None or cond is None else (one_hot(cond, num_classes),)
    field = field_of(net, path, prediction, params, variables, *labels, guidance=guidance)
    first = jax.vmap(lambda key: jax.random.split(key))(keys)  # [n, 2]
    x = path.sigma(jnp.zeros(())) * _normal(first[:, 0], tuple(image_shape))
    x, _ = solvers.solved(solver, field, path, x, first[:, 1], path.times(solver_steps))
    return jnp.clip(x, -1, 1)

  return Objective(init, loss, sample)


def field_of(net: Any, path: Path, prediction: Prediction, params: PerPlayer,
             variables: PerPlayer, cond: Array | None = None, *, guidance: float = 1.
             ) -> solvers.Field:
  """What a trained network expects of points on the path, for solvers and likelihoods.

  Args:
    net: as `flow_matching`'s, with its path and prediction.
    path: as there.
    prediction: as there. Data that are not known at the noisy end, as those of
      `flow.NOISE`, are cropped to [-1, 1] (Ho et al. 2020, algorithm 2's code).
    params: `{'flow': tree}`.
    variables: `{'flow': tree}`.
    cond: `[n, K]`, one-hot labels or zeros, or `None`.
    guidance: see `flow_matching`.

  Returns:
    `(x [n, H, W, C], t []) -> Ends`.
  """
  def said(x: Array, t: Array, *cond: Array) -> Array:
    return network.apply(net, params['flow'], variables['flow'], prediction.scale(path, t) * x,
                         jnp.full(len(x), path.clock(t)), *cond)[0]

  def field(x: Array, t: Array) -> Ends:
    t = jnp.clip(t, *prediction.span)
    if cond is None:
      output = said(x, t)
    elif guidance == 1:
      output = said(x, t, cond)
    else:
      both = said(jnp.concatenate([x, x]), t, jnp.concatenate([cond, jnp.zeros_like(cond)]))
      with_label, without = jnp.split(both, 2)
      output = without + guidance * (with_label - without)
    ends = flow.ends(path, prediction, x, output, t)
    return ends if prediction.span[0] == 0 else ends._replace(data=jnp.clip(ends.data, -1, 1))
  return field


def _normal(keys: Array, shape: tuple[int, ...]) -> Array:
  return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)


def _labels(batch: Batch, num_classes: int | None) -> tuple[Array, ...]:
  """One-hot `[B, K]` of a conditional model."""
  if num_classes is None:
    return ()
  if 'label' not in batch:
    raise ValueError(f"a conditional flow's batch needs 'label', got {sorted(batch)}")
  return (one_hot(batch['label'], num_classes),)


def _hidden(rate: float, keys: Array, cond: Array) -> Array:
  """Zeros for a share of the labels; a product, so that the NaN of a wrong label stays."""
  shown = jax.vmap(lambda key: jax.random.uniform(key) >= rate)(keys)
  return cond * shown[:, None]


def _check(num_classes: int | None, label_dropout: float, solver_steps: int, guidance: float
           ) -> None:
  if solver_steps < 1:
    raise ValueError(f'solver_steps={solver_steps}: expected at least 1')
  if not 0 <= label_dropout < 1:
    raise ValueError(f'label_dropout={label_dropout}: expected a share in [0, 1)')
  if not 0 <= guidance < math.inf:
    raise ValueError(f'guidance={guidance}: expected at least 0; 1 is the conditional model')
  if guidance != 1 and num_classes is None:
    raise ValueError(f'guidance={guidance}: a model without labels has nothing to be guided by; '
                     'expected 1, or labels (--conditional)')
  if guidance != 1 and not label_dropout:
    raise ValueError(f'guidance={guidance}: expected 1, as with label_dropout=0 the network '
                     'never learned without labels')
