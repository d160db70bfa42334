"""Scores of how surely examples were learned from, by what a model gives away."""
from collections.abc import Mapping
import functools
from typing import Any

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics.neighbours import nearest
from jaxsynth.types import Context, Objective, PerPlayer


def sample_scores(candidates: Any, synthetic: Any, reference: Any = None) -> np.ndarray:
  """How near a synthetic example comes to each candidate: the attack of who has samples alone.

      score(x) = -min_s |x - s|,   calibrated: min_r |x - r| - min_s |x - s|

  An example that is like many others has a synthetic one nearby, whether it was learned from or
  not; real ones that nothing learned from, as reference, take that off.

  Args:
    candidates: features `[N, D]`.
    synthetic: features `[M, D]`.
    reference: features `[R, D]` of real examples that are no candidates and that nothing learned
      from; `None` for the plain score.

  Returns:
    float64 `[N]`; the higher, the surer.

  Raises:
    ValueError: see `metrics.neighbours.nearest`.

  Chen et al. 2020, GAN-Leaks, https://arxiv.org/abs/1909.03935, sections 4.2 and 4.4.

  >>> sample_scores([[0.], [2.]], [[0.5], [9.]]).tolist()
  [-0.5, -1.5]
  >>> sample_scores([[0.], [2.]], [[0.5], [9.]], [[3.]]).tolist()
  [2.5, -0.5]
  """
  distance = lambda points: nearest(candidates, points)[0][:, 0].astype(np.float64)
  scores = -distance(synthetic)
  return scores if reference is None else scores + distance(reference)


def loss_scores(objective: Objective, params: PerPlayer, variables: PerPlayer,
                batch: Mapping[str, Any], key: Array, *, step: int = 0, draws: int = 8,
                copies: int = 1, block: int = 64) -> dict[str, np.ndarray]:
  """How little each example costs a model: the attack of who has the model.

      score(x) = -mean_k loss({x}, key_k),   k = 1 ... draws

  A loss is that of a batch of this example alone, in evaluation, so that batch normalisation and
  dropout rest; all examples get the same keys, so the same noise and times.

  Args:
    objective: whose loss.
    params: of every player, not of the averaged ones alone.
    variables: likewise.
    batch: `{name: [N, ...]}` as the loss takes it.
    key: of the noise.
    step: as `Context.step`, for losses that change as training goes.
    draws: losses of an example, of which the mean is taken.
    copies: of the example in its batch, for networks that judge several together.
    block: examples at a time.

  Returns:
    A score float64 `[N]` for each player, the higher the surer; players whose loss looks at no
    example but at most at its label, or is that of a player before them, are left out.

  Raises:
    ValueError: no draws, no copies, fewer than 2 examples, or losses that are not finite.

  Yeom et al. 2018, https://arxiv.org/abs/1709.01604, section 3.
  """
  if min(draws, copies, block) < 1:
    raise ValueError(f'draws={draws}, copies={copies}, block={block}: expected at least 1')
  arrays = {name: jnp.asarray(x) for name, x in batch.items()}
  n = len(next(iter(arrays.values())))
  if n < 2:
    raise ValueError(f'{n} examples: expected at least 2')
  starts = range(0, n, block)
  losses = lambda batch: _losses(objective, params, variables, batch,
                                 jax.random.split(key, draws), jnp.int32(step), copies)
  cut = lambda x, start: jnp.take(x, jnp.arange(start, start + block) % n, 0)
  parts = [losses({name: cut(x, start) for name, x in arrays.items()}) for start in starts]
  # the same labels beside other examples
  swapped = losses({name: cut(x, int(x.ndim > 1)) for name, x in arrays.items()})
  every = {player: -np.concatenate([part[player] for part in parts]).astype(np.float64)[:n]
           for player in parts[0]}
  bad = [player for player, x in every.items() if not np.isfinite(x).all()]
  if bad:
    raise ValueError(f'the loss of {bad[0]} is not finite for every example')
  scores: dict[str, np.ndarray] = {}
  for player, x in every.items():
    blind = np.allclose(parts[0][player], swapped[player], rtol=1e-6, atol=1e-6)
    if not blind and not any(np.allclose(x, y, rtol=1e-6, atol=0) for y in scores.values()):
      scores[player] = x
  return scores


@functools.partial(jax.jit, static_argnums=(0, 6))
def _losses(objective: Objective, params: PerPlayer, variables: PerPlayer,
            batch: Mapping[str, Array], keys: Array, step: Array, copies: int
            ) -> dict[str, Array]:
  """Mean losses `{player: [N]}` over keys `[draws]`."""
  def of_example(example: Mapping[str, Array], key: Array) -> dict[str, Array]:
    alone = {name: jnp.repeat(x[None], copies, 0) for name, x in example.items()}
    losses, _ = objective.loss(params, variables, alone, Context(step, key, train=False))
    return dict(losses)

  def of_key(key: Array) -> dict[str, Array]:
    return jax.vmap(of_example, (0, None))(batch, key)
  return jax.tree.map(lambda x: jnp.mean(x, 0), lax.map(of_key, keys))
