"""Series under each other, on common scales."""
from collections.abc import Mapping

import numpy as np

from jaxsynth.report import svg


def strips(series: Mapping[str, np.ndarray], *, x: str = 'step', y: str = 'value') -> str:
  """A strip for each series, so that they can be compared and do not hide each other.

  Args:
    series: name -> values `[N]`, of any lengths, at least two series.
    x: what the positions are.
    y: what the values are.

  Returns:
    Inline SVG, as wide as a page.

  Raises:
    ValueError: fewer than two series, or one that is not `[N]`.

  >>> strips({'real': np.arange(3.), 'synthetic': np.ones(3)})[:4]
  '<svg'
  """
  for name, values in series.items():
    if np.ndim(values) != 1:
      raise ValueError(f'strips: {name!r} of shape {list(np.shape(values))}, expected [N]')
  if len(series) < 2:
    raise ValueError(f'strips: {len(series)} series, expected at least 2')
  with svg.axes(9.6, .5 + .95 * len(series), len(series)) as (axes, out):
    for k, (ax, (name, values)) in enumerate(zip(axes, series.items())):
      ax.plot(values, color=svg.COLORS[k % len(svg.COLORS)], linewidth=.6)
      ax.set_title(str(name), loc='left', pad=2)
      svg.grid(ax)
      ax.spines[['left', 'bottom']].set_visible(False)
      ax.margins(x=0)
    axes[-1].set_xlabel(x)
    axes[0].figure.supylabel(y, fontsize=9.5, color=svg.SOFT)
  return out[0]
