"""What is trained downstream of each kind: a small network, and a classical augmentation."""
from collections.abc import Callable
import functools
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

from jaxsynth.data import augment as augmentations
from jaxsynth.data.augment import series as of_series
from jaxsynth.kinds import row_kind, row_layout
from jaxsynth.kinds.kind import Kind
from jaxsynth.metrics.features import one_hot
from jaxsynth.models.classifier import Classifier
from jaxsynth.models.row_classifier import RowClassifier
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


def of_rows(kind: Kind) -> Learner:
  """A dense network of rows, and noise on what are numbers there and are not missing."""
  columns, reach = row_kind.seen_columns(kind), row_kind.layout(kind).reach
  encode = one_hot(columns, reach).apply
  numbers = np.array([not column.classes for column in columns])
  lacking = np.array([column.missing for column in columns])
  return Learner(lambda shape, num_classes: RowClassifier(num_classes, encode),
                 _noisy(tuple(numbers.tolist()), tuple(lacking.tolist())))


@functools.lru_cache(maxsize=16)  # one function for one table, so that it is compiled once
def _noisy(numbers: tuple[bool, ...], lacking: tuple[bool, ...]) -> Augment:
  def augment(key: Array, row: Array, label: Array) -> tuple[Array, Array]:
    moves = np.array(numbers) & ~(np.array(lacking) & (row < row_layout.BETWEEN))
    low = np.where(lacking, row_layout.PRESENT[0], -1.)
    moved = jnp.clip(row + .03 * jax.random.normal(key, row.shape), low, 1)
    return jnp.where(moves, moved, row), label
  return augment


LEARNERS: dict[str, Callable[[Kind], Learner]] = {
    'image': lambda kind: Learner(net_for, classical),
    'series': lambda kind: Learner(lambda shape, num_classes: SeriesClassifier(num_classes),
                                   warped),
    'row': of_rows}


def learner_of(kind: Kind) -> Learner:
  """What is trained of a kind.

  Raises:
    ValueError: nothing is known for it.
  """
  if kind.name not in LEARNERS:
    raise ValueError(f'no classifier of {kind.plural} is known; expected examples of '
                     f'{", ".join(LEARNERS)}, or an entry in jaxsynth.downstream.learners.LEARNERS')
  return LEARNERS[kind.name](kind)
