"""Pictures of examples: images as they are, videos side by side, series as lines."""
from collections.abc import Mapping

import numpy as np

FRAMES = 4  # of a video
HEIGHT, WIDTH = 64, 128  # of a series


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
    rows = (HEIGHT - 3) * (1 - (y - low) / max(high - low, 1e-12)) + 1
    columns = (at / max(len(series) - 1, 1) * (WIDTH - 1)).astype(int)
    for column in range(WIDTH):
      here = rows[columns == column]
      if len(here):
        picture[int(here.min()):int(here.max()) + 2, column] = 0
  return picture
