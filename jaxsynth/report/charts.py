"""Histograms, clouds and curves."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.report import svg

MANY = 1500  # points above which a cloud is a bitmap


def histograms(series: Mapping[str, np.ndarray], *, bins: int = 40, x: str = 'value',
               log: bool = False) -> str:
  """Overlaid histograms of samples, each of area one, over common bins.

  Args:
    series: name -> samples `[N]`, real first; values that are not finite are left out.
    bins: how many.
    x: what the values are.
    log: logarithmic density.

  Returns:
    Inline SVG.

  Raises:
    ValueError: a series without a finite value.
  """
  finite = {name: np.asarray(v, np.float64).ravel() for name, v in series.items()}
  finite = {name: v[np.isfinite(v)] for name, v in finite.items()}
  empty = [name for name, v in finite.items() if not v.size]
  if empty or not finite:
    raise ValueError(f'histograms: no finite values in {empty or "no series"}')
  low, high = min(v.min() for v in finite.values()), max(v.max() for v in finite.values())
  edges = np.linspace(low, high if high > low else low + 1, bins + 1)
  return binned({name: np.histogram(v, edges)[0] for name, v in finite.items()}, edges,
                x=x, log=log)


def binned(series: Mapping[str, np.ndarray], edges: np.ndarray, *, x: str = 'value',
           log: bool = False) -> str:
  """Overlaid histograms from counts: the first filled, the others lines.

  Args:
    series: name -> counts `[len(edges) - 1]`.
    edges: of the bins, rising.
    x: what the values are.
    log: logarithmic density.

  Returns:
    Inline SVG.

  >>> binned({'real': [1, 2], 'synthetic': [2, 1]}, np.arange(3))[:4]
  '<svg'
  """
  edges = np.asarray(edges, np.float64)
  with svg.axes() as (ax, out):
    for k, (name, counts) in enumerate(series.items()):
      counts = np.asarray(counts, np.float64)
      if counts.shape != (len(edges) - 1,):
        raise ValueError(f'histograms: {name!r} has {list(counts.shape)} counts, expected '
                         f'[{len(edges) - 1}]')
      density = counts / max(counts.sum(), 1) / np.diff(edges)
      color, line = svg.COLORS[k % 7], svg.LINES[k % 4]
      ax.stairs(density, edges, fill=k == 0, label=str(name), linestyle=line, linewidth=1.6,
                color=color, alpha=0.35 if k == 0 else 1)
    ax.set_xlabel(x)
    ax.set_ylabel('density')
    if not log and ax.get_ylim()[1] < 1e-3:
      svg.plain(ax.yaxis)  # else a power stands beside the axis
    if log:
      ax.set_yscale('log')
      svg.plain(ax.yaxis)
    _finish(ax)
  return out[0]


def scatter(clouds: Mapping[str, np.ndarray], *, x: str = 'first component',
            y: str = 'second component') -> str:
  """Clouds of points in the plane, each with its own shape.

  Args:
    clouds: name -> points `[N, 2]`, real first.
    x: what the first coordinate is.
    y: what the second coordinate is.

  Returns:
    Inline SVG.

  Raises:
    ValueError: points of another shape.
  """
  with svg.axes(height=3.6) as (ax, out):
    for k, (name, points) in enumerate(clouds.items()):
      points = np.asarray(points)
      if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f'scatter: {name!r} of shape {list(points.shape)}, expected [N, 2]')
      ax.scatter(*points.T, s=9, alpha=0.55, color=svg.COLORS[k % 7], label=str(name),
                 marker='o^sDv<>'[k % 7], linewidths=0, rasterized=len(points) > MANY)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    _finish(ax, 'both')
  return out[0]


class Band(NamedTuple):
  """A line with an interval around it, `[N]` each; no interval where there is none."""
  value: np.ndarray
  low: np.ndarray | None = None
  high: np.ndarray | None = None


def curve(positions: np.ndarray, series: Mapping[str, Any], *, x: str = 'step', y: str = 'value',
          log_x: bool = False, log_y: bool = False, marks: bool = False) -> str:
  """Lines with interval bands: training curves, scores against size.

  Args:
    positions: `[N]`, where on the x axis.
    series: name -> values `[N]`, or `(values, low, high)`.
    x: what the positions are.
    y: what the values are.
    log_x: logarithmic x axis.
    log_y: logarithmic y axis beyond -1 and 1, and linear between.
    marks: a dot at every point.

  Returns:
    Inline SVG.

  Raises:
    ValueError: values of another length than `positions`.

  >>> curve([1, 2], {'accuracy': ([.5, .7], [.4, .6], [.6, .8])})[:4]
  '<svg'
  """
  with svg.axes() as (ax, out):
    for k, (name, given) in enumerate(series.items()):
      band = Band(*given) if isinstance(given, tuple) else Band(given)
      if any(part is not None and np.shape(part) != np.shape(positions) for part in band):
        raise ValueError(f'curve: {name!r} of shapes '
                         f'{[list(np.shape(p)) for p in band if p is not None]}, expected '
                         f'{list(np.shape(positions))}, as x')
      color = svg.COLORS[k % 7]
      ax.plot(positions, band.value, svg.LINES[k % 4], color=color, label=str(name),
              linewidth=1.7, marker='os^D'[k % 4] if marks else None, markersize=3.5)
      if band.low is not None and band.high is not None:
        ax.fill_between(positions, band.low, band.high, color=color, alpha=0.16, linewidth=0)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if log_x:
      ax.set_xscale('log')
      svg.plain(ax.xaxis)
    if log_y:
      ax.set_yscale('symlog', linthresh=1)
      svg.plain(ax.yaxis)
    _finish(ax)
  return out[0]


def _finish(ax: Any, axis: str = 'y') -> None:
  svg.grid(ax, axis)
  ax.spines[['left']].set_visible(False)
  svg.legend(ax)
