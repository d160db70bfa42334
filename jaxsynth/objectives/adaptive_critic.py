"""A generator that waits while its discriminator is not sure: critic steps by need."""
import math
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp
import optax

from jaxsynth.types import Batch, Context, Objective, PerPlayer

CRITIC = 'critic'  # in the shared variables
LADDER = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
ACCURACY = 'accuracy/fake'


def adaptive_critic(objective: Objective, threshold: float = .6, *, grace: int = 200,
                    decay: float = .99) -> Objective:
  """A GAN whose discriminator takes more steps for one of the generator as it falls behind.

  Noise on the discriminator's gradients alone makes it lose to the generator. After Bie et al.
  2023, https://arxiv.org/abs/2302.02936, section 4: the discriminator learns in every step, and
  the generator in each `n`-th. At such a step the share of fakes that the discriminator
  knows for fakes moves an average,

      accuracy <- decay accuracy + (1 - decay) mean(D(fake) < 0),

  and where it is at most `threshold` after `grace` of them, `n` takes the next value of 1, 2, 5,
  10, 20, 50, ..., 5,000. Real examples have no part in it, so that a private training may follow
  it and be charged for the discriminator's steps alone.

  In the steps between, the generator's loss is 0 and so is its gradient: give it an optimizer
  that then stays as it is, `still_at_zero(optax.adam(2e-4))`.

  Args:
    objective: of players `generator` and `discriminator`, whose metrics have `accuracy/fake`.
    threshold: in [0, 1).
    grace: updates of the generator before `n` may rise, and rise again; at least 1.
    decay: of the average, in [0, 1).

  Returns:
    The same players. Its shared variables have `'critic'`, and its metrics `critic/steps`, which
    is `n`, and `critic/accuracy`.

  Raises:
    ValueError: numbers out of range; when it is traced, metrics without the accuracy.

  >>> from jaxsynth.models import dcgan
  >>> from jaxsynth.objectives.gan import gan
  >>> objective = adaptive_critic(gan(dcgan.Generator((8, 8, 1), 4, (2,)),
  ...                                 dcgan.Discriminator(4, (2,))))
  >>> _, variables = objective.init(jax.random.key(0), {'image': jnp.zeros((2, 8, 8, 1))})
  >>> sorted(variables['shared']['critic'])
  ['accuracy', 'rung', 'since', 'updates']
  """
  for name, value, fits, expected in (
      ('threshold', threshold, 0 <= threshold < 1, 'a share in [0, 1)'),
      ('grace', grace, grace >= 1, 'at least 1'),
      ('decay', decay, 0 <= decay < 1, 'a number in [0, 1)')):
    if not fits or not math.isfinite(value):
      raise ValueError(f'{name}={value}: expected {expected}')

  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    params, variables = objective.init(key, batch)
    count = lambda: jnp.zeros((), jnp.int32)
    critic = {'rung': count(), 'since': count(), 'updates': count(),
              'accuracy': jnp.full((), -1., jnp.float32)}  # none yet
    return params, {**variables, 'shared': {**variables.get('shared', {}), CRITIC: critic}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    values, (updated, metrics) = objective.loss(params, variables, batch, ctx)
    if ACCURACY not in metrics:
      raise ValueError(f'an adaptive critic follows {ACCURACY}; expected a loss that has it '
                       f'among its metrics, got {sorted(metrics)}')
    critic = variables['shared'][CRITIC]
    due = critic['since'] + 1 >= _of_rung(critic['rung'])
    if not ctx.train:
      return values, (updated, metrics)
    accuracy = lax.stop_gradient(metrics[ACCURACY])
    after = _after(critic, due, accuracy if ctx.axis_name is None else
                   lax.pmean(accuracy, ctx.axis_name), threshold, grace, decay)
    return ({**values, 'generator': jnp.where(due, values['generator'], 0.)},
            ({**updated, 'shared': {**updated.get('shared', {}), CRITIC: after}},
             {**metrics, 'critic/steps': _of_rung(critic['rung']).astype(jnp.float32),
              'critic/accuracy': after['accuracy']}))

  return Objective(init, loss, objective.sample, objective.coupled)


def still_at_zero(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
  """An optimizer that neither moves nor ages where the whole gradient is exactly zero.

  >>> adam = still_at_zero(optax.adam(.1))
  >>> state = adam.init({'w': jnp.ones(2)})
  >>> _, state = adam.update({'w': jnp.ones(2)}, state)
  >>> updates, after = adam.update({'w': jnp.zeros(2)}, state)
  >>> print(updates['w'], after[0].count)
  [0. 0.] 1
  """
  def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
    due = jnp.any(jnp.stack([jnp.any(g != 0) for g in jax.tree.leaves(grads)]))
    updates, after = optimizer.update(grads, state, params)
    keep = lambda new, old: jnp.where(due, new, old)
    return (jax.tree.map(lambda x: jnp.where(due, x, jnp.zeros_like(x)), updates),
            jax.tree.map(keep, after, state))

  return optax.GradientTransformation(optimizer.init, update)


def _of_rung(rung: Array) -> Array:
  """The discriminator's steps for one of the generator."""
  return jnp.sum(jnp.where(jnp.arange(len(LADDER)) == rung, jnp.array(LADDER, jnp.int32), 0))


def _after(critic: dict[str, Array], due: Array, accuracy: Array, threshold: float, grace: int,
           decay: float) -> dict[str, Array]:
  """What is kept after a step; the first accuracy is the average of itself."""
  average = jnp.where(critic['accuracy'] < 0, accuracy,
                      decay * critic['accuracy'] + (1 - decay) * accuracy)
  average = jnp.where(due, average, critic['accuracy'])
  updates = critic['updates'] + due
  raised = due & (updates >= grace) & (average <= threshold)
  return {'rung': jnp.minimum(critic['rung'] + raised, len(LADDER) - 1),
          'since': jnp.where(due, 0, critic['since'] + 1),
          'updates': jnp.where(raised, 0, updates), 'accuracy': average}
