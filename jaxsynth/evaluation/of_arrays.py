"""Scores of arrays, for who has no run and no data set by name."""
from typing import Any

from absl import logging
import numpy as np

from jaxsynth.data import classes
from jaxsynth.data.examples import Examples
from jaxsynth.data.kinded import kind_of
from jaxsynth.evaluation.comparison import compare
from jaxsynth.evaluation.scoring import evaluate
from jaxsynth.evaluation.synthetic import Synthetic
from jaxsynth.metrics import features, predict
from jaxsynth.metrics.protocol import Scored

Images = Any  # an array [N, H, W, C], `(images, labels)`, or Examples, of any kind


def score_arrays(synthetic: Images, real: Images, *, other: Images | None = None,
                 train: Images | None = None, held_out: Images | None = None,
                 net: str | features.Features = 'auto', digits: bool = False, seed: int = 0
                 ) -> dict[str, Scored]:
  """Scores synthetic images against real ones: what `evaluate.py` writes, of arrays.

  Every set is an array of images `[N, H, W, C]`, uint8 in [0, 255] or floating in [-1, 1], a
  pair `(images, labels)` with integer labels `[N]`, or `Examples`, whose name the protocols
  then give and whose classes have names. Labels without names are their own: 7 is the class 7
  of every set. All have images of one shape and at least 100 of them.

  Args:
    synthetic: what is judged.
    real: the reference, which the model has not seen.
    other: more real images, for the floor: what the scores are of real against real. By
      default the training images, and without these half of `real`.
    train: what the model learned from: whether it gives these back is then tested too.
    held_out: real images that nothing learned from, for the floor of those tests.
    net: features that distances stand on: `'auto'` (the MNIST network's for digits, else a
      random network's), `'mnist'`, `'random'`, `'pixels'`, a file of Inception's weights, or
      `Features`.
    digits: whether the images are MNIST's digits, which a shipped classifier knows.
    seed: of which images are halved and taken, since as many synthetic as other real ones
      are scored.

  Returns:
    Name to score: `frechet`, `kernel`, `precision`, `recall`, `density`, `coverage`, those of
    pixels, `duplicates`, and where there is what they need those of classes and of copies;
    `frechet` needs more images than there are features, and a warning says that it is left out.
    `MEANINGS` says what each means. A score has a value, a floor, a standard error where one
    is known, and a protocol.

  Raises:
    ValueError: arrays that are no images or labels, or sets that do not go together.

  >>> random = np.random.default_rng(0)
  >>> real = random.integers(0, 256, (400, 4, 4, 1), np.uint8)
  >>> scores = score_arrays(real[:200] // 2, real[200:], net='pixels')
  >>> scores['frechet'].value > 5 * scores['frechet'].floor
  True
  >>> print(scores['recall'])  # doctest: +ELLIPSIS
  recall_pixels 0... (real against real 0...; 100 real of real, 100 synthetic, features ...)
  """
  judged, reference = _examples('synthetic', synthetic), _examples('real', real)
  others, trained, held = (None if x is None else _examples(name, x) for name, x in (
      ('other', other), ('train', train), ('held out', held_out)))
  labels = judged.labels
  num_classes = None if labels is None else int(labels.max()) + 1
  comparison = compare(Synthetic(judged, num_classes, {'kind': 'arrays'}), reference,
                       other=others, train=trained, held_out=held, seed=seed)
  if isinstance(net, str):
    net = kind_of(reference).features(net, digits)
  outcome = evaluate(comparison, net, digits)
  if 'frechet' in outcome.not_applicable:
    logging.warning('no Frechet distance of %s', outcome.not_applicable['frechet'])
  return outcome.scores


def _examples(name: str, given: Images) -> Examples:
  """Whatever was given, as examples.

  Raises:
    ValueError: no images, or labels that do not go with them.
  """
  names, kind = (given.class_names, given.kind) if isinstance(given, Examples) else (None, None)
  if isinstance(given, Examples):
    name, values, labels = given[:3]
  else:
    values, labels = given if isinstance(given, tuple) else (given, None)
  check = predict.pixels_checked if kind is None else kind.checked
  values = check(values, name)
  if labels is None:
    return Examples(name, values, kind=kind)
  labels = classes.integers(labels, len(values), name)
  if labels.min() < 0:
    raise ValueError(f'{name}: a label of {labels.min()}, expected them to be 0 or more')
  return Examples(name, values, labels.astype(np.int32), names, kind)
