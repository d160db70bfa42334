"""Scores of the classes: what a classifier sees, how many of each there are, each by itself."""
from typing import Any

import numpy as np

from jaxsynth.evaluation.cards import Cards, GivenLabels
from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.evaluation.embedded import Embedded
from jaxsynth.metrics import balance, classifier_score, distances, features
from jaxsynth.metrics.protocol import Scored

BY_CLASS = ('precision', 'recall')


def classifier_scores(comparison: Comparison, logits: tuple[np.ndarray, np.ndarray], cards: Cards
                      ) -> dict[str, Scored]:
  """What a classifier of real images says of the synthetic ones.

  Args:
    comparison: the sets.
    logits: `[N, K]` of the synthetic and of the other real examples.
    cards: of the comparison.

  Returns:
    `classifier`, and with labels `label_agreement`.
  """
  net = features.mnist_logits()
  value, floor = (classifier_score.classifier_score(_softmax(x.astype(np.float64)))
                  for x in logits)
  scores = {'classifier': cards.scored('classifier', value.value, floor.value,
                                       value.standard_error, net=net, seed=2020, splits=10)}
  synthetic, other = comparison.synthetic.labels, comparison.other.labels
  if synthetic is not None and other is not None:
    right, usual = (np.mean(x.argmax(1) == labels)
                    for x, labels in zip(logits, (synthetic, other)))
    scores['label_agreement'] = cards.scored(
        'label_agreement', right, usual, float(np.sqrt(right * (1 - right) / len(synthetic))),
        net=net)
  return scores


def _softmax(logits: np.ndarray) -> np.ndarray:
  exponentials = np.exp(logits - logits.max(1, keepdims=True))
  return exponentials / exponentials.sum(1, keepdims=True)


def balance_scores(comparison: Comparison, logits: tuple[np.ndarray, np.ndarray] | None,
                   labels: np.ndarray, cards: Cards) -> tuple[Scored, dict[str, Any]]:
  """How far the classes' shares are from the real ones.

  Args:
    comparison: the sets, with real labels.
    logits: of the synthetic and of the other examples, where synthetic ones have no labels.
    labels: `[N]` of the synthetic examples, given or seen.
    cards: of the comparison.

  Returns:
    The score, and the counts behind it.
  """
  assert comparison.real.labels is not None and comparison.num_classes is not None
  given = comparison.synthetic.labels is not None
  other = comparison.other.labels if given or logits is None else logits[1].argmax(1)
  k = comparison.num_classes
  target = np.bincount(comparison.real.labels, minlength=k)
  value, floor = (balance.class_balance(x, k, target) for x in (labels, other))
  net: Any = GivenLabels() if given else features.mnist_logits()
  origin = 'given' if given else 'seen by the classifier'
  return (cards.scored('class_total_variation', value.total_variation, floor.total_variation,
                       net=net, labels=origin),
          {'labels': origin, 'counts': value.counts.tolist(), 'missing': list(value.missing),
           'entropy': value.entropy, 'p_value': value.p_value})


def class_rows(comparison: Comparison, embedded: Embedded, labels: np.ndarray
               ) -> list[dict[str, Any]]:
  """A row a class, each against the real examples of the class.

  Args:
    comparison: the sets, with labels of real and other examples.
    embedded: their features.
    labels: `[N]` of the synthetic examples.

  Returns:
    Rows with `class`, `real` and `synthetic` (how many), `frechet`, `precision`, `recall` and
    a floor of each, `None` where there are too few; with given labels and a classifier
    `agreement`.
  """
  rows = []
  for k, name in enumerate(comparison.class_names):
    real = embedded.real[comparison.real.labels == k]
    synthetic = embedded.synthetic[labels == k]
    other = embedded.other[comparison.other.labels == k]
    n, width = min(len(synthetic), len(other)), real.shape[1]
    names = [*(('frechet',) if min(len(real), n) > width else ()),
             *(BY_CLASS if min(len(real), n) > distances.K else ())]
    values: list[dict[str, Any]] = [{}, {}]
    if names:
      reference = distances.Reference(real)
      values = [{score: x.value for score, x in reference.measure(y[:n], names).items()}
                for y in (synthetic, other)]
    row = {'class': name, 'real': len(real), 'synthetic': len(synthetic)}
    row |= {'frechet': values[0].get('frechet'), 'frechet_floor': values[1].get('frechet')}
    row |= {score: values[0].get(score) for score in BY_CLASS}
    row |= {f'{score}_floor': values[1].get(score) for score in BY_CLASS}
    if embedded.logits is not None and comparison.synthetic.labels is not None:
      right = embedded.logits[0].argmax(1)[labels == k] == k
      row['agreement'] = float(right.mean()) if len(right) else None
    rows.append(row)
  return rows
