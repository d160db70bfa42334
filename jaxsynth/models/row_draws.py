"""Rows drawn from a mixture of products: given labels, or given any of their own values."""
import math

import jax
from jax import Array
from jax.scipy.special import ndtri
import jax.numpy as jnp
import numpy as np

from jaxsynth.conditions import checked
from jaxsynth.models.row_mixture import Params, RowMixture
from jaxsynth.models.row_segments import BETWEEN

EDGE = 2 ** -24  # how far uniform numbers stay from 0 and 1, whose normal scores are infinite


def draw(model: RowMixture, params: Params, keys: Array, labels: Array | None = None) -> Array:
  """Rows of `p(x)`, or of `p(x | y)` exactly: float32 `[n, C]` as a model sees them.

  Of each row one uniform number picks the component, by the cumulative weights, and one each the
  values that it gives; the work is that of one component.

  Args:
    model: which mixture.
    params: its parameters.
    keys: `[n]`; a row is a function of its own.
    labels: integers `[n]`, of a model of labels; `None` for rows whatever their label.

  Raises:
    ValueError: labels of a model without, or out of range.
  """
  weights = jax.nn.log_softmax(params['weights'])[None]
  row = jnp.zeros(len(keys), jnp.int32)
  if labels is not None:
    if model.num_classes is None:
      raise ValueError('labels: expected none, as the mixture is of rows alone')
    row = checked(labels, model.num_classes)
    weights = weights + label_table(model, params).T
  uniform = _uniform(model, keys)
  drawn, _ = _of_components(model, params, picked(weights, row, uniform[:, 0]), uniform[:, 1:])
  return drawn if labels is None else jnp.where(
      (row < (model.num_classes or 0))[:, None], drawn, jnp.nan)


def complete(model: RowMixture, params: Params, keys: Array, rows: Array, known: Array,
             labels: Array | None = None) -> tuple[Array, Array | None]:
  """Draws what is not known of rows from `p(unknown | known)`, exactly.

  A component's chance is `w_k p_k(what is known)` over their sum; given the component columns are
  independent.

  Args:
    model: which mixture.
    params: its parameters.
    keys: `[n]`.
    rows: `[n, C]`, as a model sees them; what is not known may be anything finite.
    known: bool `[n, C]`.
    labels: integers `[n]`, if they are known.

  Returns:
    Rows `[n, C]` that keep what is known, and labels `[n]`, drawn where none are given; `None` of
    a model without.
  """
  uniform = _uniform(model, keys)
  joint = model.log_joint(params, rows, labels, known)
  components = picked(joint, jnp.arange(len(rows)), uniform[:, 0])
  drawn, drawn_labels = _of_components(model, params, components, uniform[:, 1:])
  return jnp.where(known, rows, drawn), drawn_labels if labels is None else labels


def label_table(model: RowMixture, params: Params) -> Array:
  """`log p_k(y)`: `[K, num_classes]`."""
  parts = model.segments
  place = len(parts.classes) - 1 - sum(model.layout.columns[i].missing for i in parts.continuous)
  return jax.nn.log_softmax(parts.split(params['shared'][None] + params['own'])[place], 1)


def picked(log_weights: Array, row: Array, uniform: Array) -> Array:
  """Which of the weights of a row each uniform number falls into: int32 `[n]`, by bisection.

  Args:
    log_weights: `[R, K]`, not normalised.
    row: `[n]`, in [0, R).
    uniform: `[n]` in [0, 1).

  >>> picked(jnp.log(jnp.array([[1., 3.], [3., 1.]])), jnp.array([0, 1]), jnp.array([.5, .5]))
  Array([1, 0], dtype=int32)
  """
  cumulative = jnp.cumsum(jax.nn.softmax(log_weights, 1), 1)
  wanted = uniform * cumulative[row, -1]
  first = jnp.zeros(len(row), jnp.int32)
  last = jnp.full(len(row), log_weights.shape[1] - 1, jnp.int32)
  for _ in range(math.ceil(math.log2(max(log_weights.shape[1], 1)))):
    middle = (first + last) // 2
    later = cumulative[row, middle] <= wanted
    first, last = jnp.where(later, middle + 1, first), jnp.where(later, last, middle)
  return jnp.minimum(first, last)


def _uniform(model: RowMixture, keys: Array) -> Array:
  """For the component, each categorical distribution and each number: `[n, U]`."""
  parts = model.segments
  count = 1 + len(parts.classes) + len(parts.lines) + len(parts.continuous)
  return jax.vmap(lambda key: jax.random.uniform(key, (count,)))(keys)


def _of_components(model: RowMixture, params: Params, components: Array, uniform: Array
                   ) -> tuple[Array, Array | None]:
  """Rows and labels of these components."""
  parts, layout = model.segments, model.layout
  logits = parts.split(params['shared'][None] + params['own'][components])
  u_classes, u_numbers = uniform[:, :len(parts.classes)], uniform[:, len(parts.classes):]
  picks = [_class(of_column, u_classes[:, i]) for i, of_column in enumerate(logits)]
  u = jnp.clip(u_numbers, EDGE, 1 - EDGE)
  means = params['means'][components]
  scales = model.floor + jnp.exp(params['log_scales'][components])
  logistic, normal = means + scales * (jnp.log(u) - jnp.log1p(-u)), means + scales * ndtri(u)
  lines, codes = 0, []
  for column in layout.discrete:
    if column not in parts.lines:
      codes.append(picks.pop(0))
      continue
    ends = np.array(parts.ends[lines], np.float32)[None]
    code = jnp.sum(logistic[:, lines, None] > ends, 1).astype(jnp.int32)
    if layout.columns[column].missing:
      code = jnp.where(picks.pop(0) == 1, 0, code + 1)
    codes.append(code)
    lines += 1
  label = picks.pop(0) if model.num_classes is not None else None
  drawn: dict[int, Array] = {}
  if codes:
    positions = layout.positions(jnp.stack(codes, 1))
    drawn = {column: positions[:, i] for i, column in enumerate(layout.discrete)}
  for k, column in enumerate(parts.continuous, lines):
    missing = layout.columns[column].missing
    x = jnp.clip(normal[:, k] / layout.reach, BETWEEN + .1 if missing else -1, 1)
    drawn[column] = jnp.where(picks.pop(0) == 1, -1., x) if missing else x
  return jnp.stack([drawn[i] for i in range(len(layout.columns))], 1), label


def _class(logits: Array, uniform: Array) -> Array:
  """Which class: int32 `[n]` of logits `[n, size]`."""
  cumulative = jnp.cumsum(jax.nn.softmax(logits, 1), 1)
  wanted = (uniform * cumulative[:, -1])[:, None]
  return jnp.sum(cumulative[:, :-1] <= wanted, 1).astype(jnp.int32)
