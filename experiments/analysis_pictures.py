"""Sections of an analysis that show images of the data."""
from collections.abc import Mapping, Sequence

import numpy as np

from jaxsynth import data
from jaxsynth.data.analysis import Analysis
from jaxsynth.data.analysis.one import One
from jaxsynth.data.analysis.pooling import pooled_shape
from jaxsynth.data.analysis.scan import THUMB, sample
from jaxsynth.report import Figure, Note, Section, Table, image_grid, pairs
from jaxsynth.report.page import Cell

SHOWN = 24
LOWEST = {'[-1, 1]': -1., '[0, 1]': 0., '[0, 255]': 0.}
SPAN = {'[-1, 1]': 2., '[0, 1]': 1., '[0, 255]': 255.}


def visible(images: np.ndarray, found: One) -> np.ndarray:
  """Images of the set's scale as bytes `[N, H, W, 1 or 3]`, for the eye."""
  if images.dtype != np.uint8 or found.ranges.scale == '[0, 1]':
    low = LOWEST.get(found.ranges.scale, float(found.scan.values.low.min()))
    span = SPAN.get(found.ranges.scale, float(found.scan.values.high.max()) - low) or 1.
    x = np.nan_to_num((images.astype(np.float64) - low) / span, nan=0, posinf=1, neginf=0)
    images = np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)
  return images if images.shape[-1] in (1, 3) else images[..., :1]


def take(source: data.Source, found: One, positions: np.ndarray) -> np.ndarray:
  """Examples at these positions, for the eye."""
  return visible(np.asarray(source.take(np.asarray(positions, np.int64))['image']), found)


def examples(found: One, source: data.Source) -> Figure:
  """Examples drawn at random, sorted by label."""
  at = sample(found.scan.size, 60, 0)
  if found.scan.labels is not None:
    at = at[np.argsort(found.scan.labels[at], kind='stable')]
  return Figure(image_grid(take(source, found, at), columns=12),
                f'{len(at)} examples of {found.scan.name}, drawn at random' +
                (', sorted by class.' if found.scan.labels is not None else '.'),
                'A sheet of images.', True)


def class_means(found: One, names: Sequence[str]) -> Figure:
  """The mean image of each class."""
  shape = pooled_shape(found.scan.image_shape, THUMB)
  there = [k for k, m in enumerate(found.scan.classes) if m.n.any()][:60]
  means = np.stack([found.scan.classes[k].mean.reshape(shape) for k in there])
  return Figure(image_grid(visible(means, found), [names[k] for k in there],
                           scale=max(1, 96 // max(shape[:2]))),
                'The mean image of each class: sharp means are classes that vary little.',
                'Mean images by class.')


def copies(found: Analysis, sources: Mapping[str, data.Source]) -> Section:
  """Copies within sets and between them."""
  first = found.sets[0]
  rows: list[list[Cell]] = [[
      x.scan.name, 'itself', x.numbers['copies']['exact'],
      x.numbers['copies'].get('near'), x.numbers['copies']['conflicting_labels']]
      for x in found.sets]
  rows += [[x.name, first.scan.name, len(x.shared), len(x.copies), None] for x in found.against]
  items: list[Table | Figure | Note] = [Table(
      'Images with an exact copy, with a near copy, and groups of copies whose labels differ',
      ['set', 'compared with', 'exact', 'near', 'conflicting labels'], rows)]
  for x in found.against:
    here = next(s for s in found.sets if s.scan.name == x.name)
    nearest = np.stack([x.near.queries, x.near.neighbours[:, 0]], 1)
    at = np.concatenate([x.shared, nearest[x.copies]])
    items += _pairs(at[:SHOWN], here, first, sources,
                    f'Leaked: an image of {x.name} and its copy in {first.scan.name}.')
  for one in found.sets:
    if one.near is not None:
      at = np.stack([one.near.queries, one.near.neighbours[:, 0]], 1)
      same = one.scan.digests[at[:, 0]] == one.scan.digests[at[:, 1]]
      at = np.concatenate([at[one.copies], at[same]])
      at = at[np.sort(np.unique(np.sort(at, 1), axis=0, return_index=True)[1])]
      items += _pairs(at[:SHOWN], one, one, sources,
                      f'Copies within {one.scan.name}: an image and its nearest neighbour.')
  return Section('Copies and leakage', 'A near copy is an image closer to its nearest neighbour '
                 'than the next nine allow, at a chance of 1 % of one false alarm in a set: the '
                 'same image noised, re-encoded, brighter or darker. A shifted or turned copy is '
                 'not found.', items)


def _pairs(at: np.ndarray, left: One, right: One, sources: Mapping[str, data.Source],
           meaning: str) -> list[Figure]:
  if not len(at):
    return []
  a = take(sources[left.scan.name], left, at[:, 0])
  b = take(sources[right.scan.name], right, at[:, 1])
  return [Figure(pairs(a, b, [f'{i}, {j}' for i, j in at]), meaning, 'Pairs of images.', True)]


def labels(found: Analysis, sources: Mapping[str, data.Source], names: Sequence[str]) -> Section:
  """Suspicious labels of each set."""
  items: list[Table | Figure | Note] = []
  rows: list[list[Cell]] = [[
      x.scan.name, x.suspects.looked, len(x.suspects.positions),
      f"{x.numbers['labels']['share']:.2%}", f'{x.suspects.accuracy:.2%}']
      for x in found.sets if x.suspects is not None]
  if rows:
    items.append(Table('Labels held against those of the nearest neighbours', [
        'set', 'looked at', 'contradicted', 'share', "agree with the neighbours' likeliest"], rows))
  for one in found.sets:
    doubt = one.suspects
    if doubt is None:
      why = one.skipped.get('labels', one.skipped.get('neighbours', ''))
      items.append(Note(f'{one.scan.name}: not applicable, {why}.'))
      continue
    if len(doubt.positions):
      at = doubt.positions[:SHOWN]
      items.append(Figure(
          image_grid(take(sources[one.scan.name], one, at),
                     [f'{p}: {_name(names, g)} → {_name(names, k)}' for p, g, k in zip(
                         at, doubt.given, doubt.likely)]),
          f'The surest of {len(doubt.positions):,} in {one.scan.name}: position, label given → '
          'label of its neighbours. To be looked at, not to be deleted unseen.',
          'Images whose label is in doubt.', True))
  return Section('Suspicious labels', 'Confident learning with the votes of ten nearest '
                 'neighbours. Rare or ambiguous examples are contradicted too.', items)


def _name(names: Sequence[str], k: int) -> str:
  return names[k] if k < len(names) else str(k)


def outliers(found: Analysis, sources: Mapping[str, data.Source]) -> Section:
  """The examples farthest from all others."""
  items: list[Table | Figure | Note] = []
  for one in found.sets:
    name = one.scan.name
    if one.near is None:
      items.append(Note(f'{name}: not applicable, {one.skipped["neighbours"]}.'))
      continue
    order = np.argsort(-one.near.distances[:, -1], kind='stable')[:12]
    at = one.near.queries[order]
    items.append(Figure(
        image_grid(take(sources[name], one, at), [str(i) for i in at]),
        f'The twelve of {name} farthest from their tenth neighbour; {len(one.far):,} of '
        f'{len(one.near.queries):,} are beyond the threshold.', 'The least typical images.'))
  return Section('Outliers', '', items)
