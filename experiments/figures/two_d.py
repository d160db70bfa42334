"""Draws `experiments/figures/two_d.png`: flows that learned distributions in the plane.

    python experiments/figures/two_d.py --out=experiments/figures/two_d.png

A row a distribution: real points, the flow's with its scores beside those of real points, and the
ways that points take from noise, and writes the scores as lines.
"""
import os

from absl import app, flags
import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxsynth import train_step as ts
from jaxsynth.data import two_d
from jaxsynth.files import write_aside
from jaxsynth.losses import flow, paths
from jaxsynth.metrics import points
from jaxsynth.models.time_mlp import TimeMLP
from jaxsynth.objectives import solvers
from jaxsynth.objectives.flow_matching import field_of, flow_matching

PLANES = {'moons': two_d.moons, 'rings': two_d.rings, 'eight Gaussians': two_d.eight_gaussians,
          '25 Gaussians': two_d.twenty_five_gaussians, 'checkerboard': two_d.checkerboard}
NUM, WAYS, BATCH = 2000, 60, 256


def define_flags(values: flags.FlagValues) -> None:
  """The file, and how long is trained."""
  flags.DEFINE_string('out', 'experiments/figures/two_d.png', 'The PNG.', flag_values=values)
  flags.DEFINE_integer('steps', 3000, 'Of each training.', lower_bound=1, flag_values=values)
  flags.DEFINE_integer('solver_steps', 20, 'Of Heun, from noise to a sample.', lower_bound=1,
                       flag_values=values)


def learned(plane: two_d.Plane, steps: int, solver_steps: int) -> np.ndarray:
  """Points at every time from noise to samples: `[solver_steps + 1, NUM, 2]`."""
  net, path, key = TimeMLP(128, 3), paths.rectified(), jax.random.key(0)
  algorithm = ts.build(flow_matching(net, (1, 1, 2), path), {
      'flow': optax.adam(optax.cosine_decay_schedule(3e-3, steps))}, ema=ts.EMA())
  batch_at = lambda k: {'image': two_d.as_images(plane.draw(jax.random.fold_in(key, k), BATCH))}

  @jax.jit
  def ways() -> jax.Array:
    state, _ = jax.lax.scan(lambda state, k: (algorithm.step(state, batch_at(k), key)[0], None),
                            algorithm.init(key, batch_at(0)), jnp.arange(steps))
    field = field_of(net, path, flow.VELOCITY, *ts.averaged(state))
    noise = jax.random.normal(jax.random.key(1), (NUM, 1, 1, 2))
    keys = jax.random.split(key, NUM)
    return solvers.solved(solvers.heun, field, path, noise, keys, path.times(solver_steps))[1]
  return np.asarray(ways())[:, :, 0, 0]


def scores(name: str, plane: two_d.Plane, drawn: np.ndarray, real: np.ndarray) -> str:
  """Of points, beside those of as many real ones."""
  other = np.asarray(plane.draw(jax.random.key(3), len(drawn)))
  near, floor = (points.reached(x, plane.modes, plane.std) for x in (drawn, other))
  distance, least = (points.sliced_wasserstein(x, real) for x in (drawn, other))
  text = (f'{near.modes}/{near.total} modes, {near.quality:.1%} near ({floor.quality:.1%}), '
          f'distance {distance:.4f} ({least:.4f})')
  print(f'{name}: {text}', flush=True)
  return text


def main(argv: list[str]) -> None:
  del argv
  from matplotlib.figure import Figure
  figure = Figure((9, 3 * len(PLANES)), layout='constrained')
  axes = figure.subplots(len(PLANES), 3)
  for row, (name, make) in zip(axes, PLANES.items()):
    plane = make()
    real = np.asarray(plane.draw(jax.random.key(2), NUM))
    ways = learned(plane, flags.FLAGS.steps, flags.FLAGS.solver_steps)
    row[0].scatter(*real.T, s=1, c='black')
    row[0].set_title(name, fontsize=9)
    row[1].scatter(*ways[-1].T, s=1, c='tab:blue')
    row[1].set_title(scores(name, plane, ways[-1], real), fontsize=6)
    row[2].plot(*ways[:, :WAYS].transpose(2, 0, 1), lw=.5, c='grey')
    row[2].scatter(*ways[-1, :WAYS].T, s=4, c='tab:blue')
    for axis, reach in zip(row, (1., 1., 2.)):
      axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect='equal', xticks=[], yticks=[])
  with write_aside(os.path.expanduser(flags.FLAGS.out)) as f:
    figure.savefig(f, dpi=90, format='png')


if __name__ == '__main__':
  define_flags(flags.FLAGS)
  app.run(main)
