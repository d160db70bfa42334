"""Sections of an analysis that show images of the data."""
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsynth.data.analysis import Analysis, SetAnalysis
from jaxsynth.kinds.pooling import pooled_shape
from jaxsynth.data.analysis.scan import THUMB
from jaxsynth.data.batches import Source
from jaxsynth.data.kinded import kind_of
from jaxsynth.pages import sheets
from jaxsynth.report import Figure, Note, Section, Table
from jaxsynth.report.page import Cell

EXAMPLES, SHOWN, FARTHEST, MEANS = 60, 24, 12, 60
LOWEST = {'[-1, 1]': -1., '[0, 1]': 0., '[0, 255]': 0.}
SPAN = {'[-1, 1]': 2., '[0, 1]': 1., '[0, 255]': 255.}
Items = list[Table | Figure | Note]


def as_bytes(images: np.ndarray, of_set: SetAnalysis) -> np.ndarray:
  """Images as uint8 of the same shape, for the eye: black and white are the scale's ends.

  Args:
    images: `[N, H, W, C]`, as they are in the set; of another kind pictures of them are given.
    of_set: the set, which says their scale.
  """
  if images.ndim != 4 and of_set.scan.kind is not None:
    return of_set.scan.kind.shown({of_set.scan.kind.name: images})
  scale = of_set.ranges.scale
  if images.dtype == np.uint8 and scale != '[0, 1]':
    return images
  low = LOWEST.get(scale, float(of_set.scan.values.low.min()))
  span = SPAN.get(scale, float(of_set.scan.values.high.max()) - low) or 1.
  x = np.nan_to_num((images.astype(np.float64) - low) / span, nan=0, posinf=1, neginf=0)
  return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)


def take(source: Source, of_set: SetAnalysis, positions: np.ndarray) -> np.ndarray:
  """Images at these positions, as bytes."""
  batch = source.take(np.asarray(positions, np.int64))
  return as_bytes(np.asarray(batch[kind_of(source).name]), of_set)


def examples(of_set: SetAnalysis, source: Source) -> Figure:
  """Examples drawn at random, sorted by label."""
  chosen = sheets.random_by_class(source, EXAMPLES)
  chosen = chosen._replace(values=as_bytes(np.asarray(chosen.values), of_set), kind=None)
  return sheets.sheet(chosen, f'{len(chosen.values)} examples of {of_set.scan.name}', EXAMPLES,
                      columns=12, wide=True)


def class_means(of_set: SetAnalysis, names: Sequence[str]) -> Figure:
  """The mean image of each class."""
  scan = of_set.scan
  shape = pooled_shape(scan.image_shape, THUMB)
  present = [k for k, moments in enumerate(scan.classes) if moments.n.any()][:MEANS]
  means = np.stack([scan.classes[k].mean.reshape(shape) for k in present])
  pictures = as_bytes(means, of_set)
  return sheets.captioned(
      pictures, [names[k] for k in present],
      'The mean image of each class: sharp means are classes that vary little.',
      'Mean images by class.', scale=max(1, 96 // max(pictures.shape[1:3])), wide=False)


def copies(analysis: Analysis, sources: Mapping[str, Source]) -> Section:
  """Copies within sets and between them."""
  reference = analysis.sets[0]
  rows: list[list[Cell]] = [[
      x.scan.name, 'itself', x.numbers['copies']['exact'],
      x.numbers['copies'].get('near'), x.numbers['copies']['conflicting_labels']]
      for x in analysis.sets]
  rows += [[x.name, reference.scan.name, len(x.shared), len(x.near_copies), None]
           for x in analysis.against]
  items: Items = [Table(
      'Images with an exact copy, with a near copy, and groups of copies whose labels differ',
      ['set', 'compared with', 'exact', 'near', 'conflicting labels'], rows)]
  for x in analysis.against:
    here = next(s for s in analysis.sets if s.scan.name == x.name)
    nearest = np.stack([x.near.queries, x.near.neighbours[:, 0]], 1)
    items += _pairs(np.concatenate([x.shared, nearest[x.near_copies]]), here, reference, sources,
                    f'Leaked: an image of {x.name} and its copy in {reference.scan.name}.')
  for of_set in analysis.sets:
    if of_set.near is not None:
      items += _pairs(_copies_within(of_set), of_set, of_set, sources,
                      f'Copies within {of_set.scan.name}: an image and its nearest neighbour.')
  return Section('Copies and leakage', 'A near copy is an image closer to its nearest neighbour '
                 'than the next nine allow, at a chance of 1 % of one false alarm in a set: the '
                 'same image noised, re-encoded, brighter or darker. A shifted or turned copy is '
                 'not found.', items)


def _copies_within(of_set: SetAnalysis) -> np.ndarray:
  """Positions `[P, 2]` of copies, near ones first, each pair once."""
  assert of_set.near is not None
  nearest = np.stack([of_set.near.queries, of_set.near.neighbours[:, 0]], 1)
  exact = of_set.scan.digests[nearest[:, 0]] == of_set.scan.digests[nearest[:, 1]]
  pairs = np.concatenate([nearest[of_set.near_copies], nearest[exact]])
  return pairs[np.sort(np.unique(np.sort(pairs, 1), axis=0, return_index=True)[1])]


def _pairs(positions: np.ndarray, left: SetAnalysis, right: SetAnalysis,
           sources: Mapping[str, Source], meaning: str) -> Sequence[Figure | Note]:
  if not len(positions):
    return []
  positions = positions[:SHOWN]
  if left.scan.kind is not None and not left.scan.kind.shows_real:
    pairs = '; '.join(f'{i}, {j}' for i, j in positions)
    return [Note(f'{meaning} They are not shown, as they may be of persons; their positions: '
                 f'{pairs}.')]
  a = take(sources[left.scan.name], left, positions[:, 0])
  b = take(sources[right.scan.name], right, positions[:, 1])
  return [sheets.paired(a, b, [f'{i}, {j}' for i, j in positions], meaning)]


def labels(analysis: Analysis, sources: Mapping[str, Source], names: Sequence[str]) -> Section:
  """Suspicious labels of each set."""
  items: Items = []
  rows: list[list[Cell]] = [[
      x.scan.name, x.suspects.looked, len(x.suspects.positions),
      f"{x.numbers['labels']['share']:.2%}", f'{x.suspects.accuracy:.2%}']
      for x in analysis.sets if x.suspects is not None]
  if rows:
    items.append(Table('Labels held against those of the nearest neighbours', [
        'set', 'looked at', 'contradicted', 'share', "agree with the neighbours' likeliest"], rows))
  for of_set in analysis.sets:
    name, suspects = of_set.scan.name, of_set.suspects
    if suspects is None:
      why = of_set.skipped.get('labels', of_set.skipped.get('neighbours', ''))
      items.append(Note(f'{name}: not applicable, {why}.'))
    elif len(suspects.positions):
      positions = suspects.positions[:SHOWN]
      items.append(sheets.captioned(
          take(sources[name], of_set, positions),
          [f'{position}: {_class(names, given)} → {_class(names, likely)}'
           for position, given, likely in zip(positions, suspects.given, suspects.likely)],
          f'The surest of {len(suspects.positions):,} in {name}: position, label given → '
          'label of its neighbours. To be looked at, not to be deleted unseen.',
          'Images whose label is in doubt.'))
  return Section('Suspicious labels', 'Confident learning with the votes of ten nearest '
                 'neighbours. Rare or ambiguous examples are contradicted too.', items)


def _class(names: Sequence[str], k: int) -> str:
  return names[k] if k < len(names) else str(k)


def outliers(analysis: Analysis, sources: Mapping[str, Source]) -> Section:
  """The examples farthest from all others."""
  items: Items = []
  for of_set in analysis.sets:
    name, near = of_set.scan.name, of_set.near
    if near is None:
      items.append(Note(f'{name}: not applicable, {of_set.skipped["neighbours"]}.'))
      continue
    rows = np.argsort(-near.distances[:, -1], kind='stable')[:FARTHEST]
    positions = near.queries[rows]
    items.append(sheets.captioned(
        take(sources[name], of_set, positions), [str(i) for i in positions],
        f'The twelve of {name} farthest from their tenth neighbour; {len(of_set.outliers):,} of '
        f'{len(near.queries):,} are beyond the threshold.', 'The least typical images.'))
  return Section('Outliers', '', items)
