"""The likelihood ratio attack: how a statistic of an example would look with it and without it."""
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.keys import words

STREAM = 0x4c495241  # parts these draws from others of the same seed
FEW = 64  # shadow models, below which deviations are those of all examples together

Train = Callable[[np.ndarray], Any]  # positions -> a statistic of every candidate


class Shadows(NamedTuple):
  """What models said that learned from known halves of the candidates.

  Attributes:
    included: bool `[S, N]`: whether a model learned from an example; each example is in half.
    statistics: float64 `[S, N]`.
  """
  included: np.ndarray
  statistics: np.ndarray


class Attacked(NamedTuple):
  """A likelihood ratio attack on one model.

  Attributes:
    scores: `[N]`, logarithms of likelihood ratios.
    statistics: `[N]` of the model that was attacked, as a plain threshold would take them.
    included: bool `[N]`: whether it learned from the example.
  """
  scores: np.ndarray
  statistics: np.ndarray
  included: np.ndarray


def halves(size: int, models: int, seed: int) -> np.ndarray:
  """Which of the candidates each model learns from: each candidate in one of every two models.

  Args:
    size: candidates.
    models: an even number.
    seed: in [0, 2^63).

  Returns:
    bool `[models, size]`; the second half of the models learns from what the first leaves out.

  Raises:
    ValueError: fewer than two candidates, or an odd number of models.

  >>> halves(6, 4, 0).sum(0).tolist()
  [2, 2, 2, 2, 2, 2]
  """
  if size < 2 or models < 2 or models % 2:
    raise ValueError(f'size={size}, models={models}: expected 2 candidates at least, and an even '
                     'number of models, so that each candidate is in half of them')
  rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([*words(seed), STREAM])))
  ranks = np.argsort(rng.random((models // 2, size)), 1).argsort(1)
  first = ranks < size // 2
  return np.concatenate([first, ~first])


def shadows(train: Train, size: int, models: int = 16, seed: int = 0) -> Shadows:
  """Trains shadow models, each on half of the candidates.

  Args:
    train: `positions [n] -> statistics [size]`: a model that learned from these candidates, and
      what it says of every candidate, as `attacks.loss_scores` does. It trains as the model under
      attack was trained.
    size: candidates.
    models: how many are trained, an even number.
    seed: of the halves.

  Raises:
    ValueError: as `halves`; or statistics that are not `[size]` finite numbers.
  """
  included = halves(size, models, seed)
  return Shadows(included, np.stack([_said(train, row) for row in included]))


def ratios(known: Shadows, statistics: Any) -> np.ndarray:
  """Logarithms of likelihood ratios: the statistic of an example that was learned from, or not.

      log N(t; mean_in, deviation_in) - log N(t; mean_out, deviation_out)

  Means are the example's own, over the shadow models with it and without it; so are deviations
  from 64 models on, and of fewer those of all examples together.

  Args:
    known: the shadow models.
    statistics: `[N]` of the model that is attacked, about Gaussian over trainings: a loss, or of a
      classifier the logit of the probability of the label.

  Returns:
    `[N]`, the higher the surer.

  Raises:
    ValueError: another number of statistics, or statistics that never differ.

  Carlini et al. 2022, https://arxiv.org/abs/2112.03570, algorithm 1 and section 6.3.

  >>> known = Shadows(np.array([[1], [1], [0], [0]], bool), np.array([[4.], [2.], [1.], [-1.]]))
  >>> ratios(known, [3.]).tolist(), ratios(known, [1.5]).tolist()
  ([2.25], [0.0])
  """
  t = np.asarray(statistics, np.float64)
  if t.shape != known.statistics.shape[1:]:
    raise ValueError(f'statistics {list(t.shape)}, expected {list(known.statistics.shape[1:])}, '
                     'those of the candidates that the shadow models know')
  inside, outside = (_gaussians(known.statistics, rows) for rows in (
      known.included, ~known.included))
  density = lambda mean, variance: -.5 * ((t - mean) ** 2 / variance + np.log(variance))
  return density(*inside) - density(*outside)


def attacked(train: Train, size: int, models: int = 16, seed: int = 0) -> Attacked:
  """Trains one model on half of the candidates, and attacks it with shadow models.

  Args:
    train: as `shadows`.
    size: candidates.
    models: shadow models.
    seed: of all halves.

  Raises:
    ValueError: as `shadows` and `ratios`.
  """
  included = halves(size, models + 2, seed)[models // 2]  # of a pair that the shadows do not have
  rest = np.delete(halves(size, models + 2, seed), [models // 2, models + 1], 0)
  known = Shadows(rest, np.stack([_said(train, row) for row in rest]))
  statistics = _said(train, included)
  return Attacked(ratios(known, statistics), statistics, included)


def _said(train: Train, included: np.ndarray) -> np.ndarray:
  t = np.asarray(train(np.flatnonzero(included)), np.float64)
  if t.shape != included.shape or not np.isfinite(t).all():
    raise ValueError(f'train: statistics {list(t.shape)}, expected finite ones '
                     f'{list(included.shape)}, one a candidate, learned from or not')
  return t


def _gaussians(statistics: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Means `[N]` and variances `[N]` or `[1]` over the models that `rows` marks."""
  count = rows.sum(0)
  mean = np.where(rows, statistics, 0).sum(0) / count
  squares = np.where(rows, (statistics - mean[None]) ** 2, 0).sum(0)
  variance = squares / (count - 1) if len(rows) >= FEW else np.array(
      [squares.sum() / (count - 1).sum()])
  if not (variance > 0).all():
    raise ValueError('the statistics of some example are the same in all shadow models; expected '
                     'a training whose randomness they show')
  return mean, variance
