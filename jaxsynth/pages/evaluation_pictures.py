"""Sections and figures of an evaluation that show the images and their features."""
from collections.abc import Sequence

import numpy as np

from jaxsynth.kinds.pooling import pooled
from jaxsynth.data.examples import Examples, shuffled
from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.evaluation.scoring import Evaluation
from jaxsynth.metrics import moments
from jaxsynth.pages import sheets
from jaxsynth.report import Figure, histograms, maps, Note, scatter, Section

SHOWN, CLOUD = 24, 1200


def samples(comparison: Comparison) -> Section:
  """Synthetic images beside real ones, both sorted by class where they have one."""
  figures = [sheets.sheet(comparison.synthetic, 'Synthetic images'),
             sheets.sheet(comparison.real, f'Real images of {comparison.real.name}')]
  return Section('Samples', 'What the scores are of. Look for images that no real data would '
                 'have, and for images that are all alike.', figures)


def extremes(comparison: Comparison, evaluation: Evaluation) -> Section:
  """The synthetic images nearest to real ones, and the farthest."""
  near, near_other = evaluation.nearest
  order = np.argsort(near, kind='stable')
  show = lambda positions, meaning, which: sheets.captioned(
      sheets.pictures_of(comparison.synthetic.take(positions)),
      [f'{near[i]:.3g}' for i in positions], meaning, f'A sheet of the {which} synthetic images.')
  limit = np.quantile(near_other, .99)
  share = float((near > limit).mean())
  figures = [
      show(order[::-1][:SHOWN], 'The farthest from all real images: what the generator gets '
           'wrong, or what is rare.', 'worst'),
      show(order[:SHOWN], 'The nearest to a real image: what it does best, often the simplest.',
           'best')]
  return Section('Best and worst', 'By the distance to the nearest real image, in features. '
                 f'{share:.1%} of synthetic images are farther than all but 1 % of real ones '
                 f'({limit:.3g}).', figures)


def value_histograms(comparison: Comparison, evaluation: Evaluation) -> list[Figure]:
  """Pixels, brightness, distances."""
  both = {name: comparison.kind.plain(x.values) for name, x in _both(comparison).items()}
  near, near_other = evaluation.nearest
  return [
      Figure(histograms({name: x[:2000].ravel() for name, x in both.items()}, bins=32,
                        x='pixel value', log=True),
             'How often each pixel value occurs (logarithmic): curves that part are a wrong '
             'contrast or background.', 'Histograms of pixel values.'),
      Figure(histograms({name: x.mean(tuple(range(1, x.ndim))) for name, x in both.items()},
                        x='mean of an image'),
             'Brightness of images: a narrower synthetic curve is diversity lost.',
             'Histograms of the means of images.'),
      Figure(histograms({'real': near_other, 'synthetic': near},
                        x='distance to the nearest real image'),
             'Distance in features to the reference, of the floor\'s real images and of '
             'synthetic ones: further right is less real; further left is copying or sameness.',
             'Histograms of distances to the nearest real image.')]


def plane(evaluation: Evaluation) -> Figure:
  """Both clouds in the plane of the real features' two principal components."""
  real, synthetic = evaluation.embedded.real, evaluation.embedded.synthetic
  fitted = moments.of(real)
  _, axes = np.linalg.eigh(fitted.covariance)
  project = lambda x: (x[:CLOUD] - fitted.mean) @ axes[:, :-3:-1]
  clouds = {name: project(x[shuffled(len(x), 0)[:CLOUD]])
            for name, x in (('real', real), ('synthetic', synthetic))}
  return Figure(scatter(clouds), 'The two directions in which real features vary most. Real '
                'points alone are kinds that are missing, synthetic points alone are kinds that '
                'do not exist.', 'Two clouds of points, real and synthetic.')


def correlations(comparison: Comparison) -> Figure:
  """Correlations of pooled pixels, real and synthetic."""
  by_kind = {name: _correlation(pooled(comparison.kind.plain(x.values), 8))
             for name, x in _both(comparison).items()}
  return Figure(maps(by_kind, high=1), 'Correlation of each pixel with each other (8 x 8, row '
                'by row): the two maps should look the same; blank lines never change.',
                'Two maps of correlations, real and synthetic.', True)


def _both(comparison: Comparison) -> dict[str, Examples]:
  return {'real': comparison.real, 'synthetic': comparison.synthetic}


def _correlation(rows: np.ndarray) -> np.ndarray:
  covariance = moments.of(rows).covariance
  with np.errstate(invalid='ignore', divide='ignore'):
    deviation = np.sqrt(np.diag(covariance))
    return covariance / np.outer(deviation, deviation)


def nearest_train(comparison: Comparison, evaluation: Evaluation, show_real: bool = False
                  ) -> Sequence[Figure | Note]:
  """Synthetic images beside their nearest training images; not of persons, unless asked for."""
  if evaluation.nearest_train is None or comparison.train is None:
    return []
  if not (comparison.kind.shows_real or show_real):
    return [Note(f'Which real {comparison.kind.plural} are nearest to synthetic ones is not shown, '
                 'as they may be of persons; evaluate.py --show_real shows them.')]
  train, (nearest, distances) = comparison.train, evaluation.nearest_train
  show = lambda positions, meaning: sheets.paired(
      sheets.pictures_of(comparison.synthetic.take(positions)),
      sheets.pictures_of(train.take(nearest[positions])),
      [f'{distances[i]:.3g}' for i in positions], meaning)
  return [show(np.argsort(distances, kind='stable')[:SHOWN],
               'The synthetic images nearest to a training image (pixel distance), each left of '
               'it: the same image twice would be memory.'),
          show(shuffled(len(distances), 1)[:SHOWN],
               'Synthetic images drawn at random, and the nearest training image.')]
