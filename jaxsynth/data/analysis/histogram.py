"""Counts in fixed bins in one pass: a monoid."""
from typing import NamedTuple

import numpy as np


class Histogram(NamedTuple):
  """Counts of finite values between `edges`, and of those outside.

  Attributes:
    edges: `[B + 1]`, rising.
    counts: `[B]`; the last bin has its upper edge in it.
    below: values less than the first edge.
    above: values more than the last.
  """
  edges: np.ndarray
  counts: np.ndarray
  below: int
  above: int


def empty(edges: np.ndarray) -> Histogram:
  """No values yet.

  >>> total = merge(of(np.array([0, 1, 9]), np.arange(3)), empty(np.arange(3)))
  >>> total.counts.tolist(), total.above
  ([1, 1], 1)
  """
  edges = np.asarray(edges, np.float64)
  return Histogram(edges, np.zeros(len(edges) - 1, np.int64), 0, 0)


def of(x: np.ndarray, edges: np.ndarray) -> Histogram:
  """Of the values in `x`, of any shape."""
  x, edges = np.asarray(x).ravel(), np.asarray(edges, np.float64)
  if x.dtype == np.uint8 and np.array_equal(edges, np.arange(257) - 0.5):
    return Histogram(edges, np.bincount(x, minlength=256), 0, 0)
  x = x[np.isfinite(x)]
  return Histogram(edges, np.histogram(x, edges)[0], int((x < edges[0]).sum()),
                   int((x > edges[-1]).sum()))


def merge(a: Histogram, b: Histogram) -> Histogram:
  """Of both together; their edges are the same.

  Raises:
    ValueError: other edges.
  """
  if not np.array_equal(a.edges, b.edges):
    raise ValueError('histograms over other edges, expected the same')
  return Histogram(a.edges, a.counts + b.counts, a.below + b.below, a.above + b.above)
