"""Draws `experiments/figures/augmentation.png`: a row an augmentation, originals at the left.

    python experiments/draw_augmentations.py --out=experiments/figures/augmentation.png
"""
from collections.abc import Mapping
from typing import Any

from absl import app, flags
import jax
import jax.numpy as jnp
import numpy as np

from jaxsynth import data, images
from jaxsynth.data import augment

OUT = flags.DEFINE_string('out', 'experiments/figures/augmentation.png', 'The PNG.')
SEED = flags.DEFINE_integer('seed', 0, 'Of digits and draws.', lower_bound=0)
DRAWS = flags.DEFINE_integer('draws', 10, 'Columns beside the original.', lower_bound=1)
SCALE, LEFT, GAP = 2, 190, 4  # of a pixel; pixels for the names; between digits


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


def drawn(augmentation: Any, key: jax.Array, digits: jax.Array, row: int) -> np.ndarray:
  """The row's digit, then its augmentations: `[1 + draws, H, W, 1]`."""
  n = DRAWS.value
  own, others = digits[row], digits[len(digits) - n:]
  batch = jnp.broadcast_to(own, (n, *own.shape))
  if isinstance(augmentation, augment.Mixing):  # each meets the next: alternate with others
    batch = jnp.stack([batch, others], 1).reshape(2 * n, *own.shape)
  keys = jax.random.split(key, len(batch))
  out = jax.jit(augment.batched(augmentation))(keys, {'image': batch})['image']
  return np.concatenate([own[None], out[::len(batch) // n]])


def labelled(sheet: np.ndarray, names: list[str], height: int) -> np.ndarray:
  """The sheet, grey, with the name of each row at its left."""
  from PIL import Image, ImageDraw, ImageFont
  canvas = Image.new('L', (sheet.shape[1] + LEFT, sheet.shape[0]), 255)
  canvas.paste(Image.fromarray(sheet[..., 0]), (LEFT, 0))
  draw = ImageDraw.Draw(canvas)
  for i, name in enumerate(names):
    draw.text((8, int((i + .5) * height)), name, 0, ImageFont.load_default(15), anchor='lm')
  return np.asarray(canvas)[..., None]


def main(argv: list[str]) -> None:
  del argv
  todo = rows()
  source = data.mnist5k('train')
  at = np.random.default_rng(SEED.value).permutation(source.size)[:len(todo) + DRAWS.value]
  digits = data.to_float(source.take(at))['image']
  key = jax.random.key(SEED.value)
  cells = np.concatenate([drawn(a, jax.random.fold_in(key, i), digits, i)
                          for i, a in enumerate(todo.values())])
  pixels = data.to_uint8(cells).repeat(SCALE, 1).repeat(SCALE, 2)
  pad = ((0, 0), (GAP // 2, GAP // 2), (GAP // 2, GAP // 2), (0, 0))
  pixels = np.pad(pixels, pad, constant_values=255)
  sheet = images.grid(pixels, 1 + DRAWS.value)
  images.save_png(OUT.value, labelled(sheet, list(todo), pixels.shape[1]))


if __name__ == '__main__':
  app.run(main)
