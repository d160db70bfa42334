"""Labels by address: exact shares without rejection."""
from collections.abc import Sequence
import functools
import math

import numpy as np

Shares = int | Sequence[int]


def shares_of(num_classes: int | None, shares: Shares | None = None) -> Shares | None:
  """The shares, if a model can draw its labels so; equal ones where none are given.

  Args:
    num_classes: that the model knows; `None` for an unconditional one.
    shares: as `labels_for`'s, or `None`.

  Raises:
    ValueError: shares for an unconditional model, or not one for each class.

  >>> shares_of(3), shares_of(2, [3, 1]), shares_of(None)
  (3, [3, 1], None)
  """
  if shares is None:
    return num_classes
  if num_classes is None:
    raise ValueError(f'shares {shares} of labels: the model is not conditional')
  if num_classes != (shares if isinstance(shares, int) else len(shares)):
    raise ValueError(f'shares {shares} of labels: expected one for each of the {num_classes} '
                     'classes')
  return shares


def labels_for(indices: np.ndarray, shares: Shares) -> np.ndarray:
  """Sample i's label, a function of i and the classes' shares alone.

  Labels come in cycles of `W = sum(w)`, `w` the shares over their greatest common
  divisor, and every cycle holds class c exactly `w[c]` times: sample i has the class in
  whose interval of the cumulative shares `(a * i) mod W` falls, with `a` prime to W and
  near `W / 1.618`, which spreads each class evenly (Weyl's sequence).

  Args:
    indices: `[n]`, at least 0.
    shares: the number of classes, for equal shares (label `i mod C`); or each class's
      share, not negative, such as exact counts.

  Returns:
    `[n]` int32.

  Raises:
    ValueError: shares that are negative, all zero or none.

  >>> labels_for(np.arange(4), 3).tolist()
  [0, 1, 2, 0]
  >>> labels_for(np.arange(8), [300, 100, 0, 400]).tolist()
  [0, 3, 0, 3, 3, 0, 3, 1]
  """
  indices = np.asarray(indices, np.int64)
  edges, stride = _cycle(_plain(shares))
  place = indices % edges[-1] * stride % edges[-1]
  return np.searchsorted(edges, place, side='right').astype(np.int32)


def cycle(shares: Shares) -> int:
  """`W`: any aligned run of so many samples has every class's exact share.

  >>> cycle(10), cycle([300, 100, 0, 400])
  (10, 8)
  """
  return int(_cycle(_plain(shares))[0][-1])


def counts(start: int, stop: int, shares: Shares) -> np.ndarray:
  """How many of the samples [start, stop) have each label: `[C]`.

  >>> counts(0, 25, 10).tolist()
  [3, 3, 3, 3, 3, 2, 2, 2, 2, 2]
  """
  edges, _ = _cycle(_plain(shares))
  whole, rest = divmod(stop - start, int(edges[-1]))
  partial = np.bincount(labels_for(np.arange(start, start + rest), shares),
                        minlength=len(edges))
  return whole * np.diff(edges, prepend=0) + partial


def _plain(shares: Shares) -> int | tuple[int, ...]:
  return tuple(np.asarray(shares).tolist()) if np.ndim(shares) else int(np.asarray(shares))


@functools.lru_cache(maxsize=8)
def _cycle(shares: int | tuple[int, ...]) -> tuple[np.ndarray, int]:
  weights = np.ones(shares, np.int64) if isinstance(shares, int) else np.array(shares, np.int64)
  if not weights.size or weights.min() < 0 or not weights.any():
    raise ValueError(f'shares {shares}: expected one a class, none negative, not all zero')
  weights //= math.gcd(*weights.tolist())
  total = int(weights.sum())
  stride = max(round(total * (math.sqrt(5) - 1) / 2), 1)
  while math.gcd(stride, total) > 1:
    stride += 1
  return np.cumsum(weights), 1 if weights.max() == 1 else stride
