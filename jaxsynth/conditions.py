"""Labels on their way into a network: integers in [0, K), or an error."""
from collections.abc import Mapping
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp
import numpy as np

CONDITIONS = ('label', 'noise')  # what a batch says of its examples


def of_batch(batch: Mapping[str, Array], who: str, conditional: bool = True) -> tuple[Array, ...]:
  """`(labels,)` of a batch, or nothing for a model that is not conditional.

  Args:
    batch: `{'image': [B, ...], 'label': [B]}`.
    who: needs them, for the error.
    conditional: whether anybody does.

  Raises:
    ValueError: there are none.

  >>> of_batch({'image': jnp.zeros((2, 4, 4, 1))}, 'a conditional GAN')
  Traceback (most recent call last):
  ValueError: the batch of a conditional GAN needs 'label', got ['image']
  """
  if not conditional:
    return ()
  if 'label' not in batch:
    raise ValueError(f"the batch of {who} needs 'label', got {sorted(batch)}")
  return (batch['label'],)


def learned(batch: Mapping[str, Array]) -> Array:
  """The array of a batch that a model learns: `'image'`, or else the only one but conditions.

  Args:
    batch: `{'image': [B, H, W, C], ...}`, or with an array of another kind, as `'series'`.

  Raises:
    ValueError: there is none such, or there are several.

  >>> learned({'series': jnp.zeros((2, 24, 1)), 'label': jnp.zeros(2)}).shape
  (2, 24, 1)
  """
  return batch[learned_name(batch)]


def learned_name(batch: Mapping[str, Array]) -> str:
  """The name of that array.

  Raises:
    ValueError: as `learned`.
  """
  if 'image' in batch:
    return 'image'
  names = sorted(set(batch) - set(CONDITIONS))
  if len(names) != 1:
    raise ValueError(f"the batch has {sorted(batch)}: expected 'image', or one array beside "
                     f'{" and ".join(CONDITIONS)}')
  return names[0]


def checked(labels: Any, num_classes: int) -> Array:
  """The labels, of which none is out of range.

  What a compiled program is given cannot be looked at: its labels below 0 become
  `num_classes`, for which a look-up gives NaN, as for all above (`jnp.take`), instead of a
  class counted from the end.

  Args:
    labels: integers `[...]`.
    num_classes: `K`.

  Raises:
    ValueError: labels that are no integers, or out of [0, K).

  >>> checked(np.array([0, 7]), 3)
  Traceback (most recent call last):
  ValueError: label 7: expected integers in [0, 3), one for each of the 3 classes
  """
  if not jnp.issubdtype(jnp.asarray(labels).dtype, jnp.integer):
    raise ValueError(f'labels of {jnp.asarray(labels).dtype}: expected integers in '
                     f'[0, {num_classes}), one for each of the {num_classes} classes')
  if not isinstance(labels, jax.core.Tracer):
    outside = np.asarray(labels)[(np.asarray(labels) < 0) | (np.asarray(labels) >= num_classes)]
    if outside.size:
      raise ValueError(f'label {outside[0]}: expected integers in [0, {num_classes}), one for '
                       f'each of the {num_classes} classes')
  return jnp.where(labels < 0, num_classes, labels)


def one_hot(labels: Any, num_classes: int, dtype: Any = jnp.float32) -> Array:
  """`[..., K]`, 1 at the label; NaN for a label that is out of range in a compiled program.

  Zeros, as `jax.nn.one_hot` has them, would be a condition that nothing was trained on.

  Args:
    labels: integers `[...]`.
    num_classes: `K`.
    dtype: of the result.

  Raises:
    ValueError: as `checked`.

  >>> one_hot(jnp.array([1, 0]), 3).tolist()
  [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
  >>> jax.jit(lambda x: one_hot(x, 3))(jnp.array([1, 7]))[1].tolist()
  [nan, nan, nan]
  """
  labels = checked(labels, num_classes)
  known = jax.nn.one_hot(labels, num_classes, dtype=dtype)
  return jnp.where((labels < num_classes)[..., None], known, jnp.nan)
