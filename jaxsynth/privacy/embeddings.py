"""Embeddings: numbers of an example that are fixed before any data are seen, with norm 1.

Means of them say how data are distributed, and one example changes a sum of them by 1 at most.
"""
from collections.abc import Callable, Sequence
import math
from typing import NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.types import Tree

WITHIN = 1 - 2.**-16  # of the norms, so that rounding makes none longer than 1


class View(NamedTuple):
  """Vectors of an example that a kernel compares, part by part.

  Attributes:
    parts: how many there are.
    length: of each.
    apply: `[B, ...] -> [B, parts, length]`, floats as models take them; differentiable.
    summary: what they are, for a record.
  """
  parts: int
  length: int
  apply: Callable[[Array], Array]
  summary: str


class Embedding(NamedTuple):
  """Features of an example whose norm is 1, whatever the example is.

  Attributes:
    size: `D`, how many.
    init: `key -> tree`: the random numbers of it, which depend on no data.
    apply: `(tree, x [B, ...]) -> [B, D]`, each of norm 1 up to `WITHIN` and never above;
      differentiable in `x`.
    summary: what it is, for a record.
  """
  size: int
  init: Callable[[Array], Tree]
  apply: Callable[[Tree, Array], Array]
  summary: str


def fourier(view: View, bandwidths: Sequence[float], size: int) -> Embedding:
  """Random Fourier features, whose products are those of a Gaussian kernel on each part.

      phi(x) = (cos w_j.v_p(x), sin w_j.v_p(x))_{p, j} / sqrt(parts * frequencies),
      w_j ~ N(0, I / b_j^2),   phi(x).phi(y) ~ mean_{p, b} exp(-|v_p(x) - v_p(y)|^2 / 2 b^2)

  Cosine and sine of one angle have norm 1, so the norm is 1 without any clipping.

  Args:
    view: what the kernel compares.
    bandwidths: `b` of the frequencies, each of as many of them, above 0.
    size: `D` that is wanted; it is rounded down to whole frequencies.

  Raises:
    ValueError: a bandwidth that is not above 0, or a size without a frequency for each.

  Rahimi & Recht 2007, https://papers.nips.cc/paper/3182; as an embedding to be released: Harder
  et al. 2021, https://arxiv.org/abs/2002.11603, equation 8.

  >>> embedding = fourier(pixels((4, 4, 1)), (.5, 1.), 64)
  >>> x = jnp.ones((3, 4, 4, 1))
  >>> features = embedding.apply(embedding.init(jax.random.key(0)), x)
  >>> features.shape, round(float(jnp.linalg.norm(features[0])), 4)
  ((3, 64), 1.0)
  """
  if not bandwidths or not all(0 < b < math.inf for b in bandwidths):
    raise ValueError(f'bandwidths {list(bandwidths)}: expected one or more numbers above 0')
  frequencies = size // (2 * view.parts)
  if frequencies < len(bandwidths):
    raise ValueError(
        f'{size} features of {view.summary}: expected at least {2 * view.parts * len(bandwidths)}, '
        f'a cosine and a sine of each of {view.parts} parts and {len(bandwidths)} bandwidths')
  widths = np.resize(np.asarray(bandwidths, np.float32), frequencies)
  scale = WITHIN / math.sqrt(view.parts * frequencies)

  def init(key: Array) -> Tree:
    return jax.random.normal(key, (view.length, frequencies)) / widths[None]

  def apply(tree: Tree, x: Array) -> Array:
    angles = jnp.einsum('bpf,fn->bpn', view.apply(x), tree)
    return scale * jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], -1).reshape(len(x), -1)

  listed = ', '.join(f'{b:g}' for b in bandwidths)
  return Embedding(2 * view.parts * frequencies, init, apply,
                   f'{frequencies} random frequencies of {view.summary}, bandwidths {listed}')


def together(embeddings: Sequence[Embedding]) -> Embedding:
  """Several embeddings beside one another, of equal weight: their kernels' mean.

  Raises:
    ValueError: there are none.

  >>> both = together([fourier(pixels((4, 4, 1)), (1.,), 8)] * 2)
  >>> tree = both.init(jax.random.key(0))
  >>> round(float(jnp.linalg.norm(both.apply(tree, jnp.ones((1, 4, 4, 1))))), 4)
  1.0
  """
  if not embeddings:
    raise ValueError('no embeddings: expected one or more')

  def init(key: Array) -> Tree:
    return {str(k): each.init(its_key) for k, (each, its_key) in enumerate(
        zip(embeddings, jax.random.split(key, len(embeddings))))}

  def apply(tree: Tree, x: Array) -> Array:
    each = [e.apply(tree[str(k)], x) for k, e in enumerate(embeddings)]
    return jnp.concatenate(each, -1) / math.sqrt(len(embeddings))

  return Embedding(sum(e.size for e in embeddings), init, apply,
                   '; '.join(e.summary for e in embeddings))


def pixels(shape: Sequence[int]) -> View:
  """All values of an example at once; squared distances are mean squared differences.

  Args:
    shape: of an example, of any kind.
  """
  length = math.prod(shape)
  return View(1, length, lambda x: x.reshape(len(x), 1, length) / math.sqrt(length), 'all pixels')


def patches(shape: Sequence[int]) -> View:
  """Windows of half an image's height and width, each a quarter of it from the next: nine.

  Strokes within a window are told apart better than within the whole, where all that is
  elsewhere adds to their distance.

  Args:
    shape: `(H, W, C)`.

  Raises:
    ValueError: images of fewer than 4 pixels a side.

  >>> view = patches((28, 28, 1))
  >>> view.parts, view.length, view.apply(jnp.zeros((2, 28, 28, 1))).shape
  (9, 196, (2, 9, 196))
  """
  height, width, channels = shape
  if min(height, width) < 4:
    raise ValueError(f'patches of images {height} x {width}: expected 4 pixels a side at least')
  h, w = height // 2, width // 2
  corners = [(i, j) for i in (0, (height - h) // 2, height - h)
             for j in (0, (width - w) // 2, width - w)]
  length = h * w * channels

  def apply(x: Array) -> Array:
    cut = jnp.stack([x[:, i:i + h, j:j + w] for i, j in corners], 1)
    return cut.reshape(len(x), len(corners), length) / math.sqrt(length)

  return View(len(corners), length, apply, f'{len(corners)} patches')
