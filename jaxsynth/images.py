"""Pictures of batches: grids and PNG files."""
from collections.abc import Sequence
import math
import os

import numpy as np

from jaxsynth.files import write_aside


def grid(images: np.ndarray, columns: int = 10, *, border: int = 0) -> np.ndarray:
  """Images side by side, row by row.

  Args:
    images: `[N, H, W, C]`; the last row is filled with zeros.
    columns: images a row.
    border: pixels between images.

  Returns:
    `[rows * H + ..., columns * W + ..., C]` of the same dtype.

  >>> grid(np.ones((5, 4, 3, 1), np.uint8), 2).shape
  (12, 6, 1)
  """
  n, h, w, c = images.shape
  rows = -(-n // columns)
  cells = np.zeros((rows * columns, h + border, w + border, c), images.dtype)
  cells[:n, :h, :w] = images
  sheet = cells.reshape(rows, columns, h + border, w + border, c).swapaxes(1, 2)
  sheet = sheet.reshape(rows * (h + border), columns * (w + border), c)
  return sheet[:sheet.shape[0] - border, :sheet.shape[1] - border]


def with_names(sheet: np.ndarray, names: Sequence[str], *, left: int = 190, size: int = 15
               ) -> np.ndarray:
  """A sheet with the name of each of its rows at its left, black on white.

  Args:
    sheet: uint8 `[H, W, 1 or 3]`, of rows of one height.
    names: from top to bottom.
    left: pixels for them, at least; more if a name needs more.
    size: of their letters.

  Returns:
    `[H, left + W, C]`, or wider.

  Raises:
    ValueError: another dtype or number of channels.

  >>> with_names(np.zeros((40, 30, 1), np.uint8), ['above', 'below'], left=60).shape
  (40, 90, 1)
  """
  from PIL import Image, ImageDraw, ImageFont
  if sheet.dtype != np.uint8 or sheet.ndim != 3 or sheet.shape[2] not in (1, 3):
    raise ValueError(f'expected uint8 [H, W, 1 or 3], got {sheet.dtype}{list(sheet.shape)}')
  height, _, channels = sheet.shape
  font = ImageFont.load_default(size)
  left = max([left, *(16 + math.ceil(font.getlength(name)) for name in names)])
  margin = Image.new('L', (left, height), 255)
  draw = ImageDraw.Draw(margin)
  for i, name in enumerate(names):
    draw.text((8, int((i + .5) * height / len(names))), name, 0, font, anchor='lm')
  return np.concatenate([np.asarray(margin)[..., None].repeat(channels, 2), sheet], 1)


def save_png(path: str | os.PathLike, image: np.ndarray, *, scale: int = 1) -> None:
  """Writes a uint8 image `[H, W, C]` with 1, 3 or 4 channels.

  Args:
    path: of the file, whole or not there.
    image: pixels.
    scale: each pixel becomes a square of this side.

  Raises:
    ValueError: another dtype, rank or number of channels.
  """
  from PIL import Image  # slow to load, and only pictures need it
  if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3, 4):
    raise ValueError(f'expected uint8 [H, W, 1, 3 or 4], got {image.dtype}'
                     f'{list(image.shape)}')
  image = image.repeat(scale, 0).repeat(scale, 1)
  with write_aside(path) as f:
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(f, 'PNG')
