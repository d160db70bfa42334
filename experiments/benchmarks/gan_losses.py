"""Which adversarial loss and penalty reach all modes: 8 and 25 Gaussians in the plane.

    python experiments/benchmarks/gan_losses.py --out=experiments/figures/gan_losses.png

All losses have the same networks, optimizers, data and steps; the seeds of a loss are trained at
once. Prints a table: modes reached (with 1 % of what their share is), and the share of points
within three standard deviations of a mode, mean and least of the seeds. The picture is of the
first seed. A JSON line a row follows.
"""
from collections.abc import Sequence
import json
import pathlib
import sys
import time
from typing import Any, NamedTuple

from absl import flags
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import paths, program
import planned
from jaxsynth import files, train_step as ts
from jaxsynth.data import two_d
from jaxsynth.losses import adversarial, penalties, relativistic
from jaxsynth.losses.adversarial import GANLoss
from jaxsynth.losses.penalties import Penalty
from jaxsynth.metrics import points
from jaxsynth.objectives.gan import gan

PLANES = {'8 Gaussians': two_d.eight_gaussians, '25 Gaussians': two_d.twenty_five_gaussians}
LATENT, BATCH, DRAWN = 8, 256, 2500
R1, R2 = penalties.r1(.1), penalties.r2(.1)


class Row(NamedTuple):
  """A loss with what goes with it."""
  title: str
  loss: GANLoss
  terms: tuple[Penalty, ...] = ()
  packing: int = 1


ROWS = (
    Row('non-saturating', adversarial.NON_SATURATING),
    Row('saturating', adversarial.SATURATING),
    Row('non-saturating, smoothing 0.1', adversarial.smoothed(adversarial.NON_SATURATING, .1)),
    Row('non-saturating, packs of 2', adversarial.NON_SATURATING, packing=2),
    Row('non-saturating, R1', adversarial.NON_SATURATING, (R1,)),
    Row('least squares', adversarial.LEAST_SQUARES),
    Row('hinge', adversarial.HINGE),
    Row('hinge, R1', adversarial.HINGE, (R1,)),
    Row('Wasserstein', adversarial.WASSERSTEIN),
    Row('Wasserstein, gradient penalty', adversarial.WASSERSTEIN,
        (penalties.gradient_penalty(1.),)),
    Row('relativistic', relativistic.RELATIVISTIC),
    Row('relativistic average', relativistic.RELATIVISTIC_AVERAGE),
    Row('relativistic, R1 and R2', relativistic.RELATIVISTIC, (R1, R2)))


def define_flags(values: flags.FlagValues) -> None:
  """How long, how often, and where the picture goes."""
  paths.define('out', None, 'The PNG; by default none.', values)
  flags.DEFINE_integer('steps', 3000, 'Of each training.', lower_bound=1, flag_values=values)
  flags.DEFINE_integer('seeds', 3, 'Of each loss.', lower_bound=1, flag_values=values)
  flags.DEFINE_integer('width', 64, 'Of every layer.', lower_bound=1, flag_values=values)
  flags.DEFINE_float('learning_rate', 1e-3, 'Of Adam, which goes to 0 along a cosine.',
                     lower_bound=1e-9, flag_values=values)


class MLP(nn.Module):
  """Three dense layers, and a fourth of what is asked for."""
  width: int
  outputs: int

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
    x = x.reshape(len(x), -1)
    for _ in range(3):
      x = nn.leaky_relu(nn.Dense(self.width)(x), .2)
    x = nn.Dense(self.outputs)(x)
    return two_d.as_images(x) if self.outputs == 2 else x


def drawn(row: Row, plane: two_d.Plane) -> np.ndarray:
  """Points of the averaged generator of each seed, `[seeds, DRAWN, 2]`."""
  width, steps = flags.FLAGS.width, flags.FLAGS.steps
  objective = gan(MLP(width, 2), MLP(width, 1), row.loss, latent_dim=LATENT,
                  penalties=row.terms, packing=row.packing)
  rate = optax.cosine_decay_schedule(flags.FLAGS.learning_rate, steps)
  algorithm = ts.build(objective, {player: optax.adam(rate, 0., .99) for player in (
      'generator', 'discriminator')}, ema=ts.EMA(('generator',), .99))

  def batch_at(key: jax.Array) -> dict[str, jax.Array]:
    # planes draw mode after mode, which a discriminator of packs would see
    key_drawn, key_order = jax.random.split(key)
    points = jax.random.permutation(key_order, plane.draw(key_drawn, BATCH))
    return {'image': two_d.as_images(points)}

  def learned(key: jax.Array) -> jax.Array:
    key_init, key_data, key_train, key_drawn = jax.random.split(key, 4)

    def step(state: Any, k: jax.Array) -> tuple[Any, None]:
      batch = batch_at(jax.random.fold_in(key_data, k))
      return algorithm.step(state, batch, key_train)[0], None
    state = algorithm.init(key_init, batch_at(key_data))
    state = jax.lax.scan(step, state, jnp.arange(steps))[0]
    keys = jax.random.split(key_drawn, DRAWN)
    return algorithm.sample(*ts.averaged(state), keys, None).reshape(DRAWN, 2)
  seeds = jax.vmap(jax.random.key)(jnp.arange(flags.FLAGS.seeds))
  return np.asarray(jax.jit(jax.vmap(learned))(seeds))


def scores(of_seeds: np.ndarray, plane: two_d.Plane) -> dict[str, Any]:
  """Of each seed: modes, and the share of points near them."""
  least = max(1, DRAWN // len(plane.modes) // 100)
  # a diverged training has no points
  near = [points.reached(np.nan_to_num(x, nan=9., posinf=9., neginf=-9.), plane.modes, plane.std,
                         least=least) for x in of_seeds]
  return {'modes': [x.modes for x in near], 'quality': [x.quality for x in near]}


def cell(score: dict[str, Any]) -> list[str]:
  """Mean and least of the seeds, of both numbers."""
  modes, quality = (np.array(score[name]) for name in ('modes', 'quality'))
  return [f'{modes.mean():.1f} ({modes.min()})', f'{quality.mean():.2f} ({quality.min():.2f})']


def main() -> None:
  results: list[dict[str, Any]] = []
  pictures = []
  for row in ROWS:
    start, made = time.perf_counter(), {name: make() for name, make in PLANES.items()}
    of_planes = {name: drawn(row, plane) for name, plane in made.items()}
    results.append({'title': row.title, 'seconds': time.perf_counter() - start, **{
        name: scores(x, made[name]) for name, x in of_planes.items()}})
    pictures.append([x[0] for x in of_planes.values()])
    print(f'{row.title} ...', file=sys.stderr, flush=True)
  print(planned.table(
      ['loss', *(f'{name}: {what}' for name in PLANES for what in ('modes', 'near'))],
      [[x['title'], *(text for name in PLANES for text in cell(x[name]))] for x in results]))
  for x in results:
    print(json.dumps(x))
  if flags.FLAGS.out:
    _draw(pictures)
    program.done(flags.FLAGS.out)


def _draw(pictures: Sequence[Sequence[np.ndarray]]) -> None:
  """A column a loss, a row a distribution."""
  from matplotlib.figure import Figure
  columns = (len(ROWS) + 1) // 2
  figure = Figure((1.6 * columns, 7), layout='constrained')
  axes = figure.subplots(4, columns)
  for axis in axes.flat:
    axis.set_axis_off()
  for k, (row, clouds) in enumerate(zip(ROWS, pictures)):
    for which, cloud in enumerate(clouds):
      axis = axes[2 * (k // columns) + which, k % columns]
      axis.set_axis_on()
      axis.scatter(*cloud.T, s=.5, c='black')
      axis.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect='equal', xticks=[], yticks=[])
      if not which:
        axis.set_title(row.title.replace(', ', ',\n'), fontsize=7)
  with files.write_aside(flags.FLAGS.out) as f:
    figure.savefig(f, dpi=100, format='png')


if __name__ == '__main__':
  program.run(main, define_flags)
