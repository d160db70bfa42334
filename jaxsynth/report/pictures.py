"""Images of the data, as they are: PNG inside the page."""
import base64
from collections.abc import Sequence
from html import escape
import io

import numpy as np

from jaxsynth import images as sheets, pixels
from jaxsynth.report.extra import load

WIDTH = 960  # pixels of the widest sheet


def image_grid(images: np.ndarray, captions: Sequence[str] | None = None, *,
               columns: int = 10, scale: int | None = None) -> str:
  """Images in rows; with captions each has its own under it, and rows break as they must.

  Args:
    images: `[N, H, W, C]`, C = 1, 3 or 4: uint8, or floats in [-1, 1].
    captions: `[N]`, escaped here; `None` for one plain sheet.
    columns: images a row of a plain sheet.
    scale: each pixel becomes a square of this side; by default small images are made
      large enough to see.

  Returns:
    HTML.

  Raises:
    ValueError: another shape, no images, or as many captions as not.

  >>> image_grid(np.zeros((3, 8, 8, 1), np.uint8), columns=3).count('<img')
  1
  """
  pixels = as_uint8(images)
  n, h, w, _ = pixels.shape
  if captions is None:
    sheet = sheets.grid(pixels, min(columns, n), border=1)
    return _img(sheet, scale or max(1, min(3, WIDTH // sheet.shape[1])))
  if len(captions) != n:
    raise ValueError(f'{len(captions)} captions for {n} images, expected one each')
  scale = scale or max(1, 84 // max(h, w))
  return _sheet([_img(x, scale) for x in pixels], captions, w * scale)


def pairs(left: np.ndarray, right: np.ndarray, captions: Sequence[str] | None = None, *,
          scale: int | None = None) -> str:
  """Pairs side by side: a sample and its nearest neighbour.

  Args:
    left: `[N, H, W, C]`, as `image_grid` takes.
    right: the same shape.
    captions: `[N]` of the pairs, escaped here, or `None`.
    scale: each pixel becomes a square of this side.

  Returns:
    HTML.

  Raises:
    ValueError: shapes that differ, or as many captions as not.

  >>> pairs(np.zeros((2, 8, 8, 1)), np.zeros((2, 8, 8, 1)), ['a', 'b']).count('<img')
  4
  """
  left, right = as_uint8(left), as_uint8(right)
  if left.shape != right.shape:
    raise ValueError(f'pairs of shapes {list(left.shape)} and {list(right.shape)}, '
                     'expected the same')
  captions = [''] * len(left) if captions is None else captions
  if len(captions) != len(left):
    raise ValueError(f'{len(captions)} captions for {len(left)} pairs, expected one each')
  h, w = left.shape[1:3]
  scale = scale or max(1, 84 // max(h, w))
  cells = [f'<div class="both">{_img(a, scale)}{_img(b, scale)}</div>'
           for a, b in zip(left, right)]
  return _sheet(cells, captions, 2 * w * scale + 2)


def as_uint8(images: np.ndarray) -> np.ndarray:
  """Images as bytes: floats in [-1, 1] are scaled, what is not finite is black.

  >>> as_uint8(np.array([-1., 1., np.nan]).reshape(3, 1, 1, 1)).ravel()
  array([  0, 255,   0], dtype=uint8)
  """
  x = np.asarray(images)
  if x.ndim != 4 or x.shape[-1] not in (1, 3, 4) or not x.size:
    raise ValueError(f'images of shape {list(x.shape)}, expected [N, H, W, 1, 3 or 4], N > 0')
  if x.dtype == np.uint8:
    return x
  if not np.issubdtype(x.dtype, np.floating):
    raise ValueError(f'images of dtype {x.dtype}, expected uint8, or floats in [-1, 1]')
  return pixels.to_uint8(np.where(np.isfinite(x), x, -1))


def png(image: np.ndarray) -> bytes:
  """A uint8 image `[H, W, C]` as a PNG file."""
  file = io.BytesIO()
  pillow = load('PIL.Image')
  pillow.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(
      file, 'PNG', optimize=True)
  return file.getvalue()


def _img(image: np.ndarray, scale: int) -> str:
  h, w = image.shape[:2]
  return (f'<img alt="" width="{w * scale}" height="{h * scale}" '
          f'src="data:image/png;base64,{base64.b64encode(png(image)).decode()}">')


def _sheet(cells: Sequence[str], captions: Sequence[str], width: int) -> str:
  return '<div class="sheet">' + ''.join(
      f'<div style="width:{max(width, 56)}px">{cell}{escape(str(caption))}</div>'
      for cell, caption in zip(cells, captions)) + '</div>'
