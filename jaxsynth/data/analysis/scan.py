"""One pass over a data set, in blocks: all that needs every example once."""
import functools
import hashlib
from typing import NamedTuple

import numpy as np

from jaxsynth.data.analysis import histogram, moments
from jaxsynth.data.analysis.histogram import Histogram
from jaxsynth.data.analysis.moments import Moments
from jaxsynth.kinds.pooling import pooled, pooled_shape
from jaxsynth.data.batches import Source
from jaxsynth.data.classes import names_of
from jaxsynth.data.kinded import kind_of
from jaxsynth.kinds.kind import Kind

THUMB = 32  # side of class means at most
BINS = 256


class Facts(NamedTuple):
  """Of each image `[N]`: over its finite pixels, and how many are not."""
  mean: np.ndarray
  std: np.ndarray
  low: np.ndarray
  high: np.ndarray
  bad: np.ndarray


class Scan(NamedTuple):
  """What one pass keeps. Memory: about 40 bytes an image, and the features.

  Attributes:
    name: of the set.
    size: examples N.
    image_shape: `(H, W, C)`, or the shape of an example of another kind.
    num_classes: K, or `None`.
    dtype: of the pixels.
    labels: int32 `[N]`, or `None`.
    facts: of each image.
    digests: 16 bytes `[N]`, equal for equal images.
    pixels: moments of each pixel `[H, W, C]`; as all that follows of what `Kind.plain` gives.
    values: moments of all pixels of a channel `[C]`.
    histogram: of all values.
    classes: K moments of class images, pooled to at most 32 x 32: `[h * w * C]`.
    rows: positions of the examples whose features are kept, rising.
    features: float32 `[n, D]`, pooled to at most 16 x 16, in the units of the pixels.
    class_names: of the labels, in their order; none without labels.
    skipped: suffixes of files that were left out, and how many there are.
    kind: what the examples are.
  """
  name: str
  size: int
  image_shape: tuple[int, ...]
  num_classes: int | None
  dtype: str
  labels: np.ndarray | None
  facts: Facts
  digests: np.ndarray
  pixels: Moments
  values: Moments
  histogram: Histogram
  classes: tuple[Moments, ...]
  rows: np.ndarray
  features: np.ndarray
  class_names: tuple[str, ...] = ()
  skipped: tuple[tuple[str, int], ...] = ()
  kind: Kind | None = None


def scan(source: Source, *, name: str | None = None, block: int = 1024,
         max_bytes: int = 2**30, seed: int = 0) -> Scan:
  """Reads every example once, `block` at a time.

  Args:
    source: of examples; pixels of any real dtype, so that what is wrong can be seen.
    name: what to call the set; by default as the source does.
    block: examples in memory at a time.
    max_bytes: for the features; of a larger set a seeded sample's are kept.
    seed: of that sample.

  Returns:
    The scan; moments and counts do not depend on `block` but for rounding.

  Raises:
    ValueError: an empty set, images that are not numbers, or labels out of range.
  """
  name = name or source.name
  if source.size < 1:
    raise ValueError(f'{name}: no examples, expected at least 1 to analyse')
  rows = sample(source.size, max(2, max_bytes // (4 * int(np.prod(
      pooled_shape(source.image_shape))))), seed)
  edges, parts, kind = None, [], kind_of(source)
  for start in range(0, source.size, block):
    batch = source.take(np.arange(start, min(start + block, source.size)))
    given = batch[kind.name]
    if given.dtype.kind not in 'uif':
      raise ValueError(f'{name}: {kind.plural} of dtype {given.dtype}, expected numbers')
    images = kind.plain(given)
    edges = _edges(images) if edges is None else edges
    kept = rows[np.searchsorted(rows, start):np.searchsorted(rows, start + block)] - start
    parts.append(_block(given, images, batch.get('label'), source.num_classes, edges, kept, name))
    if len(parts) == 16:  # so that memory does not grow with the set
      parts = [functools.reduce(_merge, parts)]
  total = functools.reduce(_merge, parts)
  flat = Moments(*(x.reshape(-1, x.shape[-1]) for x in total[3]))
  labels, facts, digests, pixels, counts, classes, features = total
  return Scan(name, source.size, source.image_shape, source.num_classes, str(given.dtype),
              labels, Facts(*facts), digests, pixels, moments.pool(flat), counts, classes, rows,
              features, names_of(source), getattr(source, 'skipped', ()), kind)


def sample(n: int, most: int, seed: int) -> np.ndarray:
  """At most `most` of `n` positions, rising, each set of them as likely.

  >>> sample(5, 9, 0).tolist(), len(sample(100, 10, 0))
  ([0, 1, 2, 3, 4], 10)
  """
  if n <= most:
    return np.arange(n)
  return np.sort(np.random.default_rng(seed).choice(n, most, replace=False, shuffle=False))


def _block(given: np.ndarray, images: np.ndarray, labels: np.ndarray | None,
           num_classes: int | None, edges: np.ndarray, kept: np.ndarray, name: str) -> tuple:
  facts = _facts(images)
  digests = np.array([hashlib.blake2b(x.tobytes(), digest_size=16).digest()
                      for x in given], 'V16')
  classes: tuple[Moments, ...] = ()
  if num_classes is not None:
    if labels is None or labels.min() < 0 or labels.max() >= num_classes:
      raise ValueError(f'{name}: labels missing or outside [0, {num_classes})')
    thumbs = pooled(images, THUMB)
    classes = tuple(moments.of(thumbs[labels == k], 2) for k in range(num_classes))
  return (labels, facts, digests, moments.of(images), histogram.of(images, edges), classes,
          pooled(images[kept]))


def _merge(a: tuple, b: tuple) -> tuple:
  join = lambda x, y: np.concatenate([x, y])
  return (None if a[0] is None else join(a[0], b[0]),
          tuple(map(join, a[1], b[1])), join(a[2], b[2]), moments.merge(a[3], b[3]),
          histogram.merge(a[4], b[4]), tuple(map(moments.merge, a[5], b[5])), join(a[6], b[6]))


def _facts(images: np.ndarray) -> tuple[np.ndarray, ...]:
  x = images.reshape(len(images), -1)
  if x.dtype.kind == 'f' and not np.isfinite(x).all():
    each = moments.of(x.T, 2)
    facts = each.mean, each.std, each.low, each.high, x.shape[1] - each.n
  else:
    y = x.astype(np.float32)
    facts = y.mean(1), y.std(1), x.min(1), x.max(1), np.zeros(len(x))
  return tuple(f.astype(np.float32) for f in facts)


def _edges(images: np.ndarray) -> np.ndarray:
  """Bins for values like those of the first block."""
  if images.dtype == np.uint8:
    return np.arange(257) - 0.5
  finite = images[np.isfinite(images)]
  low, high = (float(finite.min()), float(finite.max())) if finite.size else (0., 1.)
  for a, b in ((0., 1.), (-1., 1.), (0., 255.)):
    if a <= low and high <= b:
      return np.linspace(a, b, BINS + 1)
  return np.linspace(low, high if high > low else low + 1, BINS + 1)
