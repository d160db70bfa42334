"""Features of rows: numbers beside classes as ones and zeros, or a random layer of these."""
from collections.abc import Mapping, Sequence
import functools
from typing import NamedTuple

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics.features.base import digest, Features
from jaxsynth.metrics.features.raw_pixels import pixels

WIDTH = 256  # of the random layer
MOST = 512  # numbers that are compared as they are


class Column(NamedTuple):
  """One column as models take it, in [-1, 1].

  Attributes:
    classes: how many a column has whose values are in no order, missing among them: value `k` is
      `(2 k + 1) / classes - 1`. 0 of a column of numbers.
    missing: whether a number may be missing: then it is -1, and others are in [-.8, 1].
  """
  classes: int = 0
  missing: bool = False


def one_hot(columns: Sequence[Column], reach: float = 1.) -> Features:
  """Rows as numbers that can be compared, `D` a row.

  A number is given as `reach` times what models see, its normal score; beside it stands whether
  it is missing, in which case it counts as the median, 0. A class is a one at its place and
  zeros elsewhere, over the root of 2, so that two rows of different classes are 1 apart.

  Of these numbers the mean and the covariance, which the Frechet distance compares, are the
  marginal shares of the classes, the shares of all pairs of classes of two columns, and the
  correlations of normal scores.

  Args:
    columns: of a row.
    reach: see above.

  Raises:
    ValueError: no columns.

  >>> from jaxsynth.metrics.features import extract
  >>> rows = np.array([[-.5, .1], [.5, -1.]], np.float32)
  >>> extract(one_hot([Column(2), Column(missing=True)], 3.), rows).round(2)
  array([[0.71, 0.  , 0.  , 0.  ],
         [0.  , 0.71, 0.  , 0.71]], dtype=float32)
  """
  if not columns:
    raise ValueError('no columns: expected at least 1')
  rows = np.array(columns, np.float32)
  width = sum(column.classes or 1 + column.missing for column in columns)
  return Features('one_hot', digest({'columns': rows, 'reach': np.float32(reach)}), width, 'none',
                  (len(columns),), {}, _apply(tuple(columns), float(reach)))


def random_rows(columns: Sequence[Column], reach: float = 1., *, seed: int = 0) -> Features:
  """256 features of rows: `one_hot` through one random dense layer with relu.

  Which say of more than two columns at once what a covariance cannot (Rahimi and Recht 2008,
  Random features for large-scale kernel machines).

  Args:
    columns: of a row.
    reach: as of `one_hot`.
    seed: of the weights; the same weights from the same seed, for good.

  Raises:
    ValueError: no columns.
  """
  first = one_hot(columns, reach)
  assert first.width is not None
  rng = np.random.RandomState(seed)  # the one stream that numpy promises never to change
  kernel = rng.standard_normal((first.width, WIDTH)) * np.sqrt(2 / len(columns))
  params = {'kernel': kernel.astype(np.float32),
            'bias': rng.standard_normal(WIDTH).astype(np.float32)}
  sha = digest({**params, 'one_hot': np.frombuffer(bytes.fromhex(first.sha256), np.uint8)})
  return Features(f'random_rows_{seed}', sha, WIDTH, 'none', first.image_shape, params,
                  _apply(tuple(columns), float(reach)))


def of_rows(columns: Sequence[Column], reach: float, name: str, digits: bool = False) -> Features:
  """Features of rows by name.

  Args:
    columns: of a row.
    reach: as of `one_hot`.
    name: `'auto'`, which is `one_hot` of up to 512 numbers and else `random_rows`; `'random'`;
      or `'pixels'`, the values as models see them.
    digits: whether they are digits, which rows never are.

  Raises:
    ValueError: another name.
  """
  if name == 'pixels':
    return pixels()._replace(image_shape=(len(columns),))
  if name not in ('auto', 'random') or digits:
    raise ValueError(f'--features={name}: expected auto, random or pixels, which of rows are '
                     'their values')
  plain = one_hot(columns, reach)
  return plain if name == 'auto' and (plain.width or 0) <= MOST else random_rows(columns, reach)


@functools.lru_cache(maxsize=16)  # one function for one table, so that it is compiled once
def _apply(columns: tuple[Column, ...], reach: float):
  def apply(params: Mapping[str, Array], rows: Array) -> Array:
    x = jnp.concatenate([_numbers(column, rows[:, i], reach) for i, column in enumerate(columns)],
                        1)
    if 'kernel' not in params:
      return x
    y = jnp.matmul(x, params['kernel'], precision=lax.Precision.HIGHEST)
    return jax.nn.relu(y + params['bias'][None])
  return apply


def _numbers(column: Column, x: Array, reach: float) -> Array:
  """`[B]` to `[B, 1]`, `[B, 2]` or `[B, classes]`."""
  if column.classes:
    code = jnp.clip(jnp.floor((x + 1) / 2 * column.classes), 0, column.classes - 1)
    return jax.nn.one_hot(code.astype(jnp.int32), column.classes) * np.float32(.5 ** .5)
  if not column.missing:
    return reach * x[:, None]
  lacks = x < -.9
  number = jnp.where(lacks, 0., reach * (x - .1) / .9)
  return jnp.stack([number, lacks * np.float32(.5 ** .5)], 1)
