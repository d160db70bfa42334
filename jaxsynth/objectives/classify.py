"""A classifier: one player, cross entropy."""
from collections.abc import Callable
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp
import optax

from jaxsynth import conditions, keys as keys_
from jaxsynth.conditions import one_hot
from jaxsynth.objectives import network
from jaxsynth.types import Batch, Context, Objective, PerPlayer

Augment = Callable[[Array, Array, Array], tuple[Array, Array]]


def classify(classifier: Any, *, label_smoothing: float = 0.,
             augment: Augment | None = None) -> Objective:
  """Binds a network into a classifier of images.

  The player `classifier` descends the mean over the batch of

      -sum_k q_k log softmax(logits)_k,   q = (1 - a) p + a / K,

  with `p` the one-hot or soft label and `a` the smoothing (Szegedy et al. 2016,
  https://arxiv.org/abs/1512.00567, section 7). Batches are `{'image': [B, H, W, C]}` in
  [-1, 1] with `'label'`: integers `[B]` in [0, K), or probabilities `[B, K]`, as mixup
  makes them. The metric `accuracy` is that of the labels' largest entry.

  Args:
    classifier: has Linen's `init` and `apply`, called as `(image, train=)`; gives
      logits `[B, K]`. Its dropout draws from `'dropout'`.
    label_smoothing: `a`, in [0, 1).
    augment: `(key, image [H, W, C], label [] or [K]) -> (image, label)`, of one example;
      applied in training alone. Its key is a function of (key, index in the whole
      batch); the labels may come out soft.

  Returns:
    An `Objective`. `sample(params, variables, keys, cond)` draws labels int32 `[n]` of the
    images `cond` `[n, H, W, C]`, each from its softmax with its own key; it raises
    `ValueError` without images. `init` and `loss` raise `ValueError` for a batch
    without labels, or labels and logits that do not fit.

  Raises:
    ValueError: `label_smoothing` out of range.

  >>> from jaxsynth.models.classifier import Classifier
  >>> objective = classify(Classifier(num_classes=3, widths=(4, 8)))
  >>> batch = {'image': jnp.zeros((2, 8, 8, 1)), 'label': jnp.array([0, 2])}
  >>> params, variables = objective.init(jax.random.key(0), batch)
  >>> objective.sample(params, variables, jax.random.split(jax.random.key(1)),
  ...                  batch['image']).shape
  (2,)
  """
  if not 0 <= label_smoothing < 1:
    raise ValueError(f'label_smoothing={label_smoothing}: expected 0 <= label_smoothing < 1')

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    image = conditions.learned(batch)[:1]
    params, variables = network.init(classifier, key, image)
    logits = jax.eval_shape(lambda: network.apply(classifier, params, variables, image)[0])
    _targets(conditions.of_batch(batch, 'a classifier')[0][:1], logits, 0.)
    return {'classifier': params}, {'classifier': variables, 'shared': {}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    image, (label,) = conditions.learned(batch), conditions.of_batch(batch, 'a classifier')
    key_examples, key_device = jax.random.split(ctx.key)
    if ctx.train and augment is not None:
      keys = keys_.per_example(key_examples, image.shape[0], ctx)
      image, label = jax.vmap(augment)(keys, image, label)
    logits, updated = network.apply(
        classifier, params['classifier'], variables['classifier'], image, train=ctx.train,
        key=keys_.per_part(key_device, ctx))
    target = _targets(label, logits, label_smoothing)
    right = jnp.argmax(logits, -1) == jnp.argmax(target, -1)
    return ({'classifier': jnp.mean(optax.softmax_cross_entropy(logits, target))},
            ({**variables, 'classifier': updated}, {'accuracy': jnp.mean(right)}))

  def sample(params: PerPlayer, variables: PerPlayer, keys: Array,
             cond: Array | None = None) -> Array:
    if cond is None or cond.ndim < 2:
      given = None if cond is None else list(cond.shape)
      raise ValueError(f'cond: expected images [n, H, W, C], or examples of another kind, whose '
                       f'labels are drawn, got {given}')
    logits, _ = network.apply(
        classifier, params['classifier'], variables['classifier'], cond)
    return jax.vmap(jax.random.categorical)(keys, logits).astype(jnp.int32)

  return Objective(init, loss, sample)


def _targets(label: Array, logits: Any, smoothing: float) -> Array:
  """Probabilities `[B, K]`."""
  if len(logits.shape) != 2:
    raise ValueError(f'logits {list(logits.shape)}: expected [B, num_classes]')
  if jnp.issubdtype(label.dtype, jnp.integer) and label.ndim == 1:
    label = one_hot(label, logits.shape[1])
  elif not jnp.issubdtype(label.dtype, jnp.floating) or label.shape != logits.shape:
    raise ValueError(f'labels {label.dtype}{list(label.shape)}: expected integers [B] or '
                     f'probabilities {list(logits.shape)}, as the logits are')
  return (1 - smoothing) * label + smoothing / logits.shape[1]
