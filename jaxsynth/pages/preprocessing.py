"""What preprocessing makes of a data set, as a page."""
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsynth import data, report
from jaxsynth.data.batches import Source
from jaxsynth.data.examples import Examples, shuffled
from jaxsynth.data.kinded import kind_of
from jaxsynth.pages import sheets
from jaxsynth.pages.words import worded

SHOWN, THUMB = 24, 96
BeforeAfter = Mapping[str, Mapping[str, Any]]  # of a set, as `data.fingerprint.fingerprint`


def any_changed(sets: Mapping[str, BeforeAfter]) -> bool:
  """Whether any byte of any set is another one.

  >>> any_changed({'train': {'before': {'sha256': 'a'}, 'after': {'sha256': 'a'}}})
  False
  """
  return any(x['before']['sha256'] != x['after']['sha256'] for x in sets.values())


def page(sets: Mapping[str, BeforeAfter], before: Source, after: Source, how: str = ''
         ) -> report.Page:
  """The numbers, and examples of the set trained on.

  Args:
    sets: role -> the fingerprints before and after.
    before: the set trained on, as it lies there: images may have sizes of their own.
    after: the same as it is trained on.
    how: a sentence that says what is changed; by default that of sizes.
  """
  kind = kind_of(after)
  shape = ' x '.join(map(str, after.image_shape))
  positions = np.sort(shuffled(after.size, 0)[:SHOWN])
  if any_changed(sets):
    lead = how or f'Every image is brought to {shape}.'
    figure = _pairs(before, after, positions)
  else:
    lead = f'Nothing is changed: every image is {shape} already.'
    figure = sheets.sheet(
        Examples('train', after.take(positions)[kind.name], kind=kind),
        'Examples of the set trained on', SHOWN, columns=12, wide=True)
  columns = ['set', 'images', 'shapes', 'least', 'greatest', 'mean', 'deviation', 'share of 0']
  rows = [[f'{role}, {when}', x['size'], _shapes(x['shapes']), x['least'], x['greatest'],
           x['mean'], x['deviation'], x['zero']]
          for role, both in sets.items() for when, x in both.items()]
  table = report.Table('Pixels before and after', columns, rows)
  return worded(report.Page(
      'Preprocessing', lead, [report.Section('What changes', '', [table, figure])],
      'All numbers, and a SHA-256 of each set, are in preprocess.json.'), kind.words)


def _pairs(before: Source, after: Source, positions: np.ndarray) -> report.Figure:
  """Examples before and after, at one size."""
  kind = kind_of(after)
  if kind.settings:  # their pictures are of one size
    left, right = (kind_of(source).shown({kind.name: source.take(positions)[kind.name]})
                   for source in (before, after))
    return sheets.paired(left, right, [f'{i:,}' for i in positions],
                         'Images before and after, each with its number.',
                         'Pairs of images before and after.', scale=1)
  h, w, _ = after.image_shape
  at_one_size = data.Preprocess((max(h, THUMB), max(w, THUMB)), 3, 'pad')
  originals = [_image(before, int(i)) for i in positions]
  left, right = (np.stack([data.preprocess_image(x, at_one_size) for x in images])
                 for images in (originals, after.take(positions)['image']))
  return sheets.paired(
      left, right, ['x'.join(map(str, x.shape)) for x in originals],
      'Examples before and after, at one size for the eye, with the shape that each had.',
      'Pairs of images before and after.', scale=1)


def _image(source: Source, position: int) -> np.ndarray:
  """One image, whatever its size."""
  if isinstance(source, data.DecodedSource):
    return source.decode(source.read([position])[0])[0]
  return source.take(np.array([position]))['image'][0]


def _shapes(counts: Mapping[str, int]) -> str:
  """As `28x28x1`, or the commonest and how many others."""
  first, *rest = counts
  return first + (f' and {len(rest)} more' if rest else '')
