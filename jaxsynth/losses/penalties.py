"""Penalties of a discriminator: what its loss grows by, beside the adversarial one."""
from collections.abc import Callable, Sequence
import math
from typing import NamedTuple

import chex
import jax
from jax import Array, lax
import jax.numpy as jnp

Judge = Callable[[Array], Array]  # examples `[B, ...]` to logits `[B]`, each of its own example
Weight = float | Callable[[Array], Array]


class Critic(NamedTuple):
  """A discriminator as it judged a step's examples: the same dropout, the same augmentation.

  Attributes:
    real: `Judge` that judged the real examples.
    fake: `Judge` that judged the generated ones.
  """
  real: Judge
  fake: Judge


class Penalty(NamedTuple):
  """A term of the discriminator's loss.

  Attributes:
    name: of its metric, `penalty/<name>`.
    value: `(critic, real [B, ...], fake [B, ...], keys [B]) -> [B]`, unweighted.
    weight: of the term, at least 0; or a function of the step, as optax's schedules are.
    every: steps from one computation to the next; its weight is then as many times as
      large, so that its mean over steps is the same. Karras et al. 2020,
      https://arxiv.org/abs/1912.04958, section 3.1.
    of_gradients: whether it is of the gradient of a logit by its own example, which
      there is not where examples meet, as in batch normalisation.
  """
  name: str
  value: Callable[[Critic, Array, Array, Array], Array]
  weight: Weight
  every: int = 1
  of_gradients: bool = True


def checked(penalty: Penalty) -> Penalty:
  """The penalty, whose numbers are in range.

  Raises:
    ValueError: a weight below 0 or not finite, an interval below 1.

  >>> checked(r1(-1.))
  Traceback (most recent call last):
  ValueError: penalty r1: weight=-1.0, expected a finite number of at least 0
  """
  if not callable(penalty.weight) and not 0 <= penalty.weight < math.inf:
    raise ValueError(f'penalty {penalty.name}: weight={penalty.weight}, expected a finite number '
                     'of at least 0')
  if penalty.every < 1:
    raise ValueError(f'penalty {penalty.name}: every={penalty.every}, expected at least 1: the '
                     'number of steps from one computation to the next')
  return penalty


def of_weight(penalties: Sequence[Penalty]) -> list[Penalty]:
  """Those that count, all checked: a weight of 0 costs nothing.

  Raises:
    ValueError: numbers out of range, or two of one name, whose metrics would be one.
  """
  chosen = [penalty for penalty in map(checked, penalties) if penalty.weight]
  names = [penalty.name for penalty in chosen]
  if twice := sorted({name for name in names if names.count(name) > 1}):
    raise ValueError(f'penalties {names}: {", ".join(twice)} more than once; expected a name each '
                     '(penalty._replace(name=...))')
  return chosen


def squared_gradients(judge: Judge, x: Array) -> Array:
  """`|grad_x judge(x)|^2` of each example, `[B, ...] -> [B]`.

  >>> import jax.numpy as jnp
  >>> squared_gradients(lambda x: jnp.sum(x ** 2, 1), jnp.array([[3., 4.]])).tolist()
  [100.0]
  """
  logits, pull = jax.vjp(judge, x)
  chex.assert_shape(logits, (x.shape[0],))
  gradient, = pull(jnp.ones_like(logits))
  return jnp.sum(jnp.square(gradient), range(1, x.ndim))


def r1(weight: Weight, every: int = 1) -> Penalty:
  """`|grad D(real)|^2 / 2`: no slope where the data are.

  `weight` is the gamma of Mescheder et al. 2018, https://arxiv.org/abs/1801.04406,
  equation 9. StyleGAN2-ADA starts with `0.0002 n^2 / B` for batches of `B` images of `n`
  pixels a side (https://arxiv.org/abs/2006.06676, appendix C), the relativistic loss
  with more.
  """
  return Penalty('r1', lambda critic, real, fake, keys: (
      squared_gradients(critic.real, real) / 2), weight, every)


def r2(weight: Weight, every: int = 1) -> Penalty:
  """`|grad D(fake)|^2 / 2`: no slope where the fakes are.

  Mescheder et al. 2018, https://arxiv.org/abs/1801.04406, equation 10. Fakes are given,
  so the generator does not learn from it.
  """
  return Penalty('r2', lambda critic, real, fake, keys: (
      squared_gradients(critic.fake, fake) / 2), weight, every)


def gradient_penalty(weight: Weight = 10., every: int = 1) -> Penalty:
  """`(|grad D(x)| - 1)^2` at `x = u real + (1 - u) fake`, `u` uniform: WGAN-GP's.

  Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, equation 3.
  """
  def value(critic: Critic, real: Array, fake: Array, keys: Array) -> Array:
    u = _uniform(keys, real)
    return _from_one(critic.real, u * real + (1 - u) * fake)
  return Penalty('gradient', value, weight, every)


def dragan(weight: Weight = 10., scale: float = 0.5, every: int = 1) -> Penalty:
  """`(|grad D(x)| - 1)^2` near the data, at `x = real + scale std(real) u`.

  `u` is uniform in [0, 1), one number a pixel, and the standard deviation that of all
  pixels of the example. Kodali et al. 2017, https://arxiv.org/abs/1705.07215, equation 4,
  whose code takes the deviation over the batch: of the example it depends on no other.

  Args:
    weight: of the term.
    scale: of the noise, above 0.
    every: see `Penalty`.

  Raises:
    ValueError: a scale that is not above 0.
  """
  if not 0 < scale < math.inf:
    raise ValueError(f'dragan: scale={scale}, expected a finite number above 0')

  def value(critic: Critic, real: Array, fake: Array, keys: Array) -> Array:
    u = jax.vmap(lambda key: jax.random.uniform(key, real.shape[1:]))(keys)
    std = jnp.std(real, range(1, real.ndim), keepdims=True)
    return _from_one(critic.real, real + scale * std * u)
  return Penalty('dragan', value, weight, every)


def consistency(augment: Callable[[Array, Array], Array], weight: Weight = 10.,
                every: int = 1) -> Penalty:
  """`(D(real) - D(augment(real)))^2`: what leaves the label alone leaves the logit alone.

  Zhang et al. 2020, https://arxiv.org/abs/1910.12027, equation 2.

  Args:
    augment: `(keys [B], examples [B, ...]) -> [B, ...]`.
    weight: of the term.
    every: see `Penalty`.
  """
  return Penalty('consistency', lambda critic, real, fake, keys: jnp.square(
      critic.real(real) - critic.real(augment(keys, real))), weight, every, False)


def mean(penalty: Penalty, step: Array, critic: Critic, real: Array, fake: Array, keys: Array
         ) -> Array:
  """`weight E[value]` as a term of a step; nothing is computed in the steps between.

  Args:
    penalty: which.
    step: `[]` int32, steps done before.
    critic: the discriminator.
    real: `[B, ...]`.
    fake: `[B, ...]`.
    keys: `[B]`.

  Returns:
    `[]`: `every weight E[value]` in each `every`-th step and 0 in the others.
  """
  weight = penalty.weight(step) if callable(penalty.weight) else penalty.weight

  def computed() -> Array:
    value = jnp.mean(penalty.value(critic, real, fake, keys))
    return (penalty.every * weight * value).astype(jnp.float32)
  if penalty.every == 1:
    return computed()
  # in steps every, 2 every, ..., as lines of metrics are
  return lax.cond((step + 1) % penalty.every == 0, computed, lambda: jnp.zeros(()))


def _uniform(keys: Array, like: Array) -> Array:
  """A number in [0, 1) an example, `[B, 1, ...]`."""
  return jax.vmap(jax.random.uniform)(keys).reshape(-1, *(1,) * (like.ndim - 1))


def _from_one(judge: Judge, x: Array) -> Array:
  """`(|grad| - 1)^2`; at a gradient of zero, where the norm has no derivative, that is 0."""
  squared = squared_gradients(judge, x)
  norm = jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1)), 0)
  return jnp.square(norm - 1)
