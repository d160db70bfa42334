"""A mixture of products: the rows of a table as draws from one of many simple distributions."""
from typing import Any, NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.conditions import one_hot
from jaxsynth.models.row_segments import Segments, segments_of

FAR = 1e6  # the ends of the line, in normal scores
HALF_LOG_TAU = .5 * float(np.log(2 * np.pi))
Params = dict[str, Array]


class RowMixture(NamedTuple):
  """`p(x, y) = sum_k w_k p_k(y) prod_j p_kj(x_j)`, of rows x and, if there are any, labels y.

  Columns of classes, and whether a value is missing, are categorical: `p_kj` is the softmax of what
  all components share plus what is the component's own. Columns of numbers of which there are
  few are logistic, integrated over each value's part of the line (Salimans et al. 2017,
  https://arxiv.org/abs/1701.05517, equation 2), so that near values are alike; other numbers are
  normal. Both are in normal scores, and no scale is less than `floor`.

  Parameters: `weights` `[K]`, `shared` `[V]`, `own` `[K, V]` of all V classes of all categorical
  columns, `means` and `log_scales` `[K, M]` of M columns of numbers.

  Attributes:
    layout: of the rows, a `kinds.row_layout.Layout`.
    components: K.
    num_classes: of the labels, or `None` for rows alone.
    floor: of scales, in normal scores.

  >>> from jaxsynth.kinds.row_layout import Layout, ModelColumn
  >>> model = RowMixture(Layout((ModelColumn('sex', 'category', (0, 1), (-.5, .5), (0.,)),), 3.), 4)
  >>> p = jnp.exp(model.log_likelihood(model.init(jax.random.key(0)), jnp.array([[-.5], [.5]])))
  >>> round(float(p.sum()), 4)
  1.0
  """
  layout: Any
  components: int
  num_classes: int | None = None
  floor: float = .01

  @property
  def segments(self) -> Segments:
    """What the columns of its tables are of."""
    return segments_of(self.layout, self.num_classes)

  def init(self, key: Array) -> Params:
    """Components here and there: means as normal scores are spread, and classes at random."""
    parts, (a, b) = self.segments, jax.random.split(key)
    numbers = len(parts.lines) + len(parts.continuous)
    return {'weights': jnp.zeros(self.components),
            'shared': jnp.zeros(sum(parts.classes)),
            'own': jax.random.normal(a, (self.components, sum(parts.classes))),
            'means': jax.random.normal(b, (self.components, numbers)),
            'log_scales': jnp.full((self.components, numbers), np.log(.3), jnp.float32)}

  def log_likelihood(self, params: Params, rows: Array, labels: Array | None = None,
                     known: Array | None = None) -> Array:
    """`log p` of what is known of rows: `[B]`, nats.

    Of continuous columns it is a density, of numbers in a model; of all else a probability.

    Args:
      params: of the mixture.
      rows: `[B, C]`, as a model sees them.
      labels: integers `[B]`, if they count.
      known: bool `[B, C]`, which of the values count; all by default.
    """
    return jax.nn.logsumexp(self.log_joint(params, rows, labels, known), 1)

  def log_joint(self, params: Params, rows: Array, labels: Array | None = None,
                known: Array | None = None) -> Array:
    """`log w_k p_k(what is known)`: `[B, K]`, nats; one product of matrices.

    Args:
      params: as `log_likelihood`'s, as all else.
      rows: see there.
      labels: see there.
      known: see there.

    Raises:
      ValueError: rows of another number of columns, or labels of a model without.
    """
    table, seen = self.table(params), self.seen(rows, labels, known)
    product = lax.dot_general(seen, table, (((1,), (1,)), ((), ())),
                              precision=lax.Precision.HIGHEST)
    return product + jax.nn.log_softmax(params['weights'])[None]

  def seen(self, rows: Array, labels: Array | None, known: Array | None) -> Array:
    """`[B, V]`: what `table`'s columns are multiplied by; zeros where nothing is known."""
    parts = self.segments
    if rows.ndim != 2 or rows.shape[1] != len(self.layout.columns):
      raise ValueError(f'rows {list(rows.shape)}: expected [B, {len(self.layout.columns)}]')
    if labels is not None and self.num_classes is None:
      raise ValueError('labels: expected none, as the mixture is of rows alone')
    codes, out = self.layout.codes(rows), []
    here = jnp.ones(rows.shape) if known is None else known.astype(jnp.float32)
    for place, (column, size) in enumerate(zip(self.layout.discrete, parts.sizes)):
      out.append(jax.nn.one_hot(codes[:, place], size) * here[:, column, None])
    if self.num_classes is not None:
      out.append(jnp.zeros((len(rows), self.num_classes)) if labels is None else
                 one_hot(labels, self.num_classes))
    for column in self.layout.continuous:
      x, there = rows[:, column] * self.layout.reach, here[:, column]
      if self.layout.columns[column].missing:
        lacks = parts.lacks(rows[:, column])
        out.append(jnp.stack([(1 - lacks) * there, lacks * there], 1))
        there = there * (1 - lacks)
      out.append(jnp.stack([there, x * there, x ** 2 * there], 1))
    return jnp.concatenate(out, 1)

  def table(self, params: Params) -> Array:
    """`[K, V]`: the log-probability of each value, and of numbers the terms in 1, x and x^2."""
    parts, out = self.segments, []
    classes = parts.split(params['shared'][None] + params['own'])
    classes = [jax.nn.log_softmax(x, 1) for x in classes]
    means, scales = params['means'], self.scales(params)
    lines = self._lines(means[:, :len(parts.lines)], scales[:, :len(parts.lines)])
    for column in self.layout.discrete:
      if column not in parts.lines:
        out.append(classes.pop(0))
      elif self.layout.columns[column].missing:
        there, lacks = jnp.split(classes.pop(0), 2, 1)
        out += [lacks, there + lines.pop(0)]
      else:
        out.append(lines.pop(0))
    if self.num_classes is not None:
      out.append(classes.pop(0))
    for k, column in enumerate(self.layout.continuous, len(parts.lines)):
      if self.layout.columns[column].missing:
        out.append(classes.pop(0))
      mean, weight = means[:, k], 1 / scales[:, k] ** 2
      constant = jnp.log(self.layout.reach / scales[:, k]) - HALF_LOG_TAU - mean ** 2 * weight / 2
      out.append(jnp.stack([constant, mean * weight, -weight / 2], 1))
    return jnp.concatenate(out, 1)

  def scales(self, params: Params) -> Array:
    """`[K, M]`, in normal scores."""
    return self.floor + jnp.exp(params['log_scales'])

  def _lines(self, means: Array, scales: Array) -> list[Array]:
    """Of numbers of which there are few: `log (F(above) - F(below))`, F logistic.

    With s the sigmoid, `s(b) - s(a) = s(b) s(-a) (1 - exp(a - b))`, which loses nothing where all
    are far from the mean, or near to each other.
    """
    parts = self.segments
    if not parts.lines:
      return []
    of = np.repeat(np.arange(len(parts.lines)), [len(x) + 1 for x in parts.ends])
    below = np.concatenate([(-FAR, *x) for x in parts.ends]).astype(np.float32)[None]
    above = np.concatenate([(*x, FAR) for x in parts.ends]).astype(np.float32)[None]
    mean, scale = jnp.take(means, of, 1), jnp.take(scales, of, 1)
    flat = (-jax.nn.softplus((mean - above) / scale) - jax.nn.softplus((below - mean) / scale)
            + jnp.log(-jnp.expm1((below - above) / scale)))
    return jnp.split(flat, np.cumsum([len(x) + 1 for x in parts.ends])[:-1], 1)
