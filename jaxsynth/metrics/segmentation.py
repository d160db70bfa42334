"""How well each pixel's class is known: counts of pixels, and the shares that follow from them."""
from typing import Any, NamedTuple

import numpy as np

IGNORED = 255  # a pixel of no class, which does not count


class Segmentation(NamedTuple):
  """Scores of predicted masks.

  Attributes:
    iou: `[K]`, of each class the pixels that both masks have, by those that either has; NaN of
      a class that neither has.
    mean_iou: over the classes that there are.
    accuracy: share of the pixels whose class is right.
  """
  iou: np.ndarray
  mean_iou: float
  accuracy: float


def confusion(true: Any, predicted: Any, num_classes: int) -> np.ndarray:
  """Counts of pixels, int64 `[K, K]`: of the true class, and of the predicted one.

  Counts of parts of a set add up to those of the whole.

  Args:
    true: integers, `IGNORED` where nothing is known.
    predicted: integers of the same shape.
    num_classes: K.

  Raises:
    ValueError: other shapes, or a class out of [0, K).

  >>> confusion([0, 1, 1, 255], [0, 1, 0, 1], 2).tolist()
  [[1, 0], [1, 1]]
  """
  true, predicted = np.asarray(true), np.asarray(predicted)
  if true.shape != predicted.shape:
    raise ValueError(f'masks {list(true.shape)} and {list(predicted.shape)}: expected the same')
  known = true != IGNORED
  a, b = true[known].astype(np.int64), predicted[known].astype(np.int64)
  for name, x in (('true', a), ('predicted', b)):
    if x.size and not 0 <= x.min() <= x.max() < num_classes:
      raise ValueError(f'{name} classes in [{x.min()}, {x.max()}]: expected [0, {num_classes}), or '
                       f'{IGNORED} where nothing is known')
  return np.bincount(num_classes * a + b, minlength=num_classes ** 2).reshape(
      num_classes, num_classes)


def scores(counts: np.ndarray) -> Segmentation:
  """What counts of pixels come to.

  Raises:
    ValueError: no pixels.

  >>> scores(np.array([[1, 0], [1, 1]])).iou.tolist()
  [0.5, 0.5]
  """
  if not counts.sum():
    raise ValueError('no pixel has a class')
  both = np.diag(counts).astype(np.float64)
  either = counts.sum(0) + counts.sum(1) - both
  iou = np.divide(both, either, out=np.full(len(both), np.nan), where=either > 0)
  return Segmentation(iou, float(np.nanmean(iou)), float(both.sum() / counts.sum()))
