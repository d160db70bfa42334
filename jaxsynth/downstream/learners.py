"""What is trained downstream of each kind: a small network, and a classical augmentation."""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import Array

from jaxsynth.data import augment as augmentations
from jaxsynth.data.augment import series as of_series
from jaxsynth.kinds.kind import Kind
from jaxsynth.models.classifier import Classifier
from jaxsynth.models.series_classifier import SeriesClassifier
from jaxsynth.objectives.classify import Augment


class Learner(NamedTuple):
  """What a kind brings to a study.

  Attributes:
    network: `(shape, num_classes) -> network`, as `objectives.classify` takes it.
    augment: `(key, values, label) -> (values, label)` of one example as models take it, which
      changes no class.
  """
  network: Callable[[tuple[int, ...], int], Any]
  augment: Augment


def net_for(image_shape: tuple[int, ...], num_classes: int) -> Classifier:
  """The small classifier, deeper for images of more than 32 pixels a side."""
  return Classifier(num_classes, (16, 32) if max(image_shape[:2]) <= 32 else (16, 32, 64, 64))


def classical(key: Array, image: Array, label: Array) -> tuple[Array, Array]:
  """Classical augmentation that changes no digit and no X-ray: no flips."""
  policy = augmentations.random_affine(degrees=10., translate=(.08, .08), scale=(.9, 1.1))
  return policy(key, {'image': image})['image'], label


def warped(key: Array, series: Array, label: Array) -> tuple[Array, Array]:
  """Classical augmentation of series: another course of time, other sizes, and noise."""
  of_size, of_time, of_noise, of_speed = jax.random.split(key, 4)
  x = of_series.time_warp(of_speed, series) if series.shape[0] > 1 else series
  x = of_series.shift(of_time, x, max(1, series.shape[0] // 20))
  return of_series.jitter(of_noise, of_series.rescale(of_size, x)), label


LEARNERS: dict[str, Learner] = {
    'image': Learner(net_for, classical),
    'series': Learner(lambda shape, num_classes: SeriesClassifier(num_classes), warped)}


def learner_of(kind: Kind) -> Learner:
  """What is trained of a kind.

  Raises:
    ValueError: nothing is known for it.
  """
  if kind.name not in LEARNERS:
    raise ValueError(f'no classifier of {kind.plural} is known; expected examples of '
                     f'{", ".join(LEARNERS)}, or an entry in jaxsynth.downstream.learners.LEARNERS')
  return LEARNERS[kind.name]
