"""Images as the data set wants them: decoded, of its size and its channels."""
import dataclasses
import io
import re
from typing import Any, Literal

import numpy as np

from jaxsynth.data.arrays import ArraySource


@dataclasses.dataclass(frozen=True)
class Preprocess:
  """What every image of a data set is turned into; `None` keeps what is there.

  Attributes:
    image_size: `(height, width)` in pixels.
    channels: 1 (grey) or 3 (red, green, blue).
    fit: `'crop'` covers the size and cuts the rest off, the same on both sides;
      `'pad'` fits the image inside, with zeros around it.

  Raises:
    ValueError: a size that is not two positive integers, another number of
      channels or another `fit`.
  """
  image_size: tuple[int, int] | None = None
  channels: int | None = None
  fit: Literal['crop', 'pad'] = 'crop'

  def __post_init__(self):
    size = self.image_size
    if size is not None and (len(size) != 2 or not all(
        isinstance(n, (int, np.integer)) and n > 0 for n in size)):
      raise ValueError(f'image_size={size}: expected (height, width), two integers of '
                       'at least 1, or None')
    if self.channels not in (None, 1, 3):
      raise ValueError(f'channels={self.channels}: expected 1 (grey), 3 (RGB) or None')
    if self.fit not in ('crop', 'pad'):
      raise ValueError(f"fit={self.fit!r}: expected 'crop' or 'pad'")


def preprocess_image(image: np.ndarray, preprocess: Preprocess) -> np.ndarray:
  """One decoded image with the size and channels that are asked for.

  Alpha is dropped over black; then colour becomes grey by Pillow's `L` (ITU-R
  601-2 luma), or grey is repeated; then the image is resized with its aspect ratio
  kept, bicubic and antialiased (as Parmar et al. 2022 advise for Frechet
  distances), and cropped or padded around its centre. What needs no change keeps
  its bytes.

  Args:
    image: uint8 `[H, W]` or `[H, W, 1, 3 or 4]`.
    preprocess: what to turn it into.

  Returns:
    uint8 `[h, w, c]`; a view of `image` if nothing changes.

  Raises:
    ValueError: another dtype, rank or number of channels, or no pixels.

  >>> preprocess_image(np.zeros((40, 30), np.uint8), Preprocess((28, 28), 3)).shape
  (28, 28, 3)
  """
  if image.dtype != np.uint8:
    raise ValueError(f'an image of dtype {image.dtype}, expected uint8 in [0, 255]')
  x = image[..., None] if image.ndim == 2 else image
  if x.ndim != 3 or x.shape[2] not in (1, 3, 4) or not x.size:
    first = image.ndim == 3 and image.shape[0] in (1, 3, 4)
    raise ValueError(f'an image of shape {list(image.shape)}, expected [H, W] or '
                     '[H, W, 1, 3 or 4]' + ('; images.transpose(0, 2, 3, 1) has its channels last'
                                            if first else ''))
  if x.shape[2] == 4:
    x = over_black(x)
  if preprocess.channels == 1 and x.shape[2] == 3:
    x = np.asarray(_pillow(x).convert('L'))[..., None]
  elif preprocess.channels == 3 and x.shape[2] == 1:
    x = x.repeat(3, axis=2)
  size = preprocess.image_size
  if size is None or tuple(size) == x.shape[:2]:
    return x
  return (_crop if preprocess.fit == 'crop' else _pad)(x, *size)


def preprocessed(source: ArraySource, preprocess: Preprocess) -> ArraySource:
  """The same examples with every image preprocessed; `source` if nothing changes."""
  if preprocess_image(source.images[0], preprocess).shape == source.image_shape:
    return source
  return source._replace(images=np.stack(
      [preprocess_image(x, preprocess) for x in source.images]))


def decoded(encoded: bytes, mode: str | None = None) -> np.ndarray:
  """An image file's pixels as a viewer shows them: uint8 `[H, W, 1 or 3]`.

  Of an animation the first frame; alpha is dropped over black, a palette is looked
  up, and a photograph is turned upright (EXIF).

  Args:
    encoded: the file's bytes: png, jpeg or what else Pillow reads.
    mode: `'L'` or `'RGB'` to make it that; by default grey stays grey.

  Raises:
    ValueError: more than 8 bits a channel.
    OSError, SyntaxError: not a readable image.
  """
  from PIL import Image, ImageOps
  with Image.open(io.BytesIO(encoded)) as file:
    wide = file.mode.startswith(('I', 'F'))
    bits = bit_depth(encoded, file)
    if wide or bits > 8:
      raise ValueError((f'pixels of mode {file.mode!r}' if wide else f'{bits} bits a channel') +
                       ', expected 8 bits a channel; convert the images first, since what is '
                       'below the 8 high bits would be lost')
    image: Image.Image = ImageOps.exif_transpose(file)
  grey = image.mode in ('1', 'L', 'LA', 'La')
  if image.has_transparency_data:
    x = over_black(np.asarray(image.convert('LA' if grey else 'RGBA')))
    image = Image.fromarray(x[..., 0] if grey else x)
  return np.atleast_3d(np.asarray(image.convert(mode or ('L' if grey else 'RGB'))))


def bit_depth(encoded: bytes, file: Any) -> int:
  """Bits a channel that an image file stores, whatever Pillow makes of them.

  Args:
    encoded: the file's bytes.
    file: as Pillow has opened it.

  PNG specification, section 11.2.1; TIFF 6.0, tag 258; netpbm's ppm(5); AV1 in ISOBMFF, 2.3.3.
  """
  if file.format == 'PNG':
    return encoded[24]  # of the header, which comes first
  if file.format == 'TIFF':
    return max(file.tag_v2.get(258, (8,)))
  if file.format == 'PPM':
    largest = re.sub(rb'#[^\n]*', b'', encoded[:4096]).split()[3:4]
    return 16 if encoded[:2] in (b'P2', b'P3', b'P5', b'P6') and int(largest[0]) > 255 else 8
  at = encoded[:65536].find(b'av1C') if file.format == 'AVIF' else -1
  flags = encoded[at + 6] if at >= 0 else 0
  return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def over_black(image: np.ndarray) -> np.ndarray:
  """uint8 `[H, W, C + 1]`, alpha last, over black: `[H, W, C]`, `C * alpha / 255`.

  >>> over_black(np.array([[[255, 100, 0, 255], [255, 100, 0, 51]]], np.uint8))[0]
  array([[255, 100,   0],
         [ 51,  20,   0]], dtype=uint8)
  """
  alpha = image[..., -1:].astype(np.uint16)
  return ((image[..., :-1] * alpha + 127) // 255).astype(np.uint8)


def _crop(x: np.ndarray, h: int, w: int) -> np.ndarray:
  scale = max(h / x.shape[0], w / x.shape[1])
  x = _resized(x, max(h, round(x.shape[0] * scale)), max(w, round(x.shape[1] * scale)))
  top, left = (x.shape[0] - h) // 2, (x.shape[1] - w) // 2
  return x[top:top + h, left:left + w]


def _pad(x: np.ndarray, h: int, w: int) -> np.ndarray:
  scale = min(h / x.shape[0], w / x.shape[1])
  x = _resized(x, max(1, min(h, round(x.shape[0] * scale))),
               max(1, min(w, round(x.shape[1] * scale))))
  out = np.zeros((h, w, x.shape[2]), np.uint8)
  top, left = (h - x.shape[0]) // 2, (w - x.shape[1]) // 2
  out[top:top + x.shape[0], left:left + x.shape[1]] = x
  return out


def _resized(x: np.ndarray, h: int, w: int) -> np.ndarray:
  if (h, w) == x.shape[:2]:
    return x
  from PIL import Image
  small = np.asarray(_pillow(x).resize((w, h), Image.Resampling.BICUBIC))
  return small.reshape(h, w, x.shape[2])


def _pillow(x: np.ndarray) -> Any:
  from PIL import Image  # slow to load, and only changes need it
  return Image.fromarray(x[..., 0] if x.shape[2] == 1 else x)
