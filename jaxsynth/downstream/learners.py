"""What is trained downstream of each kind: a small network, and a classical augmentation."""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.data import augment as augmentations
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


def jittered(key: Array, series: Array, label: Array) -> tuple[Array, Array]:
  """Classical augmentation of series: other sizes, a shift of time, and noise.

  Um et al. 2017, https://arxiv.org/abs/1706.00527, scaling and jittering; time is shifted by at
  most a twentieth, and what is shifted in repeats the end.
  """
  of_size, of_time, of_noise = jax.random.split(key, 3)
  size = 1 + .1 * jax.random.normal(of_size, (1, series.shape[1]))
  most = max(1, series.shape[0] // 20)
  shift = jax.random.randint(of_time, (), -most, most + 1)
  padded = jnp.pad(series, ((most, most), (0, 0)), 'edge')
  moved = jax.lax.dynamic_slice_in_dim(padded, most + shift, series.shape[0])
  return moved * size + .03 * jax.random.normal(of_noise, series.shape), label


LEARNERS: dict[str, Learner] = {
    'image': Learner(net_for, classical),
    'series': Learner(lambda shape, num_classes: SeriesClassifier(num_classes), jittered)}


def learner_of(kind: Kind) -> Learner:
  """What is trained of a kind.

  Raises:
    ValueError: nothing is known for it.
  """
  if kind.name not in LEARNERS:
    raise ValueError(f'no classifier of {kind.plural} is known; expected examples of '
                     f'{", ".join(LEARNERS)}, or an entry in jaxsynth.downstream.learners.LEARNERS')
  return LEARNERS[kind.name]
