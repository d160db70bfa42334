"""RandAugment: one number for how strong, and random operations of that strength."""
import functools

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.data.augment import levels, moves
from jaxsynth.data.augment.color import luma
from jaxsynth.data.augment.example import (
    Augmentation, Example, Number, at_least, clipped, image_of)
from jaxsynth.data.augment.geometric import Geometric, Size
from jaxsynth.data.augment.layout import kept, planes, stacked, total
from jaxsynth.data.augment.moves import Move

OPERATIONS = ('identity', 'shear_x', 'shear_y', 'translate_x', 'translate_y', 'rotate',
              'brightness', 'color', 'contrast', 'sharpness', 'posterize', 'solarize',
              'autocontrast', 'equalize')
AT = {name: i for i, name in enumerate(OPERATIONS)}


def rand_augment(num_ops: int = 2, magnitude: Number = 9., fill: Number = -1.) -> Augmentation:
  """`num_ops` operations, each any of fourteen, all of one strength.

  Identity, shear and translation along x and y, rotation, brightness, color, contrast,
  sharpness, posterize, solarize, autocontrast, equalize; strengths are linear in
  `m = magnitude / 30` as in torchvision's `RandAugment`: tangents to 0.3, 150/331 of a
  side, 30 degrees, factors 1 +- 0.9 m, 8 - round(4 m) bits, threshold 1 - m; the sign of
  those that have one is random. Geometric operations are bilinear and move masks and
  boxes. Where posterize or equalize is drawn, the image's gradient is zero.

  Args:
    num_ops: operations one after another.
    magnitude: in [0, 30]; may be traced.
    fill: around moved images, `[]` or `[C]`.

  Returns:
    An augmentation of images of 1 or 3 channels.

  Cubuk et al. 2020, RandAugment, https://arxiv.org/abs/1909.13719.

  >>> out = jax.jit(rand_augment())(jax.random.key(0), {'image': jnp.zeros((28, 28, 1))})
  >>> out['image'].shape
  (28, 28, 1)
  """
  at_least(num_ops, 0, 'num_ops')
  m = at_least(magnitude, 0, 'magnitude', 30) / 30

  def augment(key: Array, example: Example) -> Example:
    u = jax.random.uniform(key, (num_ops, 2))
    for i in range(num_ops):
      op = jnp.floor(u[i, 0] * len(OPERATIONS)).astype(jnp.int32)
      example = operation(example, op, m, jnp.where(u[i, 1] < .5, -1., 1.), fill)
    return example
  return augment


def operation(example: Example, op: Array, m: Number, sign: Array, fill: Number = -1.) -> Example:
  """The operation `OPERATIONS[op]` of strength `m` in [0, 1].

  All are computed in a few passes over the image and selected, so `op` may differ
  from example to example under `vmap`.
  """
  example = Geometric(functools.partial(_move, op, m * sign), fill=fill)(op, example)
  image = kept(image_of(example))
  return {**example, 'image': _recolored(image, op, m, sign).astype(image.dtype)}


def _move(op: Array, m: Number, key: Array, image_size: Size) -> Move:
  """The move of a geometric operation, else none. Shears keep the upper left corner."""
  del key
  only = lambda name, value: jnp.where(op == AT[name], value, 0.)
  shear_x, shear_y = only('shear_x', .3 * m), only('shear_y', .3 * m)
  part = 150 / 331
  down = only('translate_y', part * m * image_size[0]) - shear_y * image_size[1] / 2
  right = only('translate_x', part * m * image_size[1]) - shear_x * image_size[0] / 2
  return Move(moves.product(
      moves.shearing(shear_y, shear_x), moves.rotation(only('rotate', jnp.deg2rad(30. * m))),
      moves.translation(down, right)))


def _recolored(image: Array, op: Array, m: Number, sign: Array) -> Array:
  """The operation of colours or levels, else the image.

  The linear ones are one sum, `a x + b gray + c smooth + d`.
  """
  f = 1 + sign * .9 * m
  only = lambda name, value: jnp.where(op == AT[name], value, 0.)
  channels = planes(image)
  gray = luma(channels)
  to_gray, to_smooth = only('color', 1 - f), only('sharpness', 1 - f)
  shift = only('brightness', f - 1) + only('contrast', (1 - f) * total(gray) / gray.size)
  blends = (op >= AT['brightness']) & (op <= AT['sharpness'])
  auto = op == AT['autocontrast']
  bits, threshold = 8 - jnp.round(4 * m), 1 - 2 * m

  def recolored(x: Array) -> Array:
    scale, offset = levels.autocontrast_terms(x)
    linear = (jnp.where(auto, scale, jnp.where(blends, f, 1.)) * x + to_gray * gray
              + to_smooth * levels.smooth_plane(x) + shift + jnp.where(auto, offset, 0.))
    out = jnp.where(blends | auto, clipped(linear), x)
    out = jnp.where(op == AT['posterize'], levels.posterize(x, bits), out)
    out = jnp.where(op == AT['solarize'], levels.solarize(x, threshold), out)
    return jnp.where(op == AT['equalize'], levels.equalize_plane(x), out)
  return stacked([kept(recolored(x)) for x in channels])
