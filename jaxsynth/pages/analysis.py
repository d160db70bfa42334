"""An analysis as a page: what was found, then its evidence."""
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsynth import data
from jaxsynth.data.analysis import Analysis, SetAnalysis
from jaxsynth.data.analysis.findings import plural
from jaxsynth.data.analysis.scan import Scan
from jaxsynth.data.classes import places
from jaxsynth.pages import analysis_pictures as pictures
from jaxsynth.pages.words import worded
from jaxsynth.report import (Figure, Note, Page, Section, Table, bars, binned, curve,
                             histograms, maps, scatter)
from jaxsynth.report.page import Cell

ITEMS = list[Table | Figure | Note]


def page(analysis: Analysis, sources: Mapping[str, data.Source], title: str,
         names: Sequence[str]) -> Page:
  """The page of an analysis.

  Args:
    analysis: what is known.
    sources: the sets, for pictures.
    title: of the data set.
    names: of the classes.
  """
  first = analysis.sets[0]
  sizes = ', '.join(f'{x.scan.name} {x.scan.size:,}' for x in analysis.sets)
  shape = ' x '.join(map(str, first.scan.image_shape))
  bad, warn = (sum(f.level == level for f in analysis.findings) for level in ('bad', 'warning'))
  verdict = ('No fault was found.' if not bad + warn else
             f'{plural(bad, "fault")} of the kind that spoils training or its evaluation, '
             f'{plural(warn, "warning")}.')
  lead = f'{verdict}\n\nImages of {shape} ({sizes}), analysed before training.'
  sections = [_findings(analysis), _overview(analysis), _pixels(analysis, sources)]
  sections += [_classes(analysis, names)] if first.scan.labels is not None else []
  sections += [_structure(analysis), pictures.copies(analysis, sources)]
  sections += [pictures.labels(analysis, sources, names), pictures.outliers(analysis, sources)]
  sections += [_drift(analysis)] if analysis.against else []
  whole = Page(f'{title}: distribution analysis', lead, sections, _method(analysis))
  return worded(whole, {} if first.scan.kind is None else first.scan.kind.words)


def _findings(analysis: Analysis) -> Section:
  notes: ITEMS = [Note(f'{f.where}: {f.text}.', f.level) for f in analysis.findings]
  if not notes:
    notes = [Note('Nothing was found in any set.', 'good')]
  table = Table('Recommended before training', ['what', 'why', 'how'], analysis.advice)
  return Section('Findings', '', [*notes, table])


def _overview(analysis: Analysis) -> Section:
  rows: list[list[Cell]] = []
  for x in analysis.sets:
    v = x.scan.values
    rows.append([
        x.scan.name, x.scan.size, x.scan.dtype, x.ranges.scale.replace(' ', '\xa0'),
        float(v.low.min()), float(v.high.max()),
        *(float(f.mean()) for f in (v.mean, v.std, v.skewness, v.kurtosis)),
        len(x.ranges.bad), len(x.ranges.strange), len(x.ranges.constant)])
  columns = ['set', 'examples', 'type', 'scale', 'least', 'greatest', 'mean', 'deviation',
             'skewness', 'kurtosis', 'not finite', 'wrong range', 'constant']
  return Section('Sets', '', [Table(
      'Pixel values by set (moments averaged over channels, kurtosis 0 for a normal '
      'distribution), and images with faults', columns, rows)])


def _pixels(analysis: Analysis, sources: Mapping[str, data.Source]) -> Section:
  first = analysis.sets[0].scan
  items: ITEMS = [pictures.examples(analysis.sets[0], sources[first.name])]
  same = {x.scan.name: x.scan.histogram for x in analysis.sets
          if np.array_equal(x.scan.histogram.edges, first.histogram.edges)}
  items.append(Figure(
      binned({name: h.counts for name, h in same.items()}, first.histogram.edges,
             x='pixel value', log=True),
      'How often each pixel value occurs (logarithmic). Lone spikes are saturation or '
      'background; sets that differ here were prepared differently.',
      f'Histogram of pixel values of {", ".join(same)}.'))
  finite = {x.scan.name: x.scan.facts.mean for x in analysis.sets
            if np.isfinite(x.scan.facts.mean).any()}
  items.append(Figure(
      histograms(finite, x='mean of an image'), 'Brightness of images: each set is of area one, '
      'so shapes compare whatever the sizes.',
      f'Histograms of the images\' means of {", ".join(finite)}.'))
  long = first.pixels.mean.ndim > 1  # of rows there is nothing to average over
  mean, std = (x.mean(-1) if long else x for x in (first.pixels.mean, first.pixels.std))
  of = 'step' if long else 'number'
  items.append(Figure(
      curve(np.arange(len(mean)), {'mean': mean, 'deviation': std}, x=of, y='pixel value'),
      f'Mean and standard deviation of each {of} of {first.name}.', f'Two curves over each {of}.')
      if mean.ndim == 1 else Figure(
      maps({'mean': mean, 'deviation': std}, signed=False, shared=False),
      f'Mean and standard deviation of each pixel of {first.name}: where images are bright, '
      'and where they differ. The palest pixels of the second change least.',
      'Two maps over the image: the mean pixel and its deviation.', True))
  return Section('Pixels', '', items)


def _classes(analysis: Analysis, names: Sequence[str]) -> Section:
  scan, numbers = analysis.sets[0].scan, analysis.sets[0].numbers['classes']
  shares = {x.scan.name: _counts(x.scan, names) / x.scan.size
            for x in analysis.sets[:7] if x.scan.labels is not None}
  items: ITEMS = [Figure(
      bars(names, shares, unit='share of the set'), f'Share of each class. In {scan.name} the '
      f'largest class is {numbers["imbalance"]:.2f} times the smallest; entropy is '
      f'{numbers["entropy"]:.3f} of its greatest.', 'Bars: share of each class in each set.')]
  if len(scan.image_shape) > 1:  # the mean of classes is none
    items.append(pictures.class_means(analysis.sets[0], names))
  rows = [[names[k], int(numbers['counts'][k]), numbers['mean'][k], numbers['std'][k]]
          for k in range(len(names))]
  items.append(Table(f'{scan.name} by class: examples, mean pixel, deviation within the class',
                     ['class', 'examples', 'mean', 'deviation'], rows[:200]))
  return Section('Classes', f'Class means explain {numbers["separation"]:.0%} of the variance of '
                 f'{scan.name} (contrast-normalised, pooled).', items)


def _counts(scan: Scan, names: Sequence[str]) -> np.ndarray:
  """How many examples each class of a list has in a set."""
  counts = np.zeros(len(names))
  assert scan.labels is not None
  by_label = np.bincount(scan.labels, minlength=len(scan.class_names))
  for place, n in zip(places(scan.class_names, names), by_label):
    if place is not None:
      counts[place] = n
  return counts


def _structure(analysis: Analysis) -> Section:
  first = analysis.sets[0]
  held = np.cumsum(first.structure.spectrum)[:200]
  items: ITEMS = [
      Figure(maps({x.scan.name: x.structure.correlation for x in analysis.sets[:2]}, high=1),
             'Correlation of each pooled pixel with each other, row by row of the image: bands '
             'are neighbours, blank lines pixels that never change.',
             'Maps of the correlations between pooled pixels.', True),
      Figure(curve(np.arange(1, len(held) + 1), {'variance held': held}, x='components',
                   y='share'), f'Principal components: {first.structure.needed["90%"]} hold 90 % '
             f'of the variance, {first.structure.needed["99%"]} hold 99 %.',
             'Curve of the variance held by the first components.')]
  if analysis.against:
    ours, theirs = analysis.against[0].components
    if ours.shape[1] == 2:
      items.append(Figure(
          scatter({first.scan.name: theirs[:700], analysis.against[0].name: ours[:700]}),
          'The first two principal components; clouds that do not overlap are another '
          'distribution.', 'Two clouds of points.'))
  rows = [[x.scan.name, *(x.numbers.get('dimension', {}).get(k) for k in (
      'two_nn', 'levina_bickel')), *x.structure.needed.values()] for x in analysis.sets]
  items.append(Table(
      'Intrinsic dimension (TwoNN; Levina-Bickel, 10 neighbours) of contrast-normalised, '
      'pooled images, and components that hold a share of the variance',
      ['set', 'TwoNN', 'Levina-Bickel', '50 %', '90 %', '95 %', '99 %'], rows))
  return Section('Structure', '', items)


def _drift(analysis: Analysis) -> Section:
  items: ITEMS = []
  for x in analysis.against:
    t = x.marginals
    order = np.argsort(-t.statistic, kind='stable')[:8]
    energy = x.numbers['energy']
    items.append(Table(
        f'{x.name} against {x.numbers["reference"]}: the marginals that differ most. In all, '
        f'energy distance {energy["distance"]:.4g}, permutation p = {energy["p"]:.3f}',
        ['marginal', 'KS statistic', 'p', 'p (Holm)', 'p (Benjamini-Hochberg)'],
        [[x.columns[i], *(float(f[i]) for f in t)] for i in order]))
    by = x.numbers.get('classes')
    if by is not None:
      items.append(Table(
          f'{x.name} by class: energy distance in units of the class\'s spread (about 0 if '
          f'equal). Shares of classes: chi-squared p = {by["shares_p"]:.3g}',
          ['class', 'energy distance', 'p', 'p (Holm)'],
          [[name, *(_known(by[c][k]) for c in ('energy', 'p', 'p_holm'))]
           for k, name in enumerate(by['names'])][:200]))
  return Section('Drift', 'Small p-values say that a difference is real, the statistic how '
                 'large it is; with many examples a real difference may be too small to matter.',
                 items)


def _known(x: float) -> float | None:
  return float(x) if np.isfinite(x) else None


def _method(analysis: Analysis) -> str:
  def looked(x: SetAnalysis) -> str:
    near = x.numbers.get('neighbours')
    return f'{x.scan.name} {near["queries"]:,} among {near["points"]:,}' if near else (
        f'{x.scan.name} none')
  skipped = [f'{name}: {what} ({why})' for name, part in (
      *((x.scan.name, x.skipped) for x in analysis.sets),
      *((x.name, x.skipped) for x in analysis.against)) for what, why in part.items()]
  return ('Counts, ranges, moments and exact copies are of every example. Neighbours were looked '
          f'for by a seeded sample: {"; ".join(map(looked, analysis.sets))}. Drift is tested on at '
          'most 5,000 examples a set (marginals) and 1,000 (energy distance).'
          + (f'\n\nNot applicable: {"; ".join(skipped)}.' if skipped else '')
          + '\n\nAll numbers are in analysis.json.')
