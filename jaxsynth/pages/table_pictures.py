"""Figures of a synthetic table: its columns, pairs of them, and distances to train rows."""
import numpy as np

from jaxsynth.downstream.table_study import Study
from jaxsynth.downstream.whole_tables import Tables
from jaxsynth.kinds.columns import Column
from jaxsynth.report import bars, binned, Figure, Item, maps, Note

MOST = 40  # columns that are drawn
FEW = 12  # classes of a chart; the others are put together
BINS = 30


def columns(tables: Tables, study: Study) -> list[Item]:
  """A chart a column; of many the ones that are least alike."""
  order = np.argsort(np.where(np.isnan(study.shape), 2, study.shape), kind='stable')[:MOST]
  shown = sorted(order.tolist()) if len(study.shape) > MOST else range(len(study.shape))
  items: list[Item] = [_column(tables.schema[j], tables.train[:, j], tables.synthetic[:, j],
                               float(study.shape[j])) for j in shown]
  if len(study.shape) > MOST:
    items.append(Note(f'Drawn are the {MOST} columns of {len(study.shape)} that are least alike.'))
  return items


def pairs(study: Study, names: list[str]) -> list[Item]:
  """Maps of how columns are tied, and of how well that is kept."""
  drawn = maps({'real': study.ties['real'], 'synthetic': study.ties['synthetic']}, low=0, high=1,
               signed=False, names=names)
  loss = 1 - study.pairs
  top = .04 * np.ceil(np.nanmax(loss, initial=.01) / .04)  # a scale of round numbers
  drawn_loss = maps({'difference': loss}, low=0, high=float(top), signed=False, names=names)
  return [
      Figure(drawn, 'How strongly each pair of columns is tied: Cramer\'s V, or the absolute '
             'correlation of two numbers. The two maps should look the same.',
             'Maps: ties between columns, of real and synthetic rows.', wide=True),
      Figure(drawn_loss, 'What is lost of each pair: one minus its trend score. Dark fields are '
             'where the generator is worst.',
             'Map: how much pairs of columns differ.', wide=True)]


def distances(study: Study) -> Figure:
  """Distances to the closest train row, of synthetic and of fresh real rows."""
  near = {'fresh real': study.closest.holdout.distances,
          'synthetic': study.closest.synthetic.distances}
  top = float(np.quantile(np.concatenate(list(near.values())), .99)) or 1.
  edges = np.linspace(0, top, BINS + 1)
  return Figure(
      binned({name: np.histogram(x, edges)[0] for name, x in near.items()}, edges,
             x='distance to the closest train row'),
      'Rows that were learned by heart make the synthetic line higher at the left than the real '
      'one. A line further right is of rows that are odder than real ones. The farthest 1 % are '
      'left out.', 'Histograms: distance to the closest train row.')


def _column(column: Column, real: np.ndarray, made: np.ndarray, score: float) -> Figure:
  lacks = [float(np.isnan(x).mean()) for x in (real, made)]
  text = f'{column.name}: ' + ('no values.' if np.isnan(score) else f'alike to {score:.3f}.')
  if any(lacks):
    text += f' Missing: {lacks[0]:.1%} of real rows, {lacks[1]:.1%} of synthetic ones.'
  real, made = (x[~np.isnan(x)] for x in (real, made))
  if not (len(real) and len(made)):
    drawn = bars(['there', 'missing'], {
        name: np.array([1 - share, share]) for name, share in zip(('real', 'synthetic'), lacks)},
        unit='share')
  elif column.discrete:
    drawn = _classes(column, real, made)
  else:
    drawn, more = _numbers(column, real, made)
    text += more
  return Figure(drawn, text, f'Chart: {column.name} of real and synthetic rows.')


def _classes(column: Column, real: np.ndarray, made: np.ndarray) -> str:
  share = lambda x: np.bincount(x.astype(int), minlength=len(column.categories)) / len(x)
  shares, names = {'real': share(real), 'synthetic': share(made)}, list(column.categories)
  if len(names) > FEW:
    order = np.argsort(-shares['real'], kind='stable')
    first, rest = order[:FEW - 1], order[FEW - 1:]
    names = [names[k] for k in first] + [f'{len(rest)} others']
    shares = {name: np.append(x[first], x[rest].sum()) for name, x in shares.items()}
  return bars(names, shares, unit='share')


def _numbers(column: Column, real: np.ndarray, made: np.ndarray) -> tuple[str, str]:
  """A histogram, and what is to be said of it."""
  low, high = np.quantile(real, (.005, .995))
  low, high = (low, high) if high > low else (real.min(), real.max())
  high = high if high > low else low + 1
  if column.type != 'number' and high - low < 2 * BINS:  # a bin a whole number, or two, or three
    step = max(1, round((high - low) / BINS))
    edges = np.arange(np.floor(low), high + step, step) - .5
    edges = np.append(edges, edges[-1] + step) if len(edges) < 2 else edges
  else:
    edges = np.linspace(low, high, BINS + 1)
  counts = {'real': np.histogram(real, edges)[0], 'synthetic': np.histogram(made, edges)[0]}
  log = bool(counts['real'].max() > .7 * max(counts['real'].sum(), 1))
  out = [float(((x < edges[0]) | (x > edges[-1])).mean()) for x in (real, made)]
  more = ' The density is logarithmic, since most values are in one bin.' if log else ''
  more += (f' Beyond the chart: {out[0]:.1%} of real values, {out[1]:.1%} of synthetic ones.'
           if max(out) > .001 else '')
  x = f'{column.name}, days since 1970' if column.type == 'date' else column.name
  return binned(counts, edges, x=x, log=log), more
