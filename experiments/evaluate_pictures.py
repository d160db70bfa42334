"""Sections and figures of an evaluation that show the images and their features."""
import numpy as np

from evaluate_scores import Found
from evaluate_sets import Set, Sets
from jaxsynth.data.analysis.pooling import pooled
from jaxsynth.metrics import moments
from jaxsynth.report import Figure, Section, histograms as charts, image_grid, maps, pairs, scatter

GRID, SHOWN, CLOUD = 100, 24, 1200


def grids(sets: Sets) -> Section:
  """Synthetic images beside real ones, both sorted by class where they have one."""
  figures = [Figure(image_grid(_visible(_some(one).images)), f'{text}{_sorted(one)}',
                    f'A sheet of {text.lower()}')
             for text, one in (('Synthetic images, drawn at random', sets.fake),
                               (f'Real images of {sets.real.name}, drawn at random', sets.real))]
  return Section('Samples', 'What the scores are of. Look for images that no real data would '
                 'have, and for images that are all alike.', figures)


def _visible(images: np.ndarray) -> np.ndarray:
  return images if images.shape[-1] in (1, 3, 4) else images[..., :1]


def _some(one: Set) -> Set:
  at = np.random.Generator(np.random.Philox(0)).permutation(len(one.images))[:GRID]
  return one.take(at if one.labels is None else at[np.argsort(one.labels[at], kind='stable')])


def _sorted(one: Set) -> str:
  return '.' if one.labels is None else ', sorted by class.'


def extremes(sets: Sets, found: Found) -> Section:
  """The fakes nearest to real images, and the farthest."""
  order = np.argsort(found.near[0], kind='stable')
  show = lambda at: image_grid(_visible(sets.fake.images[at]),
                               [f'{found.near[0][i]:.3g}' for i in at])
  worst, best = order[::-1][:SHOWN], order[:SHOWN]
  limit = np.quantile(found.near[1], .99)
  share = float((found.near[0] > limit).mean())
  figures = [
      Figure(show(worst), 'The farthest from all real images: what the generator gets wrong, or '
             'what is rare.', 'A sheet of the worst synthetic images.', True),
      Figure(show(best), 'The nearest to a real image: what it does best, often the simplest.',
             'A sheet of the best synthetic images.', True)]
  return Section('Best and worst', 'By the distance to the nearest real image, in features. '
                 f'{share:.1%} of synthetic images are farther than all but 1 % of real ones '
                 f'({limit:.3g}).', figures)


def histograms(sets: Sets, found: Found) -> list[Figure]:
  """Pixels, brightness, distances."""
  both = (('real', sets.real), ('synthetic', sets.fake))
  first = lambda one: one.images[:2000].ravel()
  return [
      Figure(charts({name: first(one) for name, one in both}, bins=32, x='pixel value', log=True),
             'How often each pixel value occurs (logarithmic): curves that part are a wrong '
             'contrast or background.', 'Histograms of pixel values.'),
      Figure(charts({name: one.images.mean((1, 2, 3)) for name, one in both},
                    x='mean of an image'), 'Brightness of images: a narrower synthetic curve is '
             'diversity lost.', 'Histograms of the means of images.'),
      Figure(charts({'real': found.near[1], 'synthetic': found.near[0]},
                    x='distance to the nearest real image'),
             'Distance in features to the reference, of the floor\'s real images and of '
             'synthetic ones: further right is less real; further left is copying or sameness.',
             'Histograms of distances to the nearest real image.')]


def plane(sets: Sets, found: Found) -> Figure:
  """Both clouds in the plane of the real features' two principal components."""
  v = found.vectors
  m = moments.of(v.real)
  _, axes = np.linalg.eigh(m.covariance)
  at = lambda x: (x[:CLOUD] - m.mean) @ axes[:, :-3:-1]
  pick = np.random.Generator(np.random.Philox(0)).permutation
  clouds = {'real': at(v.real[pick(len(v.real))[:CLOUD]]),
            'synthetic': at(v.fake[pick(len(v.fake))[:CLOUD]])}
  return Figure(scatter(clouds), 'The two directions in which real features vary most. Real '
                'points alone are kinds that are missing, synthetic points alone are kinds that '
                'do not exist.', 'Two clouds of points, real and synthetic.')


def correlations(sets: Sets) -> Figure:
  """Correlations of pooled pixels, real and synthetic."""
  found = {name: _correlation(pooled(one.images, 8)) for name, one in
           (('real', sets.real), ('synthetic', sets.fake))}
  return Figure(maps(found, high=1), 'Correlation of each pixel with each other (8 x 8, row by '
                'row): the two maps should look the same; blank lines never change.',
                'Two maps of correlations, real and synthetic.', True)


def _correlation(rows: np.ndarray) -> np.ndarray:
  covariance = moments.of(rows).covariance
  with np.errstate(invalid='ignore', divide='ignore'):
    deviation = np.sqrt(np.diag(covariance))
    return covariance / np.outer(deviation, deviation)


def copies(sets: Sets, found: Found) -> list[Figure]:
  """Fakes beside their nearest training images."""
  if found.copies is None or sets.train is None:
    return []
  fake, train, distance = found.copies
  originals = sets.train.images
  spread = np.argsort(distance, kind='stable')
  some = np.random.Generator(np.random.Philox(1)).permutation(len(distance))[:SHOWN]
  show = lambda at: pairs(_visible(sets.fake.images[fake[at]]),
                          _visible(originals[train[at]]),
                          [f'{distance[i]:.3g}' for i in at])
  return [Figure(show(spread[:SHOWN]), 'The synthetic images nearest to a training image (pixel '
                 'distance), each left of it: the same image twice would be memory.',
                 'Pairs of images.', True),
          Figure(show(some), 'Synthetic images drawn at random, and the nearest training image.',
                 'Pairs of images.', True)]
