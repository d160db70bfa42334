"""What objectives share whose player `flow` is a field over images, told times and a label."""
from collections.abc import Callable, Sequence
import math
from typing import Any

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions
from jaxsynth.conditions import one_hot
from jaxsynth.objectives import network
from jaxsynth.types import Batch, PerPlayer


def starting(net: Any, image_shape: Sequence[int], num_classes: int | None, times: int | None = None
             ) -> Callable[[Array, Batch], tuple[PerPlayer, PerPlayer]]:
  """The `init` of such an objective.

  Args:
    net: has Linen's `init` and `apply`, called as `(x [B, H, W, C], times [B] or [B, times],
      cond [B, num_classes] if conditional, train=)`; gives `[B, H, W, C]`.
    image_shape: `(H, W, C)`.
    num_classes: number of labels, or `None`.
    times: how many the network is told of an example; `None` for one, as `[B]`.

  Returns:
    `(key, batch) -> params, variables`, which raises `ValueError` if the data or the network's
    output are not shaped so, or labels are missing.
  """
  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    image, cond = conditions.learned(batch)[:1], tuple(x[:1] for x in labels(batch, num_classes))
    args = (image, jnp.zeros((1,) if times is None else (1, times)), *cond)
    if image.shape[1:] != tuple(image_shape):
      raise ValueError(f"the data's images are {image.shape[1:]}, expected {tuple(image_shape)}")
    params, variables = network.init(net, key, *args)
    output = jax.eval_shape(lambda: network.apply(net, params, variables, *args)[0])
    if output.shape != image.shape:
      raise ValueError(f"the network's output is {output.shape[1:]}, the data's images are "
                       f'{image.shape[1:]}')
    return {'flow': params}, {'flow': variables, 'shared': {}}
  return init


def normal(keys: Array, shape: Sequence[int]) -> Array:
  """`[n, *shape]` of variance 1, each a function of its key."""
  return jax.vmap(lambda key: jax.random.normal(key, tuple(shape)))(keys)


def beginnings(keys: Array, shape: Sequence[int]) -> Array:
  """The noise `[n, *shape]` from which samples of these keys begin, of every such objective."""
  return normal(jax.vmap(lambda key: jax.random.split(key)[0])(keys), shape)


def labels(batch: Batch, num_classes: int | None) -> tuple[Array, ...]:
  """One-hot `[B, K]` of a conditional model, and nothing of another.

  Raises:
    ValueError: there are none.
  """
  if num_classes is None:
    return ()
  (given,) = conditions.of_batch(batch, 'a conditional flow')
  return (one_hot(given, num_classes),)


def asked(cond: Array | None, num_classes: int | None) -> tuple[Array, ...]:
  """The same of the labels `[n]` that samples are asked for.

  Raises:
    ValueError: labels are missing or not wanted.
  """
  if (cond is not None) != (num_classes is not None):
    raise ValueError(f'cond: expected {"None" if num_classes is None else "labels [n]"}, '
                     f'got {cond}')
  return () if num_classes is None or cond is None else (one_hot(cond, num_classes),)


def hidden(rate: float, keys: Array, cond: Array) -> Array:
  """Zeros for a share of the labels; a product, so that the NaN of a wrong label stays.

  >>> hidden(0., jax.random.split(jax.random.key(0), 2), jnp.eye(2)).tolist()
  [[1.0, 0.0], [0.0, 1.0]]
  """
  shown = jax.vmap(lambda key: jax.random.uniform(key) >= rate)(keys)
  return cond * shown[:, None]


def check(num_classes: int | None, label_dropout: float, solver_steps: int, guidance: float,
          guidance_interval: tuple[float, float] = (0., 1.), guide: bool = False) -> None:
  """Refuses what cannot be learned or drawn.

  Raises:
    ValueError: steps below 1, guidance without labels or without dropped labels, or a share, a
      guidance or an interval out of range.
  """
  if solver_steps < 1:
    raise ValueError(f'solver_steps={solver_steps}: expected at least 1')
  if not 0 <= label_dropout < 1:
    raise ValueError(f'label_dropout={label_dropout}: expected a share in [0, 1)')
  if not 0 <= guidance < math.inf:
    raise ValueError(f'guidance={guidance}: expected at least 0; 1 is the conditional model')
  first, last = guidance_interval
  if not 0 <= first < last <= 1:
    raise ValueError(f'guidance_interval={guidance_interval}: expected two times in [0, 1], the '
                     'one nearer to noise, which is at 0, first')
  if guidance != 1 and num_classes is None and not guide:
    raise ValueError(f'guidance={guidance}: a model without labels has nothing to be guided by; '
                     'expected 1, labels (--conditional), or a worse model (--guide_step)')
  if guidance != 1 and not label_dropout and not guide:
    raise ValueError(f'guidance={guidance}: expected 1, as with label_dropout=0 the network '
                     'never learned without labels')
