"""What is found out of synthetic series without training a judge: motions, rules, copies, facts."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data.examples import count_shared, Examples, shuffled
from jaxsynth.data.kinded import kind_of
from jaxsynth.kinds.kind import Kind
from jaxsynth.kinds.series_kind import columns_of
from jaxsynth.metrics import column_rules, duplicates, features, window_facts
from jaxsynth.metrics.correlational import correlational
from jaxsynth.metrics.frechet import frechet_distance

ROUNDING = 1e-6  # of float32, by which a rule may be broken
COPIES = 'near copies of what was learned from'


class Score(NamedTuple):
  """A number of synthetic series, and of real ones in their place."""
  synthetic: float
  real: float


class Apart(NamedTuple):
  """Real series, and real ones that stand in the place of synthetic ones.

  Attributes:
    real: `[N, T, C]`.
    other: `[M, T, C]`.
    are_halves: whether both are of what is judged against.
  """
  real: np.ndarray
  other: np.ndarray
  are_halves: bool


def apart(real: Examples, train: Examples | None, seed: int = 0) -> Apart:
  """What real series score in the place of synthetic ones is found of these.

  The others are those of train; where they are judged too, or unknown, two halves at random, for of
  neighbours that alternate each is nearly one of the other half.

  Args:
    real: what is judged against.
    train: what was learned from, or `None`.
    seed: of the halves.
  """
  if train is not None and count_shared(real, train) <= len(real.values) / 100:
    return Apart(real.values, train.values, False)
  order = shuffled(len(real.values), seed)
  return Apart(real.values[order[::2]], real.values[order[1::2]], True)


def motions(real: Examples, synthetic: Examples, others: Apart) -> dict[str, Score]:
  """Distances of correlations, and of random features.

  The second is what others call Context-Frechet, whose encoder is one that they have trained on the
  real series. Here it is fixed, `features.random_series`, so that numbers of two generators, or of
  two days, can be compared; not with those that others publish.

  Args:
    real: series, of a kind that says their range.
    synthetic: of the same shape.
    others: real ones in their place.
  """
  kind, both = kind_of(real), others[:2]
  net = kind.features('random', False)
  embedded = lambda x: features.extract_all(net, x, kind.to_model)
  distance = lambda a, b: frechet_distance(embedded(a), embedded(b), allow_singular=True)
  return {
      'correlational': Score(correlational(real.values, synthetic.values), correlational(*both)),
      f'Fréchet, {net.name}': Score(distance(real.values, synthetic.values),
                                   distance(*both))}


def rules(real: Examples, synthetic: Examples, texts: Sequence[str]) -> dict[str, Score]:
  """The share of rows that break each rule, and that of series with any such row.

  Args:
    real: series of named columns.
    synthetic: of the same.
    texts: as `column_rules.parsed` takes them.

  Raises:
    ValueError: as `parsed`.
  """
  columns, scores = columns_of(kind_of(real)), {}
  parsed = [column_rules.parsed(text, columns) for text in texts]
  for rule in parsed:
    rows = [column_rules.broken(rule, x.values, columns, ROUNDING) for x in (synthetic, real)]
    scores[f'rows that break {rule.text}'] = Score(*(float(x.mean()) for x in rows))
    scores[f'series that break {rule.text}'] = Score(*(float(x.any(1).mean()) for x in rows))
  return scores


def copies(real: Examples, synthetic: Examples, train: Examples) -> Score:
  """The share of series that are nearer to one that was learned from than new real ones come.

  Half of the real series, which nothing learned from, say how near new ones come; the others stand
  in the place of the synthetic ones. Series are compared by their shapes, level and size taken off
  column by column, for a later year's prices are far from all that was learned. All windows of
  train, one a row, are looked at, so that a copy that begins at another row is one too.

  Args:
    real: series that nothing learned from.
    synthetic: of the same shape.
    train: what was learned from.
  """
  kind = kind_of(real)
  first, second = np.array_split(np.arange(len(real.values)), 2)
  shaped = {name: shapes(kind, values) for name, values in (
      ('train', train.values), ('holdout', real.values[first]), ('fresh', real.values[second]),
      ('synthetic', synthetic.values))}
  share = lambda name: duplicates.near_copies(
      shaped[name], shaped['train'], shaped['holdout']).share.value
  return Score(share('synthetic'), share('fresh'))


def shapes(kind: Kind, values: np.ndarray) -> np.ndarray:
  """Rows `[N, T C]`: each column of a series less its mean, by its deviation.

  >>> from jaxsynth.kinds.series_kind import series
  >>> x = np.array([[[0.], [1.]]])
  >>> rows = shapes(series((2, 1), [0.], [9.]), np.concatenate([x, 5 + 2 * x]))
  >>> bool(np.allclose(rows[0], rows[1], atol=.1))
  True
  """
  x = np.asarray(kind.in_model({kind.name: values})[kind.name])
  n, steps, columns = x.shape
  rows = np.moveaxis(x, 1, 2).reshape(n * columns, steps)
  size = np.maximum(rows.std(1, keepdims=True), 1e-6)
  return ((rows - rows.mean(1, keepdims=True)) / size).reshape(n, -1)


def facts(real: Examples, synthetic: Examples, columns: Sequence[str], are_returns: bool = False,
          seed: int = 0) -> dict[str, list[window_facts.Fact]]:
  """Stylised facts of the log-returns of columns of prices.

  Args:
    real: windows in the order of time.
    synthetic: of the same shape.
    columns: which are prices.
    are_returns: whether the series have log-returns already.
    seed: of the bootstrap.

  Raises:
    ValueError: no such column, or prices that are not above 0.
  """
  return {name: window_facts.beside(*returns_of(real, synthetic, name, are_returns), seed=seed)
          for name in columns}


def returns_of(real: Examples, synthetic: Examples, column: str, are_returns: bool
               ) -> tuple[np.ndarray, np.ndarray]:
  """Log-returns of a column: synthetic `[M, T - 1]`, real `[N, T - 1]`."""
  names = columns_of(kind_of(real))
  if column not in names:
    raise ValueError(f'--prices={column}: no such column, only {", ".join(names)}')
  drawn, there = (x.values[..., names.index(column)] for x in (synthetic, real))
  if are_returns:
    return drawn, there
  return _returns(drawn, synthetic.name, column), _returns(there, real.name, column)


def _returns(prices: np.ndarray, who: str, column: str) -> np.ndarray:
  try:
    return window_facts.log_returns(prices)
  except ValueError as error:
    raise ValueError(f'--prices={column}: {who}: {error}') from None


def to_json(scores: dict[str, Score]) -> dict[str, Any]:
  """As judges.json has scores: no interval, as nothing is trained."""
  once = lambda value: {'value': value, 'low': None, 'high': None}
  return {name: {'synthetic': once(x.synthetic), 'real': once(x.real)}
          for name, x in scores.items()}
