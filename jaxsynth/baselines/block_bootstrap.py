"""Series made of blocks of a real one: what a generator must be better than."""
from collections.abc import Sequence

import numpy as np


def stationary_places(n: int, length: int, block: float, rng: np.random.Generator,
                      count: int) -> np.ndarray:
  """Which rows follow one another: `[count, length]` numbers in [0, n).

  Blocks of neighbours begin anywhere, and their lengths are geometric with this mean, so that the
  series made is stationary; what is past the end goes on at the beginning. Politis & Romano 1994,
  The stationary bootstrap.

  Args:
    n: rows that there are.
    length: rows of a series that is made.
    block: mean length of a block, at least 1.
    rng: the draws.
    count: how many series.

  Raises:
    ValueError: sizes below 1.

  >>> places = stationary_places(100, 50, 10., np.random.default_rng(0), 200)
  >>> follow = (np.diff(places, axis=1) % 100 == 1).mean()
  >>> places.shape, bool(abs(follow - .9) < .02)
  ((200, 50), True)
  """
  if min(n, length, count) < 1 or not block >= 1:
    raise ValueError(f'n={n}, length={length}, count={count}, block={block}: expected 1 at least '
                     'each')
  new = rng.random((count, length)) < 1 / block
  new[:, 0] = True
  begins = rng.integers(0, n, (count, length))
  step = np.arange(length)
  last = np.maximum.accumulate(np.where(new, step, 0), axis=1)
  return (np.take_along_axis(begins, last, 1) + step - last) % n


def resampled(rows: np.ndarray, length: int, count: int, *, block: float = 10., seed: int = 0
              ) -> np.ndarray:
  """Windows of resampled rows, as they are: for series without a trend.

  Args:
    rows: `[N, C]`, in the order of time.
    length: steps of a window.
    count: how many windows.
    block: mean rows of a block.
    seed: of the draws.

  Returns:
    `[count, length, C]`. Where two blocks meet, levels leap.
  """
  rows = np.asarray(rows)
  return rows[stationary_places(len(rows), length, block, np.random.default_rng(seed), count)]


def resampled_changes(rows: np.ndarray, length: int, count: int, *, block: float = 10.,
                      seed: int = 0, logarithm: Sequence[bool] | bool = True) -> np.ndarray:
  """Windows of resampled changes, from a real level on: for prices, which do not leap.

  All columns' changes of a row stay together. Differences between columns, as that of the highest
  and the lowest price of a day, are sums of changes and drift apart within a window.

  Args:
    rows: `[N, C]`, N > 1; above 0 where the logarithm is taken.
    length: steps of a window.
    count: how many windows.
    block: mean changes of a block.
    seed: of the draws.
    logarithm: of which columns the changes are log-returns; those of the others differences.

  Returns:
    `[count, length, C]`; each begins at a row of the real series, drawn alike.

  Raises:
    ValueError: fewer than two rows, or values whose logarithm is not there.
  """
  x, log = np.asarray(rows, np.float64), np.broadcast_to(logarithm, np.shape(rows)[1:])
  if len(x) < 2 or (x[:, log] <= 0).any():
    raise ValueError(f'rows {list(x.shape)}: expected two at least, and numbers above 0 where '
                     'changes are those of the logarithm')
  levels = np.where(log[None], np.log(np.where(log[None], x, 1)), x)
  rng = np.random.default_rng(seed)
  first = levels[rng.integers(0, len(levels), count)][:, None]
  changes = np.diff(levels, axis=0)
  steps = changes[stationary_places(len(changes), max(length - 1, 1), block, rng, count)]
  made = np.concatenate([first, first + np.cumsum(steps, 1)], 1)[:, :length]
  return np.where(log[None, None], np.exp(np.where(log[None, None], made, 0)), made)
