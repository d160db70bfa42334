"""Pictures of examples: images as they are, videos side by side, series as lines, rows as bars."""
from collections.abc import Mapping

import numpy as np

FRAMES = 4  # of a video
HEIGHT, WIDTH = 64, 128  # of a series; of a row at least the height
MARGIN = 4  # around a series


def shown(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
  """A picture of each example, by its `'image'` or else its `'series'`.

  Args:
    arrays: as on disk: uint8 `[n, H, W, C]`, or `[n, T, H, W, C]` of which some frames are shown;
      or floats `[n, T, D]`.

  Returns:
    uint8 `[n, H, W, 1 or 3]`.

  Raises:
    ValueError: neither is there.

  >>> shown({'series': np.zeros((2, 5, 1))}).shape
  (2, 64, 128, 1)
  """
  if 'image' in arrays:
    images = np.asarray(arrays['image'])
    if images.ndim == 4:
      return images
    some = np.linspace(0, images.shape[1] - 1, min(FRAMES, images.shape[1])).astype(int)
    return np.concatenate(list(np.moveaxis(images[:, some], 1, 0)), axis=2)
  if 'series' in arrays:
    return np.stack([_lines(np.asarray(series, np.float64)) for series in arrays['series']])
  raise ValueError(f'arrays {sorted(arrays)}: expected image or series')


def _lines(series: np.ndarray) -> np.ndarray:
  """Dark lines on white, from the least to the largest value of all."""
  low, high = np.nanmin(series), np.nanmax(series)
  picture = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
  at = np.linspace(0, len(series) - 1, 8 * WIDTH)
  for values in series.T:
    y = np.interp(at, np.arange(len(series)), values)
    rows = (HEIGHT - 2 - 2 * MARGIN) * (1 - (y - low) / max(high - low, 1e-12)) + MARGIN
    columns = (at / max(len(series) - 1, 1) * (WIDTH - 1 - 2 * MARGIN)).astype(int) + MARGIN
    for column in range(WIDTH):
      here = rows[columns == column]
      if len(here):
        picture[int(here.min()):int(here.max()) + 2, column] = 0
  return picture


def bars(rows: np.ndarray) -> np.ndarray:
  """Rows of a table, each a picture: a bar a column, from the middle to its value.

  Args:
    rows: in [-1, 1] `[n, C]`, as models see them.

  Returns:
    uint8 `[n, max(64, 3 C), 128, 1]`.

  >>> bars(np.array([[1., -.5]]))[0, 3, ::32, 0].tolist()
  [255, 255, 0, 0]
  """
  rows = np.asarray(rows, np.float64)
  height = max(HEIGHT, 3 * rows.shape[1])
  edges = np.linspace(0, height, rows.shape[1] + 1).astype(int)
  at = np.arange(WIDTH) + .5 - WIDTH / 2
  ends = np.clip(rows, -1, 1)[:, :, None] * (WIDTH / 2)
  dark = (at[None, None] * np.sign(ends) > 0) & (np.abs(at)[None, None] <= np.abs(ends))
  picture = np.full((len(rows), height, WIDTH, 1), 255, np.uint8)
  for j, (top, bottom) in enumerate(zip(edges, edges[1:])):
    picture[:, top:bottom - 1][np.broadcast_to(
        dark[:, j][:, None, :, None], (len(rows), bottom - 1 - top, WIDTH, 1))] = 0
  picture[:, :, WIDTH // 2 - 1:WIDTH // 2 + 1] = np.minimum(
      picture[:, :, WIDTH // 2 - 1:WIDTH // 2 + 1], 160)  # the middle, where a bar is short
  return picture
