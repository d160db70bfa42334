"""Draws `experiments/figures/augmentation.png`: a row an augmentation, originals at the left.

    python experiments/figures/augmentation.py --out=experiments/figures/augmentation.png
"""
from collections.abc import Mapping
import os
from typing import Any

from absl import app, flags
import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth import data, images, keys
from jaxsynth.data import augment

SCALE, GAP = 2, 4  # of a pixel; pixels between digits


def define_flags(values: flags.FlagValues) -> None:
  """The file, and what is drawn."""
  flags.DEFINE_string('out', 'experiments/figures/augmentation.png', 'The PNG.',
                      flag_values=values)
  flags.DEFINE_integer('seed', 0, 'Of digits and draws.', lower_bound=0, flag_values=values)
  flags.DEFINE_integer('draws', 10, 'Columns beside the original.', lower_bound=1,
                       flag_values=values)


def rows() -> Mapping[str, Any]:
  """What is drawn, by name."""
  geometric = (augment.random_crop(padding=3), augment.random_affine(
      15., (.05, .05), (.85, 1.15), (8., 8.)))
  return {
      'random_horizontal_flip': augment.random_horizontal_flip(),
      'random_crop': augment.random_crop(padding=4),
      'random_affine': augment.random_affine(25., (.1, .1), (.7, 1.2), (15., 15.)),
      'random_resized_crop': augment.random_resized_crop((28, 28), (.4, 1.)),
      'elastic_transform': augment.elastic_transform(34., 4.),
      'color_jitter': augment.color_jitter(.7, .7),
      'gaussian_noise': augment.gaussian_noise(.3),
      'gaussian_blur': augment.gaussian_blur((.3, 2.)),
      'cutout': augment.cutout(10),
      'rand_augment': augment.rand_augment(2, 12.),
      'mixup': augment.mixup(1.),
      'cutmix': augment.cutmix(1.),
      'compose': augment.compose(*geometric, augment.elastic_transform(20., 4.),
                                 augment.color_jitter(.3, .3), augment.cutout(8)),
  }


def drawn(augmentation: Any, key: jax.Array, digit: jax.Array, others: jax.Array) -> np.ndarray:
  """A digit, then its augmentations, as many as there are others: `[1 + n, H, W, 1]`."""
  n = len(others)
  batch = jnp.broadcast_to(digit, (n, *digit.shape))
  if isinstance(augmentation, augment.Mixing):  # each meets the next: alternate with others
    batch = jnp.stack([batch, others], 1).reshape(2 * n, *digit.shape)
  keys = jax.random.split(key, len(batch))
  out = jax.jit(augment.batched(augmentation))(keys, {'image': batch})['image']
  return np.concatenate([digit[None], out[::len(batch) // n]])


def main(argv: list[str]) -> None:
  del argv
  augmentations, draws, seed = rows(), flags.FLAGS.draws, flags.FLAGS.seed
  source = data.mnist5k('train')
  positions = np.random.default_rng(seed).permutation(source.size)
  digits = data.to_float(source.take(positions[:len(augmentations) + draws]))['image']
  key = keys.of_seed(seed)
  cells = np.concatenate([drawn(augmentation, jax.random.fold_in(key, i), digits[i],
                                digits[len(augmentations):])
                          for i, augmentation in enumerate(augmentations.values())])
  pixels = data.to_uint8(cells).repeat(SCALE, 1).repeat(SCALE, 2)
  pad = ((0, 0), (GAP // 2, GAP // 2), (GAP // 2, GAP // 2), (0, 0))
  pixels = np.pad(pixels, pad, constant_values=255)
  sheet = images.grid(pixels, 1 + draws)
  images.save_png(os.path.expanduser(flags.FLAGS.out),
                  images.with_names(sheet, list(augmentations)))


if __name__ == '__main__':
  define_flags(flags.FLAGS)
  app.run(main)
