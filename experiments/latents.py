r"""Draws what a run makes of latents between two others, and of each latent as it moves.

    python experiments/latents.py --run=/tmp/vae --out=/tmp/latents

writes interpolation.png, a walk from one sample to another in each row, with the label of the
row if the run is conditional, and traversal.png, where one latent alone goes from -3 to 3
standard deviations in each row, those first that change the image most. It takes runs of every
program whose samples are one network applied to one latent.
"""
import pathlib

from absl import flags

from common import experiments, paths, program, seeds
from jaxsynth import images
from jaxsynth.runs import latents

FLAGS = flags.FLAGS


def define_flags(values: flags.FlagValues) -> None:
  """The run, and the size of the pictures."""
  number = flags.DEFINE_integer
  paths.define('run', None, "The trained run's --workdir.", values, required=True)
  number('step', None, 'Its checkpoint; by default the newest.', flag_values=values)
  number('rows', 10, 'Walks a picture.', lower_bound=1, flag_values=values)
  number('columns', 11, 'Images a walk.', lower_bound=2, flag_values=values)
  number('label', None, "Of a conditional run's images; by default a label a row, and 0 for the "
         'traversal.', lower_bound=0, flag_values=values)
  number('scale', 1, 'Each pixel becomes a square of this side.', lower_bound=1,
         flag_values=values)
  seeds.define(values, 'Of the latents.')
  paths.define('out', None, 'Folder of the pictures; made if missing.', values, required=True)


def main() -> None:
  drawn = latents.walks(experiments.load(FLAGS.run, FLAGS.step), rows=FLAGS.rows,
                        columns=FLAGS.columns, seed=FLAGS.seed, label=FLAGS.label)
  folder = pathlib.Path(FLAGS.out)
  folder.mkdir(parents=True, exist_ok=True)
  for name, picture in drawn.items():
    images.save_png(folder / f'{name}.png', picture, scale=FLAGS.scale)
  program.done(folder)


if __name__ == '__main__':
  program.run(main, define_flags)
