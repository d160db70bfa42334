"""Pseudo-labels of a data set, from the flags of `synthesize.py`."""
import json
import pathlib
from typing import Any

from absl import flags

import fitting
from jaxsynth import files
from jaxsynth.synthesis.draw import Stream
from jaxsynth.synthesis.filters import Candidates, Filter, scores, to_float
from jaxsynth.synthesis.pseudo_labels import Labelled, pseudo_labelled
import judge
import quality_options
import recipe
import trained

FLAGS = flags.FLAGS


def settings() -> dict[str, Any] | None:
  """What the labels depend on, for the metadata; `None` without pseudo-labels."""
  if not FLAGS.pseudo_labels:
    return None
  return {'classifier': quality_options.given_classifier() or "trained on the model's data"}


def stream(inner: Stream, ordered: recipe.Order, model: trained.Trained,
           real: quality_options.Real) -> Stream:
  """The samples with the labels that a classifier gives; counts are kept beside each shard."""
  classes = real.train.num_classes
  assert classes is not None
  own = fitting.classifier(ordered.folder, model, real)
  path = ordered.folder / '.pseudo_labels.json'
  if not path.exists():
    with files.write_aside(path, exclusive=True) as f:
      f.write(json.dumps({'sha256': own.digest, 'validation': real.held_name,
                          'accuracy_on_validation': accuracy(own, real)}, indent=2).encode())

  def told(start: int, stop: int, found: Labelled) -> None:
    path = _counts(ordered, start, stop)
    path.parent.mkdir(exist_ok=True)
    with files.write_aside(path) as f:
      f.write(json.dumps(found._asdict()).encode())
  return pseudo_labelled(inner, own.logits, own.weights, classes, block=ordered.block, told=told)


def accuracy(own: judge.Judge, real: quality_options.Real) -> float | None:
  """The share of held-out images that the classifier gives their own label."""
  if real.held_labels is None:
    return None
  right = Filter('right', own.weights,
                 lambda w, x: own.logits(w, to_float(x.images)).argmax(-1) == x.labels)
  held = Candidates(real.held, real.held_labels, None)
  return float(scores(right, held).mean())


def measured(ordered: recipe.Order) -> dict[str, Any]:
  """What the labels came to, once all shards are there."""
  parts = [Labelled(**json.loads(_counts(ordered, s.start, s.stop).read_text()))
           for s in ordered.shards]
  total = sum(parts[1:], parts[0])
  about = json.loads((ordered.folder / '.pseudo_labels.json').read_text(encoding='utf-8'))
  changed = None if total.changed is None else total.changed / sum(total.images)
  return about | {'images': total.images, 'changed': changed}


def show(found: dict[str, Any]) -> str:
  """One line."""
  right, changed = found['accuracy_on_validation'], found['changed']
  return ('labels by a classifier' + (
      '' if right is None else f', right for {right:.2%} of {found["validation"]}') + (
          '' if changed is None else f': {changed:.2%} are not what was asked for') +
      f'; images of each class {found["images"]}' + (
          '' if all(found['images']) else ': NONE OF SOME, whose folders are missing from sorted '
          'names'))


def _counts(ordered: recipe.Order, start: int, stop: int) -> pathlib.Path:
  return ordered.folder / '.labelled' / f'{start}-{stop}.json'
