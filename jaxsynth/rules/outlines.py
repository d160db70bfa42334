"""Outlines of the shapes by name, within the unit circle: corners, or an ellipse."""
import math
from typing import NamedTuple

import numpy as np

CORNERS = 12  # of the outline that has most


class Outline(NamedTuple):
  """A shape whose radius is 1.

  Attributes:
    corners: `(x, y)` in order around it; of an ellipse, the ends of its axes.
    curved: whether it is the ellipse through them.
    hole: the hole's size, as a share of the shape's; 0 for none.
  """
  corners: tuple[tuple[float, float], ...]
  curved: bool = False
  hole: float = 0.


def _regular(n: int, start: float = -90.) -> tuple[tuple[float, float], ...]:
  angles = [math.radians(start + 360 * k / n) for k in range(n)]
  return tuple((math.cos(a), math.sin(a)) for a in angles)


def _star(points: int, inner: float) -> tuple[tuple[float, float], ...]:
  radii = (1., inner) * points
  return tuple((r * x, r * y) for r, (x, y) in zip(radii, _regular(2 * points)))


def _cross(half: float) -> tuple[tuple[float, float], ...]:
  long = math.sqrt(1 - half ** 2)
  arm = ((-half, -long), (half, -long), (half, -half))
  turned = lambda x, y, k: ((x, y), (-y, x), (-x, -y), (y, -x))[k]
  return tuple(turned(x, y, k) for k in range(4) for x, y in arm)


def _bar(half: float) -> tuple[tuple[float, float], ...]:
  long = math.sqrt(1 - half ** 2)
  return ((-long, -half), (long, -half), (long, half), (-long, half))


OUTLINES = {
    'circle': Outline(_regular(4), curved=True),
    'triangle': Outline(_regular(3)),
    'square': Outline(_regular(4, 45)),
    'pentagon': Outline(_regular(5)),
    'star': Outline(_star(5, .4)),
    'cross': Outline(_cross(.3)),
    'ring': Outline(_regular(4), curved=True, hole=.6),
    'line': Outline(_bar(.12)),
}


def corner_table(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
  """Corners of each, `[K, V, 2]`, the last repeated, and how many they are, `[K]`.

  >>> corners, counts = corner_table(('triangle', 'square'))
  >>> corners.shape, counts.tolist()
  ((2, 4, 2), [3, 4])
  """
  counts = np.array([len(OUTLINES[name].corners) for name in names], np.int32)
  corners = np.stack([np.array([*o.corners, *[o.corners[-1]] * (counts.max() - len(o.corners))])
                      for o in (OUTLINES[name] for name in names)])
  return corners.astype(np.float32), counts
