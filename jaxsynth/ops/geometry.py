"""The static shape of a strided correlation, and of everything adjoint to it."""
from collections.abc import Sequence
from typing import NamedTuple

Padding = str | int | Sequence[tuple[int, int]]


class Geometry(NamedTuple):
  """How a `big` image and a `small` one meet under a kernel, per spatial axis.

  Small position `i` and kernel tap `t` meet big position `stride*i + t - low`.

  Attributes:
    strides: steps on the big image for one step on the small one, `(sh, sw)`.
    low: padding before the big image, may be negative.
    big: spatial size of the big image, `(H, W)`.
    small: spatial size of the small image, `(h, w)`.
    kernel: spatial size of the kernel, `(kh, kw)`.
  """
  strides: tuple[int, ...]
  low: tuple[int, ...]
  big: tuple[int, ...]
  small: tuple[int, ...]
  kernel: tuple[int, ...]

  @property
  def padding(self) -> list[tuple[int, int]]:
    """`(low, high)` of the big image such that exactly `small` windows fit."""
    return [(low, (small - 1) * s + k - low - big) for s, low, big, small, k
            in zip(self.strides, self.low, self.big, self.small, self.kernel)]


def pair(strides: int | Sequence[int]) -> tuple[int, int]:
  """`2` or `(2, 2)` as a pair of positive integers."""
  steps = (strides, strides) if isinstance(strides, int) else tuple(strides)
  if len(steps) != 2 or any(int(s) != s or s < 1 for s in steps):
    raise ValueError(f'strides: expected a positive integer or two, got {strides!r}')
  return int(steps[0]), int(steps[1])


def explicit(padding: Padding) -> list[tuple[int, int]] | None:
  """Pairs from an explicit padding, `None` from the name of a rule."""
  if isinstance(padding, str):
    if padding not in ('SAME', 'VALID'):
      raise ValueError(f"padding: expected 'SAME', 'VALID', an integer or two "
                       f'(low, high) pairs, got {padding!r}')
    return None
  pairs = [(padding, padding)] * 2 if isinstance(padding, int) else list(padding)
  if len(pairs) != 2 or any(len(p) != 2 for p in pairs):
    raise ValueError(f'padding: expected two (low, high) pairs, got {padding!r}')
  return [(int(a), int(b)) for a, b in pairs]


def of_conv(image: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, ...],
            padding: Padding) -> Geometry:
  """Geometry of a convolution: `image` is the big side."""
  pads = explicit(padding)
  if pads is None:
    outs = [-(-n // s) if padding == 'SAME' else -(-(n - k + 1) // s)
            for n, k, s in zip(image, kernel, strides)]
    total = [max((o - 1) * s + k - n, 0) if padding == 'SAME' else 0
             for o, s, k, n in zip(outs, strides, kernel, image)]
    low = [t // 2 for t in total]
  else:
    outs = [(n + a + b - k) // s + 1 for n, k, s, (a, b)
            in zip(image, kernel, strides, pads)]
    low = [a for a, _ in pads]
  if min(outs) < 1:
    raise ValueError(f'a {kernel} kernel does not fit an image of {image} '
                     f'with padding {padding!r}')
  return Geometry(strides, tuple(low), image, tuple(outs), kernel)


def of_conv_transpose(image: tuple[int, ...], kernel: tuple[int, ...],
                      strides: tuple[int, ...], padding: Padding) -> Geometry:
  """Geometry of `lax.conv_transpose`: `image` is the small side.

  `lax` pads the image, dilated by its stride, with `(a, b)` and correlates, so
  tap `t` of the unflipped kernel meets `o = s*i - t + a`; flipped, `low` is
  `k - 1 - a`.
  """
  pads = explicit(padding)
  if pads is None:
    pads = []
    for k, s in zip(kernel, strides):
      if padding == 'SAME':
        total = k + s - 2
        a = k - 1 if s > k - 1 else -(-total // 2)
      else:
        total = k + s - 2 + max(k - s, 0)
        a = k - 1
      pads.append((a, total - a))
  big = [(n - 1) * s + 1 + a + b - k + 1
         for n, s, k, (a, b) in zip(image, strides, kernel, pads)]
  if min(big) < 1:
    raise ValueError(f'a {kernel} kernel does not fit an image of {image} '
                     f'with strides {strides} and padding {padding!r}')
  low = [k - 1 - a for k, (a, _) in zip(kernel, pads)]
  return Geometry(strides, tuple(low), tuple(big), image, kernel)
