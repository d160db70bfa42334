"""Pseudo-labels of a data set: given as it is drawn, and counted once it is whole."""
import json
import pathlib
from typing import Any

import numpy as np

from jaxsynth import files
from jaxsynth.data.examples import Examples
from jaxsynth.data.kinded import kind_of
from jaxsynth.pixels import scaled
from jaxsynth.quality.labeller import Labeller
from jaxsynth.quality.order import Order
from jaxsynth.quality.real import RealData
from jaxsynth.synthesis.draw import Stream
from jaxsynth.synthesis.filters import Candidates, Filter, scores
from jaxsynth.synthesis.filters.base import ToModel
from jaxsynth.synthesis.pseudo_labels import Labelled, pseudo_labelled


def label_stream(stream: Stream, order: Order, real: RealData, labeller: Labeller) -> Stream:
  """The samples with the labels that a classifier gives; counts are kept beside each shard.

  Args:
    stream: the samples, with labels or without.
    order: of the data set, whose folder exists.
    real: on whose held-out images the classifier's accuracy is measured.
    labeller: the classifier.

  Returns:
    The stream.

  Raises:
    OSError: the folder cannot be written.
  """
  path = order.folder / '.pseudo_labels.json'
  if not path.exists():
    with files.write_aside(path, exclusive=True) as f:
      f.write(json.dumps({'sha256': labeller.digest, 'validation': real.held_out.name,
                          'accuracy_on_validation': accuracy(labeller, real.held_out,
                                                             kind_of(real.train).to_model)},
                         indent=2).encode())

  def keep_counts(start: int, stop: int, counts: Labelled) -> None:
    path = _counts_path(order, start, stop)
    path.parent.mkdir(exist_ok=True)
    with files.write_aside(path) as f:
      f.write(json.dumps(counts._asdict()).encode())
  assert real.train.num_classes is not None  # see read_real
  kind = kind_of(real.train)
  return pseudo_labelled(stream, labeller.logits, labeller.weights, real.train.num_classes,
                         block=order.block, kind=kind,
                         report=keep_counts)


def accuracy(labeller: Labeller, examples: Examples, to_model: ToModel = scaled) -> float | None:
  """The share of images that a classifier gives their own label; `None` without labels."""
  if examples.labels is None:
    return None
  agrees = Filter('agrees', labeller.weights,
                  lambda w, x: labeller.logits(w, to_model(x.images)).argmax(-1) == x.labels)
  return float(np.mean(scores(agrees, Candidates(examples.values, examples.labels, None))))


def label_counts(order: Order) -> dict[str, Any]:
  """What the labels came to, once all shards are there.

  Returns:
    `images` of each class, `changed` (the share that was asked for as another class, or
    `None`), `accuracy_on_validation` and what the classifier is.
  """
  parts = [Labelled(**json.loads(_counts_path(order, s.start, s.stop).read_text()))
           for s in order.shards]
  total = sum(parts[1:], parts[0])
  about = json.loads((order.folder / '.pseudo_labels.json').read_text(encoding='utf-8'))
  changed = None if total.changed is None else total.changed / sum(total.images)
  return about | {'images': total.images, 'changed': changed}


def label_summary(counts: dict[str, Any]) -> str:
  """`label_counts` as one line."""
  right, changed = counts['accuracy_on_validation'], counts['changed']
  return ('labels by a classifier' + (
      '' if right is None else f', right for {right:.2%} of {counts["validation"]}') + (
          '' if changed is None else f': {changed:.2%} are not what was asked for') +
      f'; images of each class {counts["images"]}' + (
          '' if all(counts['images']) else ': NONE OF SOME'))


def _counts_path(order: Order, start: int, stop: int) -> pathlib.Path:
  return order.folder / '.labelled' / f'{start}-{stop}.json'
