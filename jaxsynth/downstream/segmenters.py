"""Segmenters: what is learned from masks, drawn by a rule or of real images, and how well."""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import train_step as ts
from jaxsynth.data import augment as augmentations
from jaxsynth.keys import of_seed
from jaxsynth.metrics import segmentation
from jaxsynth.models.segmenter import Segmenter
from jaxsynth.objectives.segment import segment
from jaxsynth.pixels import scaled
from jaxsynth.types import Tree

BatchAt = Callable[[int], Mapping[str, np.ndarray]]
BLOCK = 16  # images that are predicted together
RESAMPLED = 1000  # times, for an interval


class SegmenterRecipe(NamedTuple):
  """How a segmenter is trained, whatever it is trained on.

  Attributes:
    steps: of Adam, whose rate falls as a cosine to 0.
    learning_rate: at first.
    decay: of the average of parameters that is returned.
    seed: of the parameters and the augmentation.
  """
  steps: int = 2000
  learning_rate: float = 3e-3
  decay: float = .995
  seed: int = 0


class Masked(NamedTuple):
  """Scores of masks on a set of images, with 95 % intervals over its images.

  Attributes:
    mean_iou: of the classes that there are.
    interval: of it: 2.5 and 97.5 % of sets that are drawn from the images with replacement.
    accuracy: share of pixels that are right.
    iou: of each class, NaN of one that is not there.
  """
  mean_iou: float
  interval: tuple[float, float]
  accuracy: float
  iou: list[float]


def street_augmentation(key: Array, image: Array, mask: Array) -> tuple[Array, Array]:
  """Mirrored, cut out and resized, in other light: what changes no class of a street."""
  policy = augmentations.compose(
      augmentations.random_horizontal_flip(),
      augmentations.random_resized_crop((image.shape[0], image.shape[1]), scale=(.5, 1.)),
      augmentations.color_jitter(brightness=.4, contrast=.4, saturation=.5, hue=.05))
  moved = policy(key, {'image': image, 'mask': mask})
  return moved['image'], moved['mask']


def learned(batch_at: BatchAt, num_classes: int, recipe: SegmenterRecipe = SegmenterRecipe(), *,
            net: Any = None, augment: Any = street_augmentation,
            report: Callable[[int, Mapping[str, Any]], None] = lambda step, metrics: None
            ) -> tuple[Any, tuple[Tree, Tree]]:
  """Trains a segmenter.

  Args:
    batch_at: from a step to `{'image': uint8 [B, H, W, C], 'mask': [B, H, W]}`.
    num_classes: of the masks, which have `segmentation.IGNORED` where nothing is known.
    recipe: how long, and so on.
    net: a network as `objectives.segment` takes it; by default `Segmenter`.
    augment: as `objectives.segment`'s; `None` for none.
    report: called with each step and its metrics, on the device.

  Returns:
    The network, and its averaged parameters and variables.

  Raises:
    ValueError: batches without masks.
  """
  net = net or Segmenter(num_classes)
  rate = optax.cosine_decay_schedule(recipe.learning_rate, recipe.steps)
  algorithm = ts.build(segment(net, ignored=segmentation.IGNORED, augment=augment),
                       {'segmenter': optax.adam(rate)},
                       ema=ts.EMA(('segmenter',), recipe.decay))
  step, key = ts.jit(algorithm.step), of_seed(recipe.seed)
  pixels = lambda batch: {'image': scaled(batch['image']),
                          'mask': jnp.asarray(batch['mask'], jnp.int32)}
  state = algorithm.init(key, pixels(batch_at(0)))
  for k in range(recipe.steps):
    state, metrics = step(state, pixels(batch_at(k)), key)
    report(k + 1, metrics)
  params, variables = ts.averaged(state)
  return net, (params['segmenter'], variables['segmenter'])


def predicted(net: Any, weights: tuple[Tree, Tree], images: np.ndarray) -> np.ndarray:
  """Masks uint8 `[N, H, W]` of images uint8 `[N, H, W, C]`: the likeliest class of each pixel."""
  params, variables = weights
  sample = jax.jit(lambda x: segment(net).sample(
      {'segmenter': params}, {'segmenter': variables}, jax.random.split(jax.random.key(0), BLOCK),
      scaled(x)))
  parts = []
  for start in range(0, len(images), BLOCK):
    block = images[start:start + BLOCK]
    padded = np.resize(block, (BLOCK, *block.shape[1:]))
    parts.append(np.asarray(sample(padded))[:len(block)].astype(np.uint8))
  return np.concatenate(parts)


def measured(masks: np.ndarray, guesses: np.ndarray, num_classes: int, seed: int = 0) -> Masked:
  """Scores of guessed masks, with intervals over images.

  Args:
    masks: the true ones, `[N, H, W]`.
    guesses: of the same shape.
    num_classes: that there are.
    seed: of the sets that are drawn for the interval.

  >>> half = np.array([[[0, 1]]] * 4)
  >>> measured(half, half, 2).interval
  (1.0, 1.0)
  """
  each = np.stack([segmentation.confusion(*pair, num_classes) for pair in zip(masks, guesses)])
  whole = segmentation.scores(each.sum(0))
  rng = np.random.default_rng(seed)
  drawn = [segmentation.scores(each[rng.integers(0, len(each), len(each))].sum(0)).mean_iou
           for _ in range(RESAMPLED)]
  low, high = np.quantile(drawn, [.025, .975])
  return Masked(whole.mean_iou, (float(low), float(high)), whole.accuracy, whole.iou.tolist())
