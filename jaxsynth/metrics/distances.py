"""The distances of two sets of features that every program reports, measured one way."""
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxsynth.metrics import checks, frechet, kernel, moments, prdc
from jaxsynth.metrics.score import Score

K = 5  # neighbours of precision, recall, density and coverage
SUBSETS, SUBSET, SEED = 100, 1000, 2020  # of the kernel distance
NAMES = ('frechet', 'kernel', *prdc.PRDC._fields)
LOWER = ('frechet', 'kernel')  # is better


class Reference:
  """Features of real examples, against which any number of others are measured.

  Args:
    real: `[N, D]`.

  >>> x = np.random.default_rng(0).normal(size=(400, 4))
  >>> reference = Reference(x[:200])
  >>> {name: round(score.value, 1) for name, score in reference.measure(x[200:]).items()}
  ... # doctest: +NORMALIZE_WHITESPACE
  {'frechet': 0.1, 'kernel': 0.0, 'precision': 1.0, 'recall': 1.0, 'density': 1.0,
   'coverage': 1.0}
  """

  def __init__(self, real: Any):
    self.real = checks.features('real', real)
    self._moments: moments.Moments | None = None

  @property
  def size(self) -> int:
    """How many real examples there are."""
    return len(self.real)

  def too_few(self, num_fake: int) -> str:
    """Why these and so many others have no Frechet distance; nothing where they have one."""
    width = self.real.shape[1]
    if min(self.size, num_fake) > width:
      return ''
    return (f'{self.size:,} real and {num_fake:,} other images on {width:,} features; it needs '
            f'at least {width + 1:,} of each')

  def measure(self, fake: Any, names: Sequence[str] = NAMES) -> dict[str, Score]:
    """Some of the distances: name to value, with a standard error where one is known.

    Args:
      fake: `[M, D]`.
      names: which, of `NAMES`.

    Returns:
      In the order of the names. `frechet` is 0 for equal Gaussians, `kernel` about 0 for
      equal distributions; the others are shares, of which `density` may be above 1. The
      standard error is NaN where there is none.

    Raises:
      ValueError: an unknown name; or too few examples, see each score's function.
    """
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
      raise ValueError(f'distances {unknown}: expected some of {NAMES}')
    scores: dict[str, Score] = {}
    if 'frechet' in names:
      self._moments = self._moments or moments.of(self.real)
      scores['frechet'] = Score(
          frechet.frechet_distance(self._moments, moments.of(fake)), np.nan)
    if 'kernel' in names:
      scores['kernel'] = kernel.kernel_distance(
          self.real, fake, subsets=SUBSETS, subset_size=subset_size(self.size, len(fake)),
          seed=SEED)
    if set(names) & set(prdc.PRDC._fields):
      values = prdc.prdc(self.real, fake, K)._asdict()
      scores |= {name: Score(float(x), np.nan) for name, x in values.items()}
    return {name: scores[name] for name in names}


def subset_size(n_real: int, n_fake: int) -> int:
  """Examples of each of the kernel distance's subsets.

  >>> subset_size(10_000, 300)
  150
  """
  return min(SUBSET, min(n_real, n_fake) // 2)


def settings(name: str, n_real: int, n_fake: int) -> Mapping[str, Any]:
  """A distance's own arguments, for its protocol card.

  >>> settings('recall', 100, 100)
  {'k': 5}
  """
  if name == 'kernel':
    return {'subsets': SUBSETS, 'subset_size': subset_size(n_real, n_fake)}
  return {} if name == 'frechet' else {'k': K}
