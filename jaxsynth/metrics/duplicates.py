"""Exact and near copies, within a set and between sets."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.metrics import checks
from jaxsynth.metrics.neighbours import nearest, nearest_other
from jaxsynth.metrics.score import Share, clopper_pearson


class Copies(NamedTuple):
  """Which samples are copies of others, and what share of all they are.

  Attributes:
    share: samples that are copies, and the Clopper-Pearson interval.
    indices: which, `[C]`.
    originals: what each is nearest to, `[C]`.
    threshold: the distance up to which a sample counts as a copy.
  """
  share: Share
  indices: np.ndarray
  originals: np.ndarray
  threshold: float


def within(x: Any, threshold: float = 0., *, confidence: float = .95,
           block: int | None = None) -> Copies:
  """Samples that have another within `threshold` in the same set.

  All of a group of equal samples count. With threshold 0 they are equal in float32.

  Args:
    x: `[N, D]`, N at least 2.
    threshold: Euclidean distance, at least 0.
    confidence: of the interval.
    block: samples compared at a time.

  Raises:
    ValueError: see `checks.features`; or a negative threshold.

  >>> copies = within([[0.], [1.], [0.], [5.]])
  >>> copies.share.value, copies.indices.tolist(), copies.originals.tolist()
  (0.5, [0, 2], [2, 0])
  """
  _check(threshold)
  return _copies(*nearest_other(x, block=block), threshold, confidence)


def between(x: Any, originals: Any, threshold: float = 0., *, confidence: float = .95,
            block: int | None = None) -> Copies:
  """Samples of `x` within `threshold` of one of `originals`, say of the test set in train.

  Args:
    x: `[N, D]`.
    originals: `[M, D]`.
    threshold: Euclidean distance, at least 0.
    confidence: of the interval.
    block: samples compared at a time.

  Raises:
    ValueError: as `within`.

  >>> between([[0.], [1.2]], [[7.], [1.]], threshold=.5).originals.tolist()
  [1]
  """
  _check(threshold)
  return _copies(*nearest(x, originals, block=block), threshold, confidence)


def near_copies(fake: Any, train: Any, holdout: Any, *, confidence: float = .95,
                block: int | None = None) -> Copies:
  """Fakes nearer to a training sample than any of the holdout comes, or equal to one.

  The threshold is the least distance from the holdout to train, so that of fresh real
  samples about one in `M + 1` would count. A holdout that itself holds copies of
  train gives threshold 0 and exact copies alone; drop those from it (`between`).

  Args:
    fake: `[F, D]`.
    train: `[N, D]`.
    holdout: `[M, D]`.
    confidence: of the interval.
    block: samples compared at a time.

  Raises:
    ValueError: see `checks.features`.

  >>> train, holdout = np.array([[0.], [10.]]), np.array([[3.], [12.]])
  >>> near_copies([[0.], [1.], [5.], [9.]], train, holdout).indices.tolist()
  [0, 1, 3]
  """
  fake, train = checks.pair('fake', fake, 'train', train)
  train, holdout = checks.pair('train', train, 'holdout', holdout)
  least = nearest(holdout, train, block=block)[0].min()
  threshold = float(np.nextafter(least, np.float32(0)))  # nearer, not as near
  return _copies(*nearest(fake, train, block=block), threshold, confidence)


def surplus(x: Any) -> int:
  """Samples that could be dropped without losing a distinct one: N less the distinct.

  Equal means equal bits, but for the sign of zero.

  Raises:
    ValueError: see `checks.features`.

  >>> surplus([[0.], [1.], [0.], [-0.]])
  2
  """
  x = np.ascontiguousarray(checks.features('x', x) + 0)  # -0 + 0 = 0
  return len(x) - len(np.unique(x.view(np.dtype((np.void, x[0].nbytes))))) if len(x) else 0


def _check(threshold: float) -> None:
  if not 0 <= threshold < float('inf'):
    raise ValueError(f'threshold={threshold}: expected a distance, at least 0')


def _copies(distances: np.ndarray, indices: np.ndarray, threshold: float, confidence: float
            ) -> Copies:
  copied = np.flatnonzero(distances[:, 0] <= threshold)
  return Copies(clopper_pearson(len(copied), len(distances), confidence), copied,
                indices[copied, 0], threshold)
