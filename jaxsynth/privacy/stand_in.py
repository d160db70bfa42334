"""A batch in which nothing is of the data, for players that must not see any."""
from collections.abc import Mapping

import jax
from jax import Array
import jax.numpy as jnp

LABEL = 'label'


def stand_in(batch: Mapping[str, Array], size: int, key: Array, num_classes: int | None
             ) -> dict[str, Array]:
  """Zeros for examples, and labels drawn uniformly; only shapes and types are of the batch.

  Args:
    batch: `{name: [B, ...]}`, arrays or their shapes.
    size: examples of the stand-in.
    key: of its labels.
    num_classes: of the labels; `None` for a batch whose labels nobody reads.

  >>> batch = {'image': jnp.ones((2, 1)), 'label': jnp.array([5, 5])}
  >>> other = stand_in(batch, 3, jax.random.key(0), 4)
  >>> other['image'].tolist(), other['label'].shape, bool((other['label'] < 4).all())
  ([[0.0], [0.0], [0.0]], (3,), True)
  """
  out = {name: jnp.zeros((size, *x.shape[1:]), x.dtype) for name, x in batch.items()}
  if LABEL in out and num_classes is not None:
    out[LABEL] = jax.random.randint(key, out[LABEL].shape, 0, num_classes, out[LABEL].dtype)
  return out
