"""A segmenter: one player, the cross entropy of every pixel's class."""
from collections.abc import Callable
from typing import Any

import chex
import jax
from jax import Array
import jax.numpy as jnp
import optax

from jaxsynth import keys as keys_
from jaxsynth.objectives import network
from jaxsynth.types import Batch, Context, Objective, PerPlayer

Augment = Callable[[Array, Array, Array], tuple[Array, Array]]


def segment(segmenter: Any, *, ignored: int = 255, augment: Augment | None = None) -> Objective:
  """Binds a network into a segmenter of images.

  The player `segmenter` descends the mean over the batch of each image's mean of

      -log softmax(logits)_k

  over its pixels of a known class k. Batches are `{'image': [B, H, W, C]}` in [-1, 1] with
  `'mask'`, integers `[B, H, W]` or `[B, H, W, 1]`. The metric `accuracy` is the share of such
  pixels whose class has the largest logit.

  Args:
    segmenter: has Linen's `init` and `apply`, called as `(image, train=)`; gives logits
      `[B, H, W, K]`.
    ignored: the class of pixels that do not count.
    augment: `(key, image [H, W, C], mask [H, W]) -> (image, mask)`, of one example; applied in
      training alone. Its key is a function of (key, index in the whole batch).

  Returns:
    An `Objective`. `sample(params, variables, keys, cond)` gives masks int32 `[n, H, W]` of the
    images `cond` `[n, H, W, C]`, the likeliest class of each pixel, whatever the keys; it raises
    `ValueError` without images. `init` and `loss` raise `ValueError` for a batch without masks,
    or with masks of another size.

  >>> from jaxsynth.models.segmenter import Segmenter
  >>> objective = segment(Segmenter(num_classes=3, widths=(4, 8)))
  >>> batch = {'image': jnp.zeros((2, 8, 8, 1)), 'mask': jnp.zeros((2, 8, 8), int)}
  >>> params, variables = objective.init(jax.random.key(0), batch)
  >>> objective.sample(params, variables, jax.random.split(jax.random.key(1)),
  ...                  batch['image']).shape
  (2, 8, 8)
  """
  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    image = batch['image'][:1]
    chex.assert_rank(image, 4)
    _mask_of(batch)
    params, variables = network.init(segmenter, key, image)
    return {'segmenter': params}, {'segmenter': variables, 'shared': {}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, mask = batch['image'], _mask_of(batch)
    key_examples, key_device = jax.random.split(ctx.key)
    if ctx.train and augment is not None:
      keys = keys_.per_example(key_examples, len(image), ctx)
      image, mask = jax.vmap(augment)(keys, image, mask)
    logits, updated = network.apply(segmenter, params['segmenter'], variables['segmenter'], image,
                                    train=ctx.train, key=keys_.per_part(key_device, ctx))
    known = (mask != ignored).astype(jnp.float32)
    entropy = optax.softmax_cross_entropy_with_integer_labels(
        logits, jnp.where(mask == ignored, 0, mask))
    of_image = lambda x: jnp.sum(x * known, (1, 2)) / jnp.maximum(jnp.sum(known, (1, 2)), 1)
    right = (jnp.argmax(logits, -1) == mask).astype(jnp.float32)
    return ({'segmenter': jnp.mean(of_image(entropy))},
            ({**variables, 'segmenter': updated}, {'accuracy': jnp.mean(of_image(right))}))

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if cond is None or cond.ndim != 4:
      given = None if cond is None else list(cond.shape)
      raise ValueError(f'cond: expected images [n, H, W, C], whose masks are drawn, got {given}')
    logits, _ = network.apply(segmenter, params['segmenter'], variables['segmenter'], cond)
    return jnp.argmax(logits, -1).astype(jnp.int32)

  return Objective(init, loss, sample)


def _mask_of(batch: Batch) -> Array:
  """Int32 `[B, H, W]`."""
  mask, shape = batch.get('mask'), batch['image'].shape[:3]
  if mask is None:
    raise ValueError(f"no 'mask' among {sorted(batch)}: a segmenter learns from masks [B, H, W]")
  if mask.shape not in (shape, (*shape, 1)) or not jnp.issubdtype(mask.dtype, jnp.integer):
    raise ValueError(f'mask {mask.dtype}{list(mask.shape)}: expected integers {list(shape)}')
  return mask.reshape(shape).astype(jnp.int32)
