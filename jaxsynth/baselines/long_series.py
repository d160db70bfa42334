"""What the baselines of series share: the long series that windows were cut from."""
from collections.abc import Callable

import numpy as np

from jaxsynth.kinds.kind import Kind


def of_windows(drawn: Callable[..., np.ndarray], values: np.ndarray, labels: np.ndarray | None,
               kind: Kind, num: int, seed: int) -> tuple[np.ndarray, None]:
  """Windows by a baseline of a long series.

  Args:
    drawn: `(rows [N, C], length, count, seed=) -> [count, length, C]`.
    values: windows `[M, T, C]`, each a row after the one before.
    labels: of windows there are none.
    kind: of series.
    num: windows to draw.
    seed: of which.

  Returns:
    float32 `[num, T, C]`, and no labels.

  Raises:
    ValueError: windows that do not follow one another row by row, or what `drawn` raises.
  """
  if labels is not None:
    raise ValueError(f'{kind.plural} with labels: expected windows of one long series, which have '
                     'none')
  rows = joined(values)
  return np.asarray(drawn(rows, values.shape[1], num, seed=seed), np.float32), None


def joined(windows: np.ndarray) -> np.ndarray:
  """The series `[N, C]` whose windows `[N - T + 1, T, C]` these are.

  Raises:
    ValueError: a window that does not begin a row after the one before.

  >>> joined(np.arange(5.)[np.arange(3)[:, None] + np.arange(3)][..., None]).ravel().tolist()
  [0.0, 1.0, 2.0, 3.0, 4.0]
  """
  apart = (windows[1:, :-1] != windows[:-1, 1:]).any((1, 2))
  if apart.any():
    raise ValueError(f'window {1 + int(np.argmax(apart))} does not begin a row after the one '
                     'before; expected all windows of one long series: leave --stride at 1')
  return np.concatenate([windows[0], windows[1:, -1]])
