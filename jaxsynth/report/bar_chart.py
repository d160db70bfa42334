"""Bars: how many of each."""
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsynth.report import svg

UPRIGHT = 14  # categories that fit side by side
LONGEST = 28  # letters of a name


def bars(names: Sequence[str], series: Mapping[str, np.ndarray], *, unit: str = 'examples'
         ) -> str:
  """Grouped bars, upright where the names fit, lying where they do not.

  Args:
    names: of the categories.
    series: name -> `[len(names)]`, at most seven; hatched so that they differ without
      colour.
    unit: what is counted.

  Returns:
    Inline SVG.

  Raises:
    ValueError: no categories, no or too many series, or one of another length.

  >>> bars(['cat', 'dog'], {'train': [5, 7]})[:4]
  '<svg'
  """
  if not names or not 0 < len(series) <= len(svg.COLORS):
    raise ValueError(f'bars: {len(names)} categories, {len(series)} series; expected at least '
                     f'1, and 1 to {len(svg.COLORS)}')
  for name, values in series.items():
    if np.shape(values) != (len(names),):
      raise ValueError(f'bars: series {name!r} of shape {list(np.shape(values))}, expected '
                       f'[{len(names)}], one a category')
  short = [n if len(n) <= LONGEST else n[:LONGEST - 1] + '…' for n in map(str, names)]
  upright = len(names) <= UPRIGHT and max(map(len, short)) * len(names) <= 42
  centres, size = np.arange(len(names)), 0.78 / len(series)
  height = 2.9 if upright else min(0.9 + 0.17 * len(names) * max(1, 0.7 * len(series)), 40)
  with svg.axes(height=height) as (ax, out):
    for k, (name, values) in enumerate(series.items()):
      place = centres + (k - (len(series) - 1) / 2) * size
      style = dict(color=svg.COLORS[k], label=str(name), hatch=svg.HATCHES[k],
                   edgecolor='white', linewidth=0)
      if upright:
        ax.bar(place, values, size * 0.94, **style)
      else:
        ax.barh(place, values, size * 0.94, **style)
    if upright:
      ax.set_xticks(centres, short)
      ax.set_ylabel(unit)
    else:
      ax.set_yticks(centres, short)
      ax.invert_yaxis()
      ax.set_xlabel(unit)
    svg.grid(ax, 'y' if upright else 'x')
    ax.spines[['left', 'bottom'] if not upright else ['left']].set_visible(False)
    svg.legend(ax)
  return out[0]
