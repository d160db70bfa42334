"""Cheap scores of the averaged model, as training goes: `scores.jsonl`."""
from collections.abc import Callable
import json
import pathlib
from typing import Any

import jax
import numpy as np

from jaxsynth import data, files, train_step as ts
from jaxsynth.data.examples import Examples, random_positions
from jaxsynth.data.kinded import kind_of
from jaxsynth.metrics import distances, features
from jaxsynth.metrics.protocol import Protocol, check_same
from jaxsynth.runs.artist import Artist

NAME = 'scores.jsonl'
BEST = 'frechet'  # the least of it is the best checkpoint
NAMES = ('frechet', 'precision', 'recall', 'density', 'coverage')


class LearningCurve:
  """Scores a state against held-out real images, and keeps the line.

  The samples are the same addresses every time, of a key of their own. A line of
  scores.jsonl holds nothing of the clock; it is on disk before the checkpoint is saved.

  Args:
    folder: of the run.
    held: real examples that nothing learned from.
    source: what is trained on; as many of it stand in for samples in the floor.
    net: features that the scores stand on.
    num_samples: that are scored.
    seed: of the examples in the floor.
    key: of the samples.
    artist: draws.
    classifier: of the classes, for the entropy of what is drawn; `None` without.
    beside: `step -> row`, what else a line holds.

  Raises:
    ValueError: too few images for the features, or lines that were measured otherwise.
  """

  def __init__(self, folder: pathlib.Path, held: Examples, source: data.Source,
               net: features.Features, num_samples: int, seed: int, key: jax.Array,
               artist: Artist, classifier: features.Features | None = None,
               beside: Callable[[int], dict[str, Any]] = lambda step: {}):
    self._beside = beside
    self._path, self._artist, self._n = folder / NAME, artist, num_samples
    self._net, self._key, self._classifier = net, key, classifier
    self._kind = kind = kind_of(source)
    self._reference = distances.Reference(features.extract_all(net, held.values, kind.to_model))
    positions = random_positions(source.size, num_samples, seed)
    known = features.extract_all(net, source.take(positions)[kind.name], kind.to_model)
    if why := self._reference.too_few(min(len(known), num_samples)):
      more = ('name more by --eval_split' if self._reference.size <= known.shape[1] else
              'draw more by --eval_samples' if num_samples <= known.shape[1] else
              'the training examples are too few for these features')
      raise ValueError(f'--eval_every: no Frechet distance of {why}; {more}, or leave '
                       '--eval_every out')
    self._floor = self._reference.measure(known, ('frechet',))['frechet'].value
    self._card = Protocol.of(
        features.score_name('frechet', net), net, n_real=self._reference.size,
        n_fake=num_samples, split=held.name,
        settings={'k': distances.K, 'n_floor': len(known)})
    for row in read_scores(folder):
      check_same(Protocol(**row['protocol']), self._card)

  def __call__(self, step: int, state: ts.TrainState) -> dict[str, float]:
    """Scores a state, writes the line and returns it."""
    drawn = self._artist.draw(state, self._key, self._n)
    fake = features.extract_all(self._net, drawn, self._kind.to_model)
    scores = {name: score.value
              for name, score in self._reference.measure(fake, NAMES).items()}
    if self._classifier is not None:
      seen = features.extract_all(self._classifier, drawn).argmax(1)
      scores['class_entropy'] = entropy(np.bincount(seen))
    row = {'step': step, **scores, 'frechet_floor': self._floor,
           'protocol': self._card._asdict(), **self._beside(step)}
    with open(self._path, 'a', encoding='utf-8') as f:
      f.write(json.dumps(row) + '\n')
    self._artist.scalars(step, {f'scores/{name}': x for name, x in scores.items()})
    return scores


def entropy(counts: np.ndarray) -> float:
  """Of the shares that counts `[K]` are, in nats.

  >>> round(entropy(np.array([5, 0, 5])), 4)
  0.6931
  """
  shares = counts[counts > 0] / counts.sum()
  return float(-(shares * np.log(shares)).sum())


def read_scores(folder: pathlib.Path) -> list[dict[str, Any]]:
  """The whole lines of a run's scores.jsonl; none where there is none."""
  return files.rows(pathlib.Path(folder).expanduser() / NAME)
