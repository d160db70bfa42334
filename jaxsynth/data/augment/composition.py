"""Augmentations one after another, with probabilities, and over batches."""
from collections.abc import Callable
import dataclasses
import itertools
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth.data.augment.example import Example, Number, at_least
from jaxsynth.data.augment.geometric import Geometric, fused, fusible, sometimes
from jaxsynth.data.augment.layout import kept


@dataclasses.dataclass(frozen=True, eq=False)
class Mixing:
  """An augmentation `(keys [B], batch) -> batch` that mixes the examples of a batch."""
  mix: Callable[[Array, Example], Example]

  def __call__(self, keys: Array, batch: Example) -> Example:
    return self.mix(keys, batch)


def compose(*augmentations: Any) -> Any:
  """One augmentation: the first, then the next, each with its own key.

  The i-th draws from `jax.random.split(key, n)[i]`. Neighbours that move pixels are
  one resampling: their matrices are multiplied, so that nothing is blurred twice,
  and what one moved out of sight the next can bring back.

  Args:
    *augmentations: any `(key, example) -> example`; or, from `mixup` and `cutmix`,
      `(keys [B], batch) -> batch`.

  Returns:
    An augmentation of one example; of a batch if one of them mixes examples;
    `batched` takes either.

  >>> import jax, jax.numpy as jnp
  >>> twice = compose(lambda key, x: {'image': x['image'] / 2}, lambda key, x: x)
  >>> print(twice(jax.random.key(0), {'image': jnp.ones((1, 1, 1))})['image'].item())
  0.5
  """
  if any(isinstance(a, Mixing) for a in augmentations):
    return _composed_mixing(augmentations)
  groups = _groups(augmentations)
  n = len(augmentations)
  if len(groups) == 1 and isinstance(groups[0][2], Geometric):
    whole = groups[0][2]
    return whole if n == 1 else dataclasses.replace(
        whole, move=lambda key, size: whole.move(jax.random.split(key, n), size))

  def composed(key: Array, example: Example) -> Example:
    keys = jax.random.split(key, n)
    for start, stop, augmentation in groups:
      example = augmentation(keys[start] if stop == start + 1 else keys[start:stop], example)
      if isinstance(augmentation, Geometric) and stop < n:
        example = {**example, 'image': kept(example['image'])}
    return example
  return composed


def _groups(augmentations: tuple) -> list[tuple[int, int, Any]]:
  """(start, stop, augmentation of keys[start:stop]); one of one takes a key."""
  groups: list[tuple[int, int, Any]] = []
  for i, a in enumerate(augmentations):
    start = groups[-1][0] if groups else 0
    if groups and all(isinstance(b, Geometric) for b in (a, augmentations[i - 1])) and (
        fusible(a, augmentations[i - 1])):
      groups[-1] = (start, i + 1, fused(augmentations[start:i + 1]))
    else:
      groups.append((i, i + 1, a))
  return groups


def _composed_mixing(augmentations: tuple) -> Mixing:
  runs = [(mixes, list(run)) for mixes, run in itertools.groupby(
      augmentations, lambda a: isinstance(a, Mixing))]
  steps = [batched(a) for mixes, run in runs for a in (run if mixes else [compose(*run)])]

  def mix(keys: Array, batch: Example) -> Example:
    split = jax.vmap(lambda key: jax.random.split(key, len(steps)))(keys)
    for i, step in enumerate(steps):
      batch = step(split[:, i], batch)
    return batch
  return Mixing(mix)


def maybe(p: Number, augmentation: Any) -> Any:
  """The augmentation with probability `p`, and nothing otherwise.

  Args:
    p: in [0, 1]; may be traced, as ADA's is, and then changes without a new
      compilation.
    augmentation: what `compose` takes. It must keep shapes and dtypes. One that mixes
      examples is left out example by example.

  Returns:
    An augmentation of the same kind.

  Raises:
    ValueError: `p` out of range; when called, an augmentation that changes shapes.

  >>> import jax, jax.numpy as jnp
  >>> white = lambda key, x: {**x, 'image': jnp.ones_like(x['image'])}
  >>> keys, batch = jax.random.split(jax.random.key(0), 1000), jnp.zeros((1000, 1, 1, 1))
  >>> share = batched(maybe(0.25, white))(keys, {'image': batch})['image'].mean()
  >>> print(f'{share:.3f}')
  0.227
  """
  at_least(p, 0, 'p', 1)
  if isinstance(augmentation, Geometric):
    return sometimes(p, augmentation)

  def chosen(hit: Array, new: Any, old: Any) -> Array:
    new, old = jnp.asarray(new), jnp.asarray(old)
    if new.shape != old.shape or new.dtype != old.dtype:
      raise ValueError(
          f'maybe: {old.dtype}{list(old.shape)} became {new.dtype}{list(new.shape)}; only '
          'an augmentation that keeps shape and dtype can be left out (give mixup and '
          'cutmix soft labels: augment.one_hot)')
    return jnp.where(hit.reshape(hit.shape + (1,) * (new.ndim - hit.ndim)), new, old)

  def once(key: Array, example: Example) -> Example:
    chance, rest = jax.random.split(key)
    hit = jax.random.uniform(chance) < p
    new = augmentation(rest, example)
    return {**new, **{name: chosen(hit, new[name], x) for name, x in example.items()}}

  def mix(keys: Array, batch: Example) -> Example:
    split = jax.vmap(jax.random.split)(keys)
    hit = jax.vmap(jax.random.uniform)(split[:, 0]) < p
    new = augmentation(split[:, 1], batch)
    return {**new, **{name: chosen(hit, new[name], x) for name, x in batch.items()}}
  return Mixing(mix) if isinstance(augmentation, Mixing) else once


def batched(augmentation: Any) -> Callable[[Array, Example], Example]:
  """Over a batch: `augment(keys [B], batch) -> batch`, a key an example.

  Unless examples are mixed, what becomes of one depends on it and its key alone: not
  on the batch around it, nor on the devices that share it.

  Args:
    augmentation: of one example, or one that mixes the examples of a batch.

  Returns:
    A pure function, to be compiled into a step. `keys` are typed, as
    `jaxsynth.keys.per_example(key, B, ctx)` or `jax.random.split(key, B)` gives; every
    array of the batch is `[B, ...]`.

  >>> import jax, jax.numpy as jnp
  >>> from jaxsynth.data import augment
  >>> f = jax.jit(batched(augment.compose(
  ...     augment.random_horizontal_flip(), augment.random_crop(padding=4),
  ...     augment.color_jitter(brightness=0.2, contrast=0.2))))
  >>> keys = jax.random.split(jax.random.key(0), 8)
  >>> f(keys, {'image': jnp.zeros((8, 28, 28, 1)), 'label': jnp.arange(8)})['image'].shape
  (8, 28, 28, 1)
  """
  over = augmentation if isinstance(augmentation, Mixing) else jax.vmap(augmentation)

  def augment(keys: Array, batch: Example) -> Example:
    if not jnp.issubdtype(keys.dtype, jax.dtypes.prng_key) or keys.ndim != 1:
      raise ValueError(f'keys: {keys.dtype}{list(keys.shape)}, expected typed keys [B], as '
                       'jax.random.split(jax.random.key(seed), B) gives')
    for name, x in batch.items():
      for leaf in jax.tree.leaves(x):
        if jnp.shape(leaf)[:1] != keys.shape:
          raise ValueError(f'{name}: shape {list(jnp.shape(leaf))} with {len(keys)} keys, '
                           'expected [B, ...] and [B]')
    return over(keys, dict(batch))
  return augment
