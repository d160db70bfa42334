"""Precision, recall, density and coverage."""
import functools
from typing import Any, NamedTuple, TypeAlias

import jax
from jax import Array, lax
import jax.numpy as jnp
import numpy as np

from jaxsynth.metrics import checks, neighbours


Ball: TypeAlias = tuple[Any, Any]  # centres `[N, D]`, squared radii `[N]`


class PRDC(NamedTuple):
  """Fidelity (precision, density) and diversity (recall, coverage)."""
  precision: float
  recall: float
  density: float
  coverage: float


def prdc(real: Any, fake: Any, k: int = 5, *, block: int | None = None) -> PRDC:
  """How the fakes lie in balls around real samples, and the reverse.

  A sample's ball is open and reaches to its `k`-th nearest neighbour in its own set.
  Precision: fakes inside any real ball, a share. Recall: reals inside any fake ball.
  Density: real balls a fake is inside of, over `k`, on average. Coverage: reals whose
  ball holds a fake.

  Distances are compared in blocks in float32; the few pairs too close to call are
  measured in float64. Points on a sphere are outside of its ball, as in Naeem's program;
  with Kynkaanniemi's they are inside, which matters where samples are copies.

  Balls overlap most in the middle of the reals: on features linear in the pixels, blur
  moves fakes there and raises precision and density. Use features that see it.

  Args:
    real: `[N, D]`.
    fake: `[M, D]`.
    k: neighbours; below N and M.
    block: fakes compared at a time; memory is `O(block * N)`.

  Raises:
    ValueError: see `checks.features`; or `k` out of range.

  Kynkaanniemi et al., Improved Precision and Recall Metric, 2019, eq. 2; Naeem et al.,
  Reliable Fidelity and Diversity Metrics, 2020, eq. 4 and 5.

  >>> real = np.array([[0.], [1.], [2.], [10.]])
  >>> prdc(real, np.array([[.5], [1.2], [30.]]), k=1)
  PRDC(precision=0.6666666666666666, recall=1.0, density=1.3333333333333333, coverage=0.75)
  """
  if k < 1:
    raise ValueError(f'k={k}: expected at least 1')
  real, fake = checks.pair('real', real, 'fake', fake, least=k + 1)
  samples = fake, real
  radii = [_radius(x, k, block) for x in samples]
  *centred, scale = neighbours.centred(*samples)
  balls = [(x, (r / np.float64(scale) ** 2).astype(np.float32)) for x, r in zip(centred, radii)]
  if block is None:
    block = neighbours.block_size(len(fake), len(real))
  inside, close, hit, recalled = (np.array(x) for x in _compare(*balls, block=block))
  rows = np.flatnonzero(close[:len(fake)])
  for start in range(0, len(rows), block):
    unsure = rows[start:start + block]
    inside[unsure], more_hit, more_recalled = _settle(samples, radii, balls, unsure, block)
    hit[more_hit] = True
    recalled[more_recalled] = True
  inside = inside[:len(fake)]
  return PRDC(float((inside > 0).mean()), float(recalled.mean()),
              float(inside.sum() / (k * len(fake))), float(hit.mean()))


def _squared(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """`|x_i - y_i|^2` in float64: equal for equal pairs, in whichever order."""
  step = max(1, 2 ** 22 // x.shape[1])
  return np.concatenate([np.zeros(0)] + [
      np.square(x[i:i + step].astype(np.float64) - y[i:i + step]).sum(1)
      for i in range(0, len(x), step)])


def _radius(x: np.ndarray, k: int, block: int | None) -> np.ndarray:
  """Squared distance to the k-th nearest other sample, float64 `[N]`."""
  _, indices = neighbours.nearest_other(x, k, block=block)
  return _squared(x, x[indices[:, -1]])


def _masks(fakes: Ball, reals: Ball) -> tuple[Array, Array, Array, Array]:
  """Fakes surely in reals' balls, reals in fakes'; the same where it is unsure: `[B, N]`."""
  (fake, fake_radius), (real, real_radius) = fakes, reals
  x2, y2 = jnp.sum(fake ** 2, 1)[:, None], jnp.sum(real ** 2, 1)[None]
  d2 = x2 + y2 - 2 * jnp.matmul(fake, real.T, precision=lax.Precision.HIGHEST)
  error = 2. ** -20 * max(1., real.shape[1] ** .5 / 16) * (x2 + y2)
  in_real, in_fake = d2 - real_radius[None], d2 - fake_radius[:, None]
  return (in_real < -error, in_fake < -error,
          jnp.abs(in_real) <= error, jnp.abs(in_fake) <= error)


@functools.partial(jax.jit, static_argnames='block')
def _compare(fakes: Ball, reals: Ball, *, block: int) -> tuple[Array, ...]:
  """Balls each fake is in, and if any is too close to call; reals that are hit, recalled."""
  def step(carry: tuple[Array, Array], block_of_fakes: Ball):
    in_real, in_fake, real_close, fake_close = _masks(block_of_fakes, reals)
    return ((carry[0] | in_real.any(0), carry[1] | in_fake.any(0)),
            (in_real.sum(1, dtype=jnp.int32), (real_close | fake_close).any(1)))
  none = jnp.zeros(len(reals[0]), bool)
  # a block is padded with a fake that was seen: it hits nothing new
  hits, (inside, close) = lax.scan(step, (none, none), (
      neighbours.blocks(fakes[0], block), neighbours.blocks(fakes[1], block)))
  return inside.reshape(-1), close.reshape(-1), *hits


_few_masks = jax.jit(_masks)


def _settle(samples: tuple[np.ndarray, np.ndarray], radii: list[np.ndarray],
            balls: list[Ball], rows: np.ndarray, block: int
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """For these fakes: balls each is in; the reals they hit; the reals they recall."""
  (fake, real), (fake_radius, real_radius) = samples, radii
  padded = np.resize(rows, block)
  in_real, _, real_close, fake_close = (np.asarray(m)[:len(rows)] for m in _few_masks(
      (balls[0][0][padded], balls[0][1][padded]), balls[1]))
  inside = in_real.sum(1, dtype=np.int32)
  i, j = np.nonzero(real_close)
  true = _squared(fake[rows[i]], real[j]) < real_radius[j]
  np.add.at(inside, i[true], 1)
  a, b = np.nonzero(fake_close)
  recalled = _squared(fake[rows[a]], real[b]) < fake_radius[rows[a]]
  return inside, j[true], b[recalled]
