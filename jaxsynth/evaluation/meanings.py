"""What each score means, and how it is marked beside its floor."""
from collections.abc import Mapping
import math
from typing import Any, Literal, NamedTuple

from jaxsynth.metrics.protocol import Scored

Mark = Literal['good', 'neutral', 'bad']
WORSE = 1.1  # times a distance: less is the chance of which images are drawn


class Meaning(NamedTuple):
  """How to read a score; `kind` says how it is marked, see `mark`."""
  kind: Literal['distance', 'share', 'copying', 'excess']
  text: str


MEANINGS = {
    'frechet': Meaning('distance', 'Distance between Gaussians fitted to the features: wrong '
                       'looks and missing kinds both raise it.'),
    'kernel': Meaning('distance', 'Distance between feature distributions of any form; unbiased, '
                      'so about 0 for equal ones.'),
    'precision': Meaning('share', 'Synthetic images that lie among real ones: fidelity.'),
    'recall': Meaning('share', 'Real images that lie among synthetic ones: diversity.'),
    'density': Meaning('share', 'How many real neighbourhoods a synthetic image lies in, 1 for '
                       'real images: fidelity, sure of outliers.'),
    'coverage': Meaning('share', 'Real images with a synthetic one in their neighbourhood: '
                        'diversity, sure of outliers.'),
    'pixel_mean': Meaning('distance', 'Root mean square difference of mean pixels (in [-1, 1]).'),
    'pixel_variance': Meaning('distance', "Root mean square difference of pixels' variances."),
    'pixel_correlation': Meaning('distance', 'Mean difference of correlations between pixels.'),
    'pixel_ks': Meaning('distance', 'Mean Kolmogorov-Smirnov statistic of pixels.'),
    'pixel_js': Meaning('distance', "Mean Jensen-Shannon divergence of pixels' histograms, bits."),
    'pixel_wasserstein': Meaning('distance', 'Mean Wasserstein distance of pixels.'),
    'duplicates': Meaning('excess', 'Synthetic images that come more than once.'),
    'classifier': Meaning('share', 'Classifier score: sure of each image and even over classes, '
                          'at most the number of classes.'),
    'label_agreement': Meaning('share', 'Synthetic images in which a classifier of real ones sees '
                               'the label they were given.'),
    'class_balance': Meaning('distance', 'Share of images that would have to change class to '
                             'have the real shares.'),
    'nearer_to_train': Meaning('copying', 'Synthetic images nearer to the training set than to '
                               'held-out images; for fresh images the floor.'),
    'data_copying': Meaning('copying', "Meehan's z: below -3, nearer to the training set than "
                            'held-out images are; above 3, farther.'),
    'authenticity': Meaning('share', 'Synthetic images that are not the closest relative of a '
                            'training image.'),
    'near_copies': Meaning('excess', 'Synthetic images nearer to a training image than any '
                           'held-out image comes.')}
RULES = ('Marks: a distance is good up to twice its floor (or two standard errors), bad above '
         'ten times; a share is good from 90 % of its floor, bad below 50 %; copying is bad '
         'where images lean on the training set by three standard errors more than held-out real '
         'ones; copies are good up to 0.1 % above the floor, bad from 1 % above it.')


def mark(name: str, score: Scored, details: Mapping[str, Any]) -> Mark:
  """How good a score is beside its floor, by `RULES`.

  Args:
    name: of the score, one of `MEANINGS`.
    score: with its floor.
    details: an evaluation's, in which the tests of memorisation stand.
  """
  value, floor, error = score.value, max(score.floor, 0.), score.standard_error or 0.
  kind = MEANINGS[name].kind
  if kind == 'distance':
    return 'good' if value <= max(2 * floor, 2 * error) else (
        'bad' if value > max(10 * floor, 2 * error) else 'neutral')
  if kind == 'share':
    return 'good' if value >= .9 * floor else 'bad' if value < .5 * floor else 'neutral'
  if kind == 'excess':
    # P(more than 5 / M of fresh images are nearer than the nearest of M) = e^-5
    usual = floor + 5 / score.protocol.settings.get('n_holdout', math.inf)
    return 'good' if value <= usual + .001 else 'bad' if value > usual + .01 else 'neutral'
  m = details['memorisation']
  z, usual = (m['z'], m['floor_z']) if name == 'nearer_to_train' else (-score.value, -score.floor)
  return 'bad' if z > 3 + max(usual, 0.) else 'good'


def better(name: str) -> Literal['lower', 'higher']:
  """Which way is better.

  >>> better('frechet'), better('recall')
  ('lower', 'higher')
  """
  return 'higher' if MEANINGS[name].kind == 'share' or name == 'data_copying' else 'lower'


def got_worse(before: float | None, after: float | None) -> bool:
  """Whether a distance rose by more than chance, say when filters were applied.

  Args:
    before: the Frechet distance then, or `None` where it could not be measured.
    after: the one now.

  >>> got_worse(10., 10.5), got_worse(10., 12.), got_worse(None, 12.)
  (False, True, False)
  """
  return before is not None and after is not None and after > WORSE * before
