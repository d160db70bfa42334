"""Reflow: a flow learns the pairs of noise and image of a trained one, so that few steps do."""
from collections.abc import Callable

import jax
from jax import Array
import jax.numpy as jnp

from jaxsynth import conditions, keys as keys_
from jaxsynth.objectives import fields
from jaxsynth.types import Batch, Context, Objective, PerPlayer


def reflow(student: Objective, teacher: Objective,
           trained: Callable[[], tuple[PerPlayer, PerPlayer]],
           num_classes: int | None = None) -> Objective:
  """Replaces the data of a flow by what a trained flow makes of the noise.

  Flow matching mixes every image with any noise, so that the lines between them cross, and where
  they cross the flow turns: it needs many steps. A trained flow takes each noise `z` to one image
  `T(z)` by ways that do not cross. The student learns from

      x_t = alpha(t) T(z) + sigma(t) z,

  whose lines hardly cross, so that it is nearly straight and a step of Euler's goes far. Its
  samples of a key are to be the teacher's of that key. It starts as the teacher.

  Every step draws new pairs, which costs the teacher's evaluations. The images of a batch are not
  looked at, its labels are those that are drawn for.

  Args:
    student: of `flow_matching`.
    teacher: of `flow_matching` with the same network, image shape and labels. Its solver, steps
      and guidance make the pairs.
    trained: gives the teacher's params and variables. It is called when the student starts,
      which then keeps them among its variables.
    num_classes: of both; `None` for unconditional ones.

  Returns:
    An `Objective`, whose `init` raises `ValueError` if the teacher is of other shapes.

  Liu et al. 2023, https://arxiv.org/abs/2209.03003, section 2.2: the 2-rectified flow.

  >>> from jaxsynth.models.time_mlp import TimeMLP
  >>> from jaxsynth.objectives.flow_matching import flow_matching
  >>> from jaxsynth.objectives.solvers import euler
  >>> one, many = (flow_matching(TimeMLP(8, 1), (4, 4, 1), solver=euler, solver_steps=n)
  ...              for n in (1, 20))
  >>> batch = {'image': jnp.zeros((2, 4, 4, 1))}
  >>> params, variables = many.init(jax.random.key(0), batch)  # train it here
  >>> objective = reflow(one, many, lambda: (params, variables))
  >>> objective.sample(*objective.init(jax.random.key(1), batch), jax.random.split(
  ...     jax.random.key(2), 3), None).shape
  (3, 4, 4, 1)
  """
  def init(key: Array, batch: Batch) -> tuple[PerPlayer, PerPlayer]:
    params, variables = ({'flow': x['flow']} for x in trained())
    _check(jax.eval_shape(student.init, key, batch), (params, variables))
    # copies: a donated state may not hold one buffer twice, nor the caller's
    copy = lambda: jax.tree.map(jnp.array, (params, variables))
    start, kept = copy(), copy()
    return start[0], {**start[1], 'shared': {'teacher': kept}}

  def loss(params: PerPlayer, variables: PerPlayer, batch: Batch, ctx: Context):
    key_pairs, key_student = jax.random.split(ctx.key)
    keys = keys_.per_example(key_pairs, len(conditions.learned(batch)), ctx)
    kept, labels = variables['shared']['teacher'], None if num_classes is None else batch['label']
    image = jax.lax.stop_gradient(teacher.sample(kept[0], kept[1], keys, labels))
    pairs = {**batch, conditions.learned_name(batch): image,
             'noise': fields.beginnings(keys, image.shape[1:])}
    return student.loss(params, variables, pairs, ctx._replace(key=key_student))

  return Objective(init, loss, student.sample)


def _check(expected: tuple[PerPlayer, PerPlayer], given: tuple[PerPlayer, PerPlayer]) -> None:
  wanted, there = ({jax.tree_util.keystr(path): x.shape for path, x in
                    jax.tree_util.tree_leaves_with_path([x['flow'] for x in trees])}
                   for trees in (expected, given))
  if wanted != there:
    name = min(k for k in {**wanted, **there} if wanted.get(k) != there.get(k))
    raise ValueError(f'the teacher has another network: its {name} is {there.get(name, "missing")},'
                     f' expected {wanted.get(name, "none")}; give the student the same sizes')
