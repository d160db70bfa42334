"""Augmentations that mix each example with the next one of its batch."""
from collections.abc import Callable

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions
from jaxsynth.data.augment.composition import Mixing
from jaxsynth.data.augment.example import Example, Number, at_least


def one_hot(num_classes: int) -> Callable[[Array, Example], Example]:
  """Integer labels as soft ones `[num_classes]`; floating ones are passed on.

  >>> print(one_hot(3)(jax.random.key(0), {'label': jnp.array(1)})['label'])
  [0. 1. 0.]
  """
  def augment(key: Array, example: Example) -> Example:
    del key
    return {**example, 'label': _soft(jnp.asarray(example['label']), num_classes)}
  return augment


def mixup(alpha: Number = 0.2, num_classes: int | None = None) -> Mixing:
  """Convex combinations of examples, and of their labels.

  `x_i <- l_i x_i + (1 - l_i) x_{i+1}` with `l_i` from Beta(alpha, alpha), and so for
  labels; the last example meets the first. Batches are shuffled, so the next example
  is a random one (Zhang et al. 2018, https://arxiv.org/abs/1710.09412; one `l` an
  example).

  Args:
    alpha: above 0.
    num_classes: makes integer labels soft. Soft labels `[B, K]` need none.

  Returns:
    An augmentation of batches. When called, it raises `ValueError` for integer labels
    without `num_classes`, integer masks or boxes, which have no such combination.
  """
  _check_alpha(alpha)

  def mix(keys: Array, batch: Example) -> Example:
    share = jax.vmap(lambda key: jax.random.beta(key, alpha, alpha))(keys)
    _refuse(batch, 'boxes', 'mixup')
    mask = batch.get('mask')
    if mask is not None and not jnp.issubdtype(mask.dtype, jnp.floating):
      raise ValueError(f'mixup: a mask of {mask.dtype} has no convex combinations; give '
                       'soft masks [B, H, W, K], or use cutmix')
    out = {name: _combined(batch[name], share) for name in ('image', 'mask') if name in batch}
    return {**batch, **out, **_labels(batch, share, num_classes)}
  return Mixing(mix)


def cutmix(alpha: Number = 1., num_classes: int | None = None) -> Mixing:
  """Pastes a window of the next example; labels mix by the area.

  With `l` from Beta(alpha, alpha), the window has `sqrt(1 - l)` of each side, its centre
  is anywhere, and it is cut at the border; the label is mixed by the area that is
  left (Yun et al. 2019, https://arxiv.org/abs/1905.04899). Masks are pasted too.

  Args:
    alpha: above 0.
    num_classes: makes integer labels soft. Soft labels `[B, K]` need none.

  Returns:
    An augmentation of batches. When called, it raises `ValueError` for integer labels
    without `num_classes`, and for boxes.
  """
  _check_alpha(alpha)

  def mix(keys: Array, batch: Example) -> Example:
    _refuse(batch, 'boxes', 'cutmix')
    h, w = batch['image'].shape[1:3]
    pasted = jax.vmap(lambda key: _window(key, alpha, h, w))(keys)
    out = {name: jnp.where(pasted.reshape(pasted.shape + (1,) * (x.ndim - 3)), _next(x), x)
           for name, x in batch.items() if name in ('image', 'mask')}
    kept = 1 - jnp.mean(pasted.astype(jnp.float32), (1, 2))
    return {**batch, **out, **_labels(batch, kept, num_classes)}
  return Mixing(mix)


def _window(key: Array, alpha: Number, h: int, w: int) -> Array:
  """Which pixels are pasted, `[h, w]`."""
  key_share, key_centre = jax.random.split(key)
  side = jnp.sqrt(1 - jax.random.beta(key_share, alpha, alpha))
  u = jax.random.uniform(key_centre, (2,))

  def inside(u: Array, n: int) -> Array:
    start = jnp.round(u * n - side * n / 2)
    places = jnp.arange(n)
    return (places >= start) & (places < start + jnp.round(side * n))
  return inside(u[0], h)[:, None] & inside(u[1], w)[None]


def _labels(batch: Example, share: Array, num_classes: int | None) -> Example:
  if 'label' not in batch:
    return {}
  return {'label': _combined(_soft(jnp.asarray(batch['label']), num_classes), share)}


def _soft(label: Array, num_classes: int | None) -> Array:
  if jnp.issubdtype(label.dtype, jnp.floating):
    return label
  if num_classes is None:
    raise ValueError(f'label: {label.dtype}, which cannot be mixed; give num_classes, or '
                     'soft labels [B, K]')
  return conditions.one_hot(label, num_classes)


def _combined(x: Array, share: Array) -> Array:
  weight = share.reshape(share.shape + (1,) * (x.ndim - 1)).astype(x.dtype)
  return weight * x + (1 - weight) * _next(x)


def _next(x: Array) -> Array:
  return jnp.roll(x, -1, 0)


def _check_alpha(alpha: Number) -> None:
  if at_least(alpha, 0, 'alpha') is not None and not isinstance(alpha, Array) and alpha == 0:
    raise ValueError('alpha=0: expected above 0; leave the augmentation out instead')


def _refuse(batch: Example, name: str, by: str) -> None:
  if name in batch:
    raise ValueError(f'{by}: {name!r} of two examples do not mix; leave {name!r} out')
