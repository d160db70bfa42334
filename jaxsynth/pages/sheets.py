"""Figures that show images as they are: sheets, captioned images, pairs."""
from collections.abc import Sequence

import numpy as np

from jaxsynth.data.batches import Source
from jaxsynth.data.examples import Examples, shuffled
from jaxsynth.data.kinded import kind_of
from jaxsynth.report import Figure, image_grid, pairs


def visible(images: np.ndarray) -> np.ndarray:
  """Images that a page can show: those of other than 1, 3 or 4 channels by their first one.

  Args:
    images: `[N, H, W, C]`.

  >>> visible(np.zeros((2, 8, 8, 5))).shape, visible(np.zeros((2, 8, 8, 3))).shape
  ((2, 8, 8, 1), (2, 8, 8, 3))
  """
  return images if images.shape[-1] in (1, 3, 4) else images[..., :1]


def pictures_of(examples: Examples) -> np.ndarray:
  """How they are shown, `[N, H, W, C]`; images as they are."""
  kind = kind_of(examples)
  return kind.shown({kind.name: examples.values})


def random_by_class(whole: Examples | Source, most: int, seed: int = 0) -> Examples:
  """At most `most` examples at random, sorted by class where they have one.

  Args:
    whole: what they are taken from; of a source no more than these are read.
    most: how many.
    seed: of which.

  >>> digits = Examples('d', np.zeros((9, 8, 8, 1), np.uint8), np.arange(9, dtype=np.int32) % 3)
  >>> random_by_class(digits, 6).labels.tolist() == sorted(random_by_class(digits, 6).labels)
  True
  """
  size = len(whole.values) if isinstance(whole, Examples) else whole.size
  positions = shuffled(size, seed)[:most]
  if isinstance(whole, Examples):
    chosen = whole.take(positions)
  else:
    batch = whole.take(positions)
    kind = kind_of(whole)
    chosen = Examples(whole.name, batch[kind.name], batch.get('label'), kind=kind)
  if chosen.labels is None:
    return chosen
  return chosen.take(np.argsort(chosen.labels, kind='stable'))


def sheet(whole: Examples | Source, subject: str, most: int = 100, *, seed: int = 0,
          columns: int = 10, scale: int | None = None, wide: bool = False) -> Figure:
  """One sheet of images at random, sorted by class where they have one.

  Args:
    whole: what they are drawn from.
    subject: what they are, as a sentence begins: `'Synthetic images'`.
    most: images on it.
    seed: of which.
    columns: images a row.
    scale: each pixel becomes a square of this side; by default small images are enlarged.
    wide: whether the figure takes the whole width.

  >>> digits = Examples('d', np.zeros((9, 8, 8, 1), np.uint8), np.arange(9, dtype=np.int32) % 3)
  >>> sheet(digits, 'Real images').meaning
  'Real images, drawn at random, sorted by class.'
  """
  chosen = random_by_class(whole, most, seed)
  order = '' if chosen.labels is None else ', sorted by class'
  return Figure(image_grid(visible(pictures_of(chosen)), columns=columns, scale=scale),
                f'{subject}, drawn at random{order}.',
                f'A sheet of {subject[:1].lower()}{subject[1:]}, drawn at random', wide)


def captioned(images: np.ndarray, captions: Sequence[str], meaning: str, alt: str, *,
              scale: int | None = None, wide: bool = True) -> Figure:
  """Images with a caption under each.

  Args:
    images: `[N, H, W, C]`, as `report.image_grid` takes but of any number of channels.
    captions: `[N]`.
    meaning: how to read them, a sentence.
    alt: the same for who cannot see them.
    scale: each pixel becomes a square of this side; by default small images are enlarged.
    wide: whether the figure takes the whole width.

  Raises:
    ValueError: no images, or not as many captions.
  """
  return Figure(image_grid(visible(images), captions, scale=scale), meaning, alt, wide)


def paired(left: np.ndarray, right: np.ndarray, captions: Sequence[str], meaning: str,
           alt: str = 'Pairs of images.', *, scale: int | None = None) -> Figure:
  """Pairs of images side by side, with a caption under each pair.

  Args:
    left: `[N, H, W, C]`, as `report.pairs` takes but of any number of channels.
    right: the same shape.
    captions: `[N]`.
    meaning: how to read them, a sentence.
    alt: the same for who cannot see them.
    scale: each pixel becomes a square of this side; by default small images are enlarged.

  Raises:
    ValueError: shapes that differ, or not as many captions.
  """
  return Figure(pairs(visible(left), visible(right), captions, scale=scale), meaning, alt, True)
