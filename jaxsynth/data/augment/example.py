"""What is augmented: one example, and the numbers that say how much."""
from collections.abc import Callable, Mapping
import math
from typing import Any, TypeAlias

from jax import Array
import jax.numpy as jnp
import numpy as np

Example: TypeAlias = Mapping[str, Any]  # {'image': [H, W, C], 'mask': [H, W], ...}
Augmentation: TypeAlias = Callable[[Array, Example], Example]
Number: TypeAlias = float | Array  # `[]`, may be traced
Range: TypeAlias = Number | tuple[Number, Number]


def image_of(example: Example) -> Array:
  """The image `[H, W, C]` in [-1, 1] of one example.

  Raises:
    ValueError: none, another rank, or integers.
  """
  if 'image' not in example:
    raise ValueError(f"an example needs 'image', got {sorted(example)}")
  image = jnp.asarray(example['image'])
  if image.ndim != 3 or not jnp.issubdtype(image.dtype, jnp.floating):
    raise ValueError(
        f'image: {image.dtype}{list(image.shape)}, expected floating [H, W, C] in [-1, 1]; '
        'augment.batched takes [B, H, W, C], jaxsynth.data.to_float converts uint8')
  return image


def interval(value: Any, name: str) -> tuple[Number, Number]:
  """`v` as (-v, v), and a pair as it is.

  Raises:
    ValueError: not a number or two, not finite, or known to be the wrong way round.

  >>> interval(3., 'degrees'), interval((1., 2.), 'scale')
  ((-3.0, 3.0), (1.0, 2.0))
  """
  pair = isinstance(value, (tuple, list))
  if pair and len(value) != 2:
    raise ValueError(f'{name}={value}: expected a number or (low, high)')
  low, high = value if pair else (-value, value)
  known = [known_number(x, name) for x in (low, high)]
  if None not in known and known[0] > known[1]:  # type: ignore[operator]
    raise ValueError(f'{name}={value}: expected ' + (
        'low <= high' if pair else 'at least 0'))
  return low, high


def at_least(value: Number, low: float, name: str, high: float = math.inf) -> Number:
  """`value`, refused if it is known to be out of [low, high]."""
  known = known_number(value, name)
  if known is not None and not low <= known <= high:
    raise ValueError(f'{name}={value}: expected ' + (
        f'at least {low:g}' if high == math.inf else f'[{low:g}, {high:g}]'))
  return value


def known_number(value: Number, name: str) -> float | None:
  """A Python or NumPy number; `None` of an array, which may be traced.

  Raises:
    ValueError: anything else, or not finite.
  """
  if isinstance(value, Array):
    if value.shape:
      raise ValueError(f'{name}: an array {list(value.shape)}, expected one number; under '
                       'vmap give each example its own')
    return None
  if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or (
      not math.isfinite(value)):
    raise ValueError(f'{name}={value!r}: expected a finite number')
  return float(value)


def is_zero(value: Number) -> bool:
  """Whether nothing is to be done, as far as is known before the program runs."""
  return not isinstance(value, Array) and value == 0


def between(u: Array, bounds: tuple[Number, Number]) -> Array:
  """Uniform in [low, high) of `u` uniform in [0, 1)."""
  low, high = bounds
  return low + u * (high - low)


def clipped(image: Array, clip: bool = True) -> Array:
  """The image in [-1, 1]."""
  return jnp.clip(image, -1, 1) if clip else image
