"""matplotlib figures as inline SVG."""
from collections.abc import Iterator, Sequence
import contextlib
import hashlib
import io
import re
from typing import Any
import warnings

from jaxsynth.report.extra import load
from jaxsynth.report.page import number

# Okabe & Ito's colours: told apart by colour-blind readers too
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#51606e')
HATCHES = ('', '////', '....', 'xxxx', '\\\\\\\\', '++++', '----')
LINES = ('-', '--', '-.', ':')
INK, SOFT, LINE = '#1c2733', '#51606e', '#dde3e8'

STYLE = {
    'svg.fonttype': 'none',  # text stays text, in the page's own font
    'svg.hashsalt': 'jaxsynth',  # equal data, equal bytes
    'text.parse_math': False,  # a class may be called $1
    'axes.formatter.use_mathtext': False,
    'font.size': 9.5, 'axes.labelsize': 9.5, 'axes.titlesize': 10, 'legend.fontsize': 9,
    'text.color': INK, 'axes.labelcolor': SOFT, 'xtick.color': SOFT, 'ytick.color': SOFT,
    'axes.edgecolor': SOFT, 'axes.linewidth': 0.8, 'axes.axisbelow': True,
    'axes.spines.top': False, 'axes.spines.right': False, 'grid.color': LINE,
    'grid.linewidth': 0.8, 'legend.frameon': False, 'hatch.linewidth': 0.6,
    'axes.unicode_minus': True, 'savefig.facecolor': 'none', 'savefig.dpi': 200}


@contextlib.contextmanager
def axes(width: float = 4.9, height: float = 2.9, rows: int = 1
         ) -> Iterator[tuple[Any, list[str]]]:
  """`(axes, out)`: draw on the axes; on leaving, `out[0]` is the SVG.

  Args:
    width: in inches.
    height: in inches.
    rows: above 1, `axes` is a list of so many, one under the other, on common scales.
  """
  matplotlib, figure = load('matplotlib'), load('matplotlib.figure')
  out: list[str] = []
  # the page's fonts have the letters that matplotlib's own font lacks
  with matplotlib.rc_context(STYLE), warnings.catch_warnings():
    warnings.filterwarnings('ignore', 'Glyph .* missing from')
    sheet = figure.Figure((width, height), layout='constrained')
    yield sheet.subplots(rows, sharex=True, sharey=True), out
    file = io.BytesIO()
    sheet.savefig(file, format='svg', transparent=True, metadata={
        'Date': None, 'Creator': None, 'Format': None, 'Type': None})
  out.append(inline(file.getvalue().decode()))


def inline(svg: str) -> str:
  """An SVG file as an element of a page: no header, no name used twice.

  >>> inline('<?xml?><svg><g id="a"/><b id="c"/><use href="#c"/></svg>')
  '<svg><g/><b id="k2250e-c"/><use href="#k2250e-c"/></svg>'
  """
  svg = svg[svg.index('<svg'):].strip()
  svg = re.sub(r'\s*<metadata>.*?</metadata>', '', svg, flags=re.S)
  prefix = 'k' + hashlib.sha256(svg.encode()).hexdigest()[:5]
  used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
  svg = re.sub(r' id="([^"]*)"',
               lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else '', svg)
  return re.sub(r'(href="#|url\(#)', rf'\g<1>{prefix}-', svg)


def grid(ax: Any, axis: str = 'y') -> None:
  """Faint lines behind the data."""
  ax.grid(True, axis=axis)
  ax.tick_params(length=0)


def legend(ax: Any) -> None:
  """Above the plot, in as many columns as leave the plot its width."""
  names = ax.get_legend_handles_labels()[1]
  if len(names) > 1:
    ax.legend(loc='lower left', bbox_to_anchor=(0, 1), borderaxespad=0.1,
              ncols=columns(names, ax.figure.get_figwidth()))


def columns(names: Sequence[str], width: float) -> int:
  """Of a legend: at most 4, as wide together as the plot.

  Args:
    names: of its entries.
    width: of the figure, in inches.

  >>> columns(['real', 'synthetic'], 4.9), columns(['real, augmented'] * 6, 4.9)
  (2, 2)
  """
  entry = .6 + .07 * max(map(len, names))  # line and gaps, letters
  return max(1, min(4, len(names), int((width - .6) // entry)))


def plain(axis: Any) -> None:
  """A logarithmic axis labelled 100 and 0.1, with no formula."""
  axis.set_major_formatter(lambda value, _: number(float(f'{value:.3g}')))
  axis.set_minor_formatter(lambda value, _: '')
