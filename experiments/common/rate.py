"""How fast images are written, and for how long yet."""
import sys
import time
from typing import Any

import tqdm


class Rate:
  """A bar on a terminal, plain lines in a log: images/s, bytes, time left.

  Args:
    total: images to come.
    every: seconds between plain lines.
    stream: standard error by default.
  """

  def __init__(self, total: int, every: float = 10., stream: Any = None):
    self._stream = sys.stderr if stream is None else stream
    self._bar = tqdm.tqdm(total=total, unit='images', unit_scale=True, file=self._stream,
                          dynamic_ncols=True, disable=not self._stream.isatty())
    self._total, self._every = total, every
    self.images = self.bytes = 0
    self._begun = self._line = time.perf_counter()
    self._first = 0.  # when the first piece came: compiling is before it
    self._first_images = 0

  def __call__(self, images: int, size: int) -> None:
    now = time.perf_counter()
    self.images += images
    self.bytes += size
    if not self._first:
      self._first, self._first_images = now, images
    self._bar.set_postfix_str(f'{self.bytes / 1e6:.1f} MB', refresh=False)
    self._bar.update(images)
    if self._bar.disable and (now - self._line >= self._every or self.images == self._total):
      self._line = now
      left = (self._total - self.images) / self.rate if self.rate else 0
      print(f'{self.images:,}/{self._total:,} images  {self.rate:,.0f} images/s  '
            f'{self.bytes / 1e6:.1f} MB  {int(left) // 60}:{int(left) % 60:02d} left',
            file=self._stream, flush=True)

  @property
  def rate(self) -> float:
    """Images a second since the first piece came, 0 before the second."""
    seconds = time.perf_counter() - self._first
    return (self.images - self._first_images) / seconds if self._first and seconds else 0.

  def close(self) -> None:
    """Ends the bar."""
    self._bar.close()
