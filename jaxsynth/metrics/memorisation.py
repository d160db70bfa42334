"""Whether fakes are nearer to the training set than fresh real samples would be."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import checks
from jaxsynth.metrics.neighbours import nearest, nearest_other
from jaxsynth.metrics.score import Share, wilson


class Nearer(NamedTuple):
  """What `nearer_to_train` finds.

  Attributes:
    share: fakes nearer to train than to the holdout, and Wilson's interval.
    expected: the share if the fakes were as new to train as to the holdout.
    z: (share - expected) over its standard error under a random split; above 3, fakes
      lean on the training samples.
    p_value: of a share as large, by the normal approximation.
    ties: fakes as near to one as to the other, left out.
    standard_error: of the share, under a random split.
  """
  share: Share
  expected: float
  z: float
  p_value: float
  ties: int
  standard_error: float


def nearer_to_train(fake: Any, train: Any, holdout: Any, *, confidence: float = .95,
                    block: int | None = None) -> Nearer:
  """Fakes whose nearest real sample is in train, against what a holdout explains.

  If train and holdout are a random split of `N + M` real samples and the generator did
  not see either, a fake's nearest is in train with probability `N / (N + M)`: one half
  for an equal-size holdout. The test keeps the nearest samples and splits again:
  `n` fakes, `c_i` of them nearest to real sample `i`, and train a draw of `N` without
  replacement, so the count's variance is `N M / (N + M) var(c)`.

  Args:
    fake: `[F, D]`.
    train: `[N, D]`, what the generator learned from.
    holdout: `[M, D]`, from the same source and never learned from.
    confidence: of the interval.
    block: fakes compared at a time.

  Raises:
    ValueError: see `checks.features`; or every fake is as near to one as to the other.

  >>> train, holdout = np.eye(8)[:4], np.eye(8)[4:]
  >>> nearer = nearer_to_train(train + .1, train, holdout)
  >>> nearer.share.value, nearer.expected
  (1.0, 0.5)
  """
  fake, train = checks.pair('fake', fake, 'train', train)
  train, holdout = checks.pair('train', train, 'holdout', holdout)
  in_train, in_holdout = ([x[:, 0] for x in nearest(fake, real, block=block)]
                          for real in (train, holdout))
  return nearer(in_train, in_holdout, len(train), len(holdout), confidence=confidence)


def nearer(in_train: Sequence[np.ndarray], in_holdout: Sequence[np.ndarray], n: int, m: int, *,
           confidence: float = .95) -> Nearer:
  """What `nearer_to_train` says, of distances that are known.

  Args:
    in_train: of each fake the distance to the nearest training sample, and which, `[F]` each.
    in_holdout: the same of the holdout.
    n: training samples.
    m: samples of the holdout.
    confidence: of the interval.

  Raises:
    ValueError: every fake is as near to one as to the other.
  """
  from scipy import special
  (to_train, train_index), (to_holdout, holdout_index) = in_train, in_holdout
  tied = to_train == to_holdout
  if tied.all():
    raise ValueError('every fake is as near to train as to holdout: do they share samples? '
                     'see duplicates.between')
  nearer_train = (to_train < to_holdout)[~tied]
  nearest_real = np.where(nearer_train, train_index[~tied], n + holdout_index[~tied])
  counts = np.bincount(nearest_real, minlength=n + m)
  share = wilson(int(nearer_train.sum()), len(nearer_train), confidence)
  expected = n / (n + m)
  deviation = np.sqrt(n * m / (n + m) * counts.var(ddof=1)) / len(nearer_train)
  z = (share.value - expected) / deviation if deviation else 0.
  return Nearer(share, expected, float(z), float(special.ndtr(-z)), int(tied.sum()),
                float(deviation))


def data_copying(fake: Any, train: Any, holdout: Any, *, centres: Any = None,
                 block: int | None = None) -> float:
  """Meehan's test: are fakes nearer to train than holdout samples are?

  The Mann-Whitney z-score of the distances to the nearest training sample; below -3:
  copying, above 3: fakes farther from train than real samples. In cells, the average
  of each cell's score weighted by its holdout samples, over cells with both.

  Args:
    fake: `[F, D]`.
    train: `[N, D]`.
    holdout: `[M, D]`.
    centres: `[C, D]`, say class means or k-means: a sample belongs to the cell of the
      nearest. By default there is one cell.
    block: samples compared at a time.

  Raises:
    ValueError: see `checks.features`; or no cell with fakes and holdout samples.

  Meehan, Chaudhuri & Dasgupta, A Non-Parametric Test to Detect Data-Copying in
  Generative Models, 2020, sec. 3.

  >>> train, holdout = np.arange(50.)[:, None], np.arange(50.)[:, None] + .4
  >>> data_copying(train + .1, train, holdout) < -3 < data_copying(holdout, train, holdout)
  True
  """
  fake, train = checks.pair('fake', fake, 'train', train)
  train, holdout = checks.pair('train', train, 'holdout', holdout)
  far_fake, far_held = (nearest(x, train, block=block)[0][:, 0] for x in (fake, holdout))
  if centres is None:
    return _mann_whitney(far_fake, far_held)
  cell_fake, cell_held = (nearest(x, centres)[1][:, 0] for x in (fake, holdout))
  cells = np.intersect1d(cell_fake, cell_held)
  if not len(cells):
    raise ValueError(f'no cell of {len(centres)} has fakes and holdout samples; take fewer '
                     'centres, or more samples')
  weights = [(cell_held == c).sum() for c in cells]
  return float(np.average([_mann_whitney(far_fake[cell_fake == c], far_held[cell_held == c])
                           for c in cells], weights=weights))


def _mann_whitney(a: np.ndarray, b: np.ndarray) -> float:
  """z of U, how often a value of `a` is above one of `b`, ties one half; below 0: `a` is less."""
  from scipy import stats
  n, m = len(a), len(b)
  values = np.concatenate([a, b])
  u = stats.rankdata(values)[:n].sum() - n * (n + 1) / 2
  _, ties = np.unique(values, return_counts=True)
  tied = (ties.astype(np.float64) ** 3 - ties).sum() / ((n + m) * (n + m - 1))
  variance = n * m / 12 * (n + m + 1 - tied)
  return float((u - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.


def authenticity(fake: Any, train: Any, *, confidence: float = .95,
                 block: int | None = None) -> Share:
  """Fakes that are not a training sample's closest relative.

  A fake is authentic unless it is nearer to its nearest training sample than that one
  is to any other. Compare with the same of a holdout, `authenticity(holdout, train)`.

  Args:
    fake: `[F, D]`.
    train: `[N, D]`, N at least 2.
    confidence: of the interval.
    block: samples compared at a time.

  Raises:
    ValueError: see `checks.features`.

  Alaa et al., How Faithful is Your Synthetic Data?, 2022, sec. 3.

  >>> authenticity([[0.1], [3.], [20.]], [[0.], [4.], [8.]]).value
  0.3333333333333333
  """
  fake, train = checks.pair('fake', fake, 'train', train)
  distance, index = nearest(fake, train, block=block)
  spacing, _ = nearest_other(train, block=block)
  return wilson(int((distance >= spacing[index[:, 0]]).sum()), len(fake), confidence)
