"""The scores of an evaluation, each beside its floor and with its protocol."""
from typing import Any, NamedTuple

import numpy as np

from jaxsynth.data.examples import Examples, image_digests
from jaxsynth.evaluation.cards import Cards, share_error
from jaxsynth.evaluation.class_scores import balance_scores, class_rows, classifier_scores
from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.evaluation.embedded import embed, Embedded
from jaxsynth.evaluation.training_copies import copy_scores, NearestTrain
from jaxsynth.metrics import distances, features, neighbours, statistics
from jaxsynth.metrics.protocol import Scored
from jaxsynth.metrics.score import clopper_pearson, Share

SIDE = 14  # of pooled images whose pixels are compared
PIXEL_SCORES = {'mean': 'pixel_mean', 'variance': 'pixel_variance',
                'correlation': 'pixel_correlation', 'ks': 'pixel_ks', 'js': 'pixel_js',
                'wasserstein': 'pixel_wasserstein'}
COPYING = ('nearer_to_train', 'data_copying', 'authenticity', 'near_copies')


class Evaluation(NamedTuple):
  """All that is known of a synthetic set.

  Attributes:
    scores: name to score; the names are those of `meanings.MEANINGS`.
    details: what else the scores' functions say, of JSON's types.
    classes: a row a class, or `None` without labels.
    not_applicable: score to why it is not there.
    embedded: features of all sets.
    nearest: distance of each synthetic example, `[N]`, and of each other real one to its
      nearest example of the reference, in features.
    labels: `[N]` of the synthetic examples, given or seen by the classifier, or `None`.
    nearest_train: the training image nearest to each synthetic one; `None` without them.
  """
  scores: dict[str, Scored]
  details: dict[str, Any]
  classes: list[dict[str, Any]] | None
  not_applicable: dict[str, str]
  embedded: Embedded
  nearest: tuple[np.ndarray, np.ndarray]
  labels: np.ndarray | None
  nearest_train: NearestTrain | None


def evaluate(comparison: Comparison, net: features.Features, digits: bool = False) -> Evaluation:
  """Measures every score that the sets allow.

  Args:
    comparison: the sets.
    net: features that the distances stand on.
    digits: whether the data's classes are those of the shipped classifier of digits.
  """
  embedded, cards = embed(comparison, net, digits), Cards(comparison, net)
  scores, not_applicable = distance_scores(embedded, cards)
  scores |= pixel_scores(comparison, cards)
  details: dict[str, Any] = {}
  labels, classes, nearest_train = comparison.synthetic.labels, None, None
  if embedded.logits is None:
    not_applicable |= dict.fromkeys(
        ('classifier', 'label_agreement'), 'the library ships a classifier of digits alone')
  else:
    scores |= classifier_scores(comparison, embedded.logits, cards)
    if labels is None:
      not_applicable['label_agreement'] = 'the synthetic images have no labels'
      labels = embedded.logits[0].argmax(1).astype(np.int32)
  why = _without_classes(comparison, labels)
  if why:
    not_applicable |= dict.fromkeys(('class_balance', 'classes'), why)
  else:
    assert labels is not None
    scores['class_balance'], details['balance'] = balance_scores(
        comparison, embedded.logits, labels, cards)
    classes = class_rows(comparison, embedded, labels)
  if comparison.train is None:
    not_applicable |= dict.fromkeys(
        COPYING, 'no training set is known; name it by --train_split')
  else:
    copying, details['memorisation'], nearest_train = copy_scores(comparison, embedded)
    scores |= copying
  near, near_other = (neighbours.nearest(x, embedded.real)[0][:, 0]
                      for x in (embedded.synthetic, embedded.other))
  return Evaluation(scores, details, classes, not_applicable, embedded, (near, near_other),
                    labels, nearest_train)


def _without_classes(comparison: Comparison, labels: np.ndarray | None) -> str:
  """Why nothing can be said of classes; nothing where it can."""
  for whose, missing in (('real', comparison.num_classes is None), ('synthetic', labels is None),
                         ("floor's", comparison.other.labels is None)):
    if missing:
      return f'the {whose} images have no labels'
  return 'there is one class' if comparison.num_classes == 1 else ''


def distance_scores(embedded: Embedded, cards: Cards
                    ) -> tuple[dict[str, Scored], dict[str, str]]:
  """Frechet, kernel, precision, recall, density, coverage, as every program measures them.

  Returns:
    Name to score, and name to why it is not there.
  """
  reference = distances.Reference(embedded.real)
  why = reference.too_few(len(embedded.synthetic))
  names = [name for name in distances.NAMES if name != 'frechet' or not why]
  values, floors = (reference.measure(x, names) for x in (embedded.synthetic, embedded.other))
  scores = {}
  for name, (value, error) in values.items():
    scores[name] = cards.scored(
        name, value, floors[name].value, None if np.isnan(error) else error,
        seed=distances.SEED if name == 'kernel' else None,
        **distances.settings(name, reference.size, len(embedded.synthetic)))
  return scores, {'frechet': why} if why else {}


def pixel_scores(comparison: Comparison, cards: Cards) -> dict[str, Scored]:
  """Statistics of pooled pixels, and images that come more than once."""
  net = features.pixels()
  rows = lambda examples: comparison.kind.pooled(examples.values, SIDE)
  real = rows(comparison.real)
  values, floors = (statistics.compare(real, rows(x))
                    for x in (comparison.synthetic, comparison.other))
  scores = {}
  for key, name in PIXEL_SCORES.items():
    value, floor = (np.mean(getattr(x, key)) for x in (values, floors))
    if np.isfinite(value + floor):
      scores[name] = cards.scored(key, value, floor, net=net, pooled=SIDE)
  repeated, floor = (share_repeated(x) for x in (comparison.synthetic, comparison.other))
  scores['duplicates'] = cards.scored('duplicates', repeated.value, floor.value,
                                      share_error(repeated), net=net)
  return scores


def share_repeated(examples: Examples) -> Share:
  """The share of images that have an equal one in their set.

  >>> share_repeated(Examples('x', np.array([1, 2, 1, 3], np.uint8).reshape(4, 1, 1, 1))).value
  0.5
  """
  _, counts = np.unique(image_digests(examples), return_counts=True)
  return clopper_pearson(int(counts[counts > 1].sum()), len(examples.values))
