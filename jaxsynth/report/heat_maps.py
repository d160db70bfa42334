"""Matrices as maps of colour, side by side."""
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsynth.report import svg
from jaxsynth.report.page import number

MOST = 40  # names that can be read
ROW = '<div class="panels">'


def maps(panels: Mapping[str, np.ndarray], *, low: float | None = None,
         high: float | None = None, signed: bool = True, shared: bool = True,
         names: Sequence[str] = ()) -> str:
  """Matrices side by side, on one scale of colour; one under the other on a phone.

  Args:
    panels: name -> matrix `[R, C]`; what is not finite stays blank.
    low: value of the first colour; by default the least of all panels, or with
      `signed` minus `high`.
    high: value of the last colour; by default the greatest magnitude.
    signed: blue to red through white at 0, as for correlations, rather than light to
      dark.
    shared: whether they have one scale, or each its own.
    names: of the rows and columns of square matrices, if they have any.

  Returns:
    Inline SVGs in a row.

  Raises:
    ValueError: no panels, one that is not a matrix, or not as many rows as names.

  >>> maps({'real': np.eye(3), 'synthetic': np.eye(3)}, high=1).count('<svg')
  2
  """
  matrices = {name: np.asarray(m, np.float64) for name, m in panels.items()}
  for name, m in matrices.items():
    if m.ndim != 2 or not m.size:
      raise ValueError(f'maps: {name!r} of shape {list(m.shape)}, expected [R, C]')
    if names and m.shape != (len(names),) * 2:
      raise ValueError(f'maps: {name!r} of shape {list(m.shape)}, expected one row and column '
                       f'each of {len(names)} names')
  if not matrices:
    raise ValueError('maps: no panels')
  if not shared:
    alone = [maps({name: m}, low=low, high=high, signed=signed, names=names)
             for name, m in matrices.items()]
    return ROW + ''.join(x.removeprefix(ROW).removesuffix('</div>') for x in alone) + '</div>'
  finite = np.concatenate([m[np.isfinite(m)] for m in matrices.values()])
  finite = finite if finite.size else np.zeros(1)
  if high is None:
    high = float(np.abs(finite).max() if signed else finite.max()) or 1.
  low = (-high if signed else float(finite.min())) if low is None else low
  return ROW + ''.join(
      _panel(name, m, low, high, signed, names) for name, m in matrices.items()) + '</div>'


def _panel(name: str, m: np.ndarray, low: float, high: float, signed: bool,
           names: Sequence[str]) -> str:
  with svg.axes(*((4.7, 5.2) if names else (3.4, 3.9))) as (ax, out):
    shown = ax.imshow(m, 'RdBu_r' if signed else 'Blues', vmin=low, vmax=high,
                      interpolation='nearest')
    ax.set_title(str(name), loc='left')
    if names and len(names) <= MOST:
      places = range(len(names))
      ax.set_xticks(places, names, rotation=90, fontsize=8)
      ax.set_yticks(places, names, fontsize=8)
      ax.tick_params(length=0)
    else:
      ax.set_xticks([])
      ax.set_yticks([])
    ax.spines[:].set_visible(False)
    scale = ax.figure.colorbar(shown, ax=ax, location='bottom', aspect=36, pad=0.03,
                               ticks=np.linspace(low, high, 5))
    scale.ax.xaxis.set_major_formatter(lambda value, _: number(float(f'{value:.3g}')))
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0)
  return out[0]
