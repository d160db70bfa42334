"""What a filter is: a score of each candidate, and the least that passes."""
from collections.abc import Callable
import functools
import math
from typing import Any, NamedTuple

import jax
from jax import Array
import numpy as np


ToModel = Callable[[Any], Array]  # see `kinds.kind.Kind`


class Candidates(NamedTuple):
  """Images, or examples of another kind, that may enter a data set.

  Attributes:
    images: uint8 `[n, H, W, C]`, or the array that models learn, as on disk.
    labels: int32 `[n]`, or `None`.
    uniforms: float32 `[n]` in [0, 1), each a function of its candidate's address.
  """
  images: Any
  labels: Any
  uniforms: Any


class Filter(NamedTuple):
  """Keeps the candidates with `score(params, candidates) >= threshold`.

  Attributes:
    name: for records.
    params: arrays.
    score: `(params, Candidates) -> [n]`, pure and row by row; inside jit.
    threshold: the least score that passes; `fit` chooses one.
  """
  name: str
  params: Any
  score: Callable[[Any, Candidates], Array]
  threshold: float = -np.inf


def scores(filter: Filter, candidates: Candidates, block: int = 256) -> np.ndarray:
  """The scores of any number of candidates, in blocks of one size: float32 `[n]`."""
  n = len(candidates.images)
  score, params, out = _jitted(filter.score), jax.device_put(filter.params), []
  for start in range(0, n, block):
    at = np.minimum(np.arange(start, start + block), n - 1)
    out.append(np.asarray(score(params, jax.tree.map(lambda x: x[at], candidates))))
  return np.concatenate(out)[:n]


@functools.lru_cache(maxsize=16)
def _jitted(score: Callable) -> Callable:
  return jax.jit(score)


def threshold(values: np.ndarray, keep: float) -> float:
  """The largest threshold that at least the share `keep` of the values reaches.

  Raises:
    ValueError: no values, NaN, or a share outside of (0, 1].

  >>> threshold(np.array([3., 1., 2., 4.]), .75)
  2.0
  """
  values = np.asarray(values)
  if not 0 < keep <= 1 or not values.size or np.isnan(values).any():
    raise ValueError(f'keep={keep} of {values.size} values ({np.isnan(values).sum()} NaN): '
                     'expected a share in (0, 1], say 0.95, and values that are numbers')
  passing = max(1, math.ceil(keep * values.size - 1e-9))  # .95 * 100 is above 95 in floats
  return float(np.sort(values, axis=None)[-passing])


def fit(filter: Filter, real: Candidates, keep: float) -> Filter:
  """The filter at the operating point where it keeps `keep` of held-out real examples.

  Args:
    filter: any.
    real: examples that neither the generator nor the filter has learned from.
    keep: the share of them that shall pass, in (0, 1].

  >>> bright = Filter('bright', (), lambda _, x: x.images.mean((1, 2, 3)))
  >>> real = Candidates(np.arange(100, dtype=np.uint8).reshape(-1, 1, 1, 1), None, None)
  >>> fit(bright, real, .9).threshold
  10.0
  """
  return filter._replace(threshold=threshold(scores(filter, real), keep))


def kept(filter: Filter, candidates: Candidates) -> np.ndarray:
  """Which pass: bool `[n]`."""
  return scores(filter, candidates) >= np.float32(filter.threshold)
