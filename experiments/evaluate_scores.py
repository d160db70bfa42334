"""The scores of an evaluation, each beside its floor and with its protocol."""
from typing import Any, NamedTuple

import numpy as np

from evaluate_memory import error, memorisation
from evaluate_sets import digests, Set, Sets
from extractors import extract
from jaxsynth.data.analysis.pooling import pooled
from jaxsynth.metrics import (
    balance, classifier_score, features, frechet, kernel, neighbours, prdc, statistics)
from jaxsynth.metrics.protocol import Protocol, Scored
from jaxsynth.metrics.score import clopper_pearson, Share

K = 5  # neighbours of precision, recall, density and coverage
SIDE = 14  # of pooled images whose pixels are compared
SUBSET = 1000  # samples of a kernel distance's subset


class Vectors(NamedTuple):
  """Features `[N, D]` of each set; `seen` are a classifier's logits, or `None`."""
  net: features.Features
  fake: np.ndarray
  real: np.ndarray
  other: np.ndarray
  seen: dict[str, np.ndarray] | None


class Given(NamedTuple):
  """What stands for features where a score is of the labels that came with the images."""
  name: str = 'labels'
  sha256: str = ''
  resizer: str = 'none'


class Found(NamedTuple):
  """All that is known of the synthetic set.

  Attributes:
    scores: name -> score.
    details: what else the scores' functions say.
    classes: a row a class, or `None` without labels.
    absent: score -> why it is not applicable.
    vectors: features.
    near: distance of each fake, `[N]`, and each of the floor's to its nearest real.
    labels: of the fakes, given or seen by the classifier, or `None`.
    copies: fakes and their nearest training images, `(fake, train, distance)`.
  """
  scores: dict[str, Scored]
  details: dict[str, Any]
  classes: list[dict[str, Any]] | None
  absent: dict[str, str]
  vectors: Vectors
  near: tuple[np.ndarray, np.ndarray]
  labels: np.ndarray | None
  copies: tuple[np.ndarray, np.ndarray, np.ndarray] | None


class Card(NamedTuple):
  """Makes a `Scored` of a score and its floor."""
  sets: Sets
  net: Any

  def __call__(self, name: str, value: float, floor: float, error: float | None = None, *,
               net: Any = None, seed: int | None = None, **settings: Any) -> Scored:
    net = net or self.net
    fake, real, other = self.sets.fake, self.sets.real, self.sets.other
    card = Protocol.of(
        features.score_name(name, net), net, n_real=len(real.images), n_fake=len(fake.images),
        split=real.name, seed=seed,
        settings={'floor': other.name, 'n_floor': len(other.images), **settings})
    return Scored(float(value), float(floor), error, card)


def vectors(sets: Sets, net: features.Features, classify: bool) -> Vectors:
  """Features of all sets, and the digits that the shipped network sees in them."""
  of = lambda one, net: extract(net, one.images)
  seen = {name: of(one, features.mnist_logits()) for name, one in
          (('fake', sets.fake), ('other', sets.other))} if classify else None
  return Vectors(net, of(sets.fake, net), of(sets.real, net), of(sets.other, net), seen)


def measure(sets: Sets, net: features.Features, digits: bool) -> Found:
  """Every score that the sets allow.

  Args:
    sets: what to compare.
    net: features that the distances stand on.
    digits: whether the shipped network's classes are the data's.

  Raises:
    ValueError: too few examples for the features' width.
  """
  found = vectors(sets, net, digits and sets.real.images.shape[1:] == (28, 28, 1))
  card = Card(sets, net)
  absent: dict[str, str] = {}
  scores = distances(found, card)
  scores |= pixels(sets, card)
  near = tuple(neighbours.nearest(x, found.real)[0][:, 0] for x in (found.fake, found.other))
  labels, details = sets.fake.labels, {}
  if found.seen is None:
    absent |= dict.fromkeys(
        ('classifier', 'label_agreement'), 'the library ships a classifier of digits alone')
  else:
    scores |= classified(sets, found.seen, card)
    if labels is None:
      absent['label_agreement'] = 'the synthetic images have no labels'
      labels = found.seen['fake'].argmax(1).astype(np.int32)
  classes = None
  if labels is None or sets.num_classes is None or sets.other.labels is None:
    whose = ('real' if sets.num_classes is None else
             'synthetic' if labels is None else "floor's")
    absent |= dict.fromkeys(('class_balance', 'classes'), f'the {whose} images have no labels')
  elif sets.num_classes < 2:
    absent |= dict.fromkeys(('class_balance', 'classes'), 'there is one class')
  else:
    scores['class_balance'], details['balance'] = balanced(sets, found, labels, card)
    classes = by_class(sets, found, labels)
  copies = None
  if sets.train is None:
    absent |= dict.fromkeys(
        ('nearer_to_train', 'data_copying', 'authenticity', 'near_copies'),
        'no training set is known; name it by --train_split')
  else:
    more, details['memorisation'], copies = memorisation(
        sets, found.fake, found.real, net, sets.seed)
    scores |= more
  return Found(scores, details, classes, absent, found, near, labels, copies)  # type: ignore


def distances(v: Vectors, card: Card) -> dict[str, Scored]:
  """Frechet, kernel, precision, recall, density, coverage."""
  both = lambda f: (f(v.real, v.fake), f(v.real, v.other))
  scores = {'frechet': card('frechet', *both(frechet.frechet_distance))}
  size = min(SUBSET, min(len(v.fake), len(v.real)) // 2)
  a, b = both(lambda x, y: kernel.kernel_distance(x, y, subset_size=size))
  scores['kernel'] = card('kernel', a.value, b.value, a.standard_error, seed=2020, subsets=100,
                          subset_size=size)
  for name, x, y in zip(prdc.PRDC._fields, *both(lambda x, y: prdc.prdc(x, y, K))):
    scores[name] = card(name, x, y, k=K)
  return scores


def pixels(sets: Sets, card: Card) -> dict[str, Scored]:
  """Statistics of pooled pixels, and images that come more than once."""
  net = features.pixels()
  rows = lambda one: pooled(one.images, SIDE) / np.float32(127.5) - 1
  real = rows(sets.real)
  a, b = (statistics.compare(real, rows(x)) for x in (sets.fake, sets.other))
  names = {'mean': 'pixel_mean', 'variance': 'pixel_variance', 'correlation':
           'pixel_correlation', 'ks': 'pixel_ks', 'js': 'pixel_js',
           'wasserstein': 'pixel_wasserstein'}
  scores = {name: card(key, np.mean(getattr(a, key)), np.mean(getattr(b, key)), net=net,
                       pooled=SIDE) for key, name in names.items()
            if np.isfinite(np.mean(getattr(a, key)) + np.mean(getattr(b, key)))}
  found, floor = (repeated(x) for x in (sets.fake, sets.other))
  scores['duplicates'] = card('duplicates', found.value, floor.value, error(found), net=net)
  return scores


def repeated(one: Set) -> Share:
  """Images that have an equal one in their set."""
  _, counts = np.unique(digests(one), return_counts=True)
  return clopper_pearson(int(counts[counts > 1].sum()), len(one.images))


def classified(sets: Sets, seen: dict[str, np.ndarray], card: Card) -> dict[str, Scored]:
  """What a classifier of real images says of the synthetic ones."""
  net = features.mnist_logits()
  softmax = lambda x: np.exp(x - x.max(1, keepdims=True)) / np.exp(
      x - x.max(1, keepdims=True)).sum(1, keepdims=True)
  a, b = (classifier_score.classifier_score(softmax(seen[name].astype(np.float64)))
          for name in ('fake', 'other'))
  scores = {'classifier': card('classifier', a.value, b.value, a.standard_error, net=net,
                               seed=2020, splits=10)}
  if sets.fake.labels is not None and sets.other.labels is not None:
    right, floor = (np.mean(seen[name].argmax(1) == one.labels)
                    for name, one in (('fake', sets.fake), ('other', sets.other)))
    scores['label_agreement'] = card(
        'label_agreement', right, floor, float(np.sqrt(right * (1 - right) / len(seen['fake']))),
        net=net)
  return scores


def balanced(sets: Sets, found: Vectors, labels: np.ndarray, card: Card
             ) -> tuple[Scored, dict[str, Any]]:
  """How far the classes' shares are from the real ones."""
  given = sets.fake.labels is not None
  other = sets.other.labels if given or found.seen is None else found.seen['other'].argmax(1)
  k = sets.num_classes or 0
  target = np.bincount(sets.real.labels, minlength=k)  # type: ignore[arg-type]
  a, b = (balance.class_balance(x, k, target) for x in (labels, other))
  net: Any = Given() if given else features.mnist_logits()
  labelled = 'given' if given else 'seen by the classifier'
  return (card('class_total_variation', a.total_variation, b.total_variation, net=net,
               labels=labelled),
          {'labels': labelled, 'counts': a.counts.tolist(), 'missing': list(a.missing),
           'entropy': a.entropy, 'p_value': a.p_value})


def by_class(sets: Sets, v: Vectors, labels: np.ndarray) -> list[dict[str, Any]]:
  """A row a class; `None` where there are too few examples of it."""
  rows = []
  for k in range(sets.num_classes or 0):
    real, fake = v.real[sets.real.labels == k], v.fake[labels == k]
    other = v.other[sets.other.labels == k]
    n = min(len(fake), len(other))
    enough = min(len(real), n) > v.real.shape[1]
    pair = lambda f, least: ([f(real, x[:n]) for x in (fake, other)] if least else [None, None])
    distance = pair(frechet.frechet_distance, enough)
    prdcs = pair(lambda x, y: prdc.prdc(x, y, K), min(len(real), n) > K)
    row = {'class': sets.classes[k], 'real': len(real), 'synthetic': len(fake),
           'frechet': distance[0], 'frechet_floor': distance[1]}
    row |= {name: prdcs[0] and getattr(prdcs[0], name) for name in ('precision', 'recall')}
    row |= {f'{name}_floor': prdcs[1] and getattr(prdcs[1], name)
            for name in ('precision', 'recall')}
    if v.seen is not None and sets.fake.labels is not None:
      right = v.seen['fake'].argmax(1)[labels == k] == k
      row['agreement'] = float(right.mean()) if len(right) else None
    rows.append(row)
  return rows
