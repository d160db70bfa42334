r"""Exports a run's averaged generator as a sampler that needs no code of ours.

    python experiments/export.py --run=/tmp/quickstart --out=/tmp/sampler --batch_size=16

writes sampler.bin, params.npz and config.json, which the `load` of
`jaxsynth/synthesis/exported.py` reads; with --onnx also generator.onnx, which takes
latents `z` [B, latent] (and labels) and gives images in [-1, 1].
"""
import pathlib

from absl import app, flags

import build
from jaxsynth import files
from jaxsynth.checkpoint import CheckpointError
from jaxsynth.objectives import network
from jaxsynth.synthesis import exported
from jaxsynth.synthesis.to_onnx import to_onnx
import startup
import trained

flags.DEFINE_string('run', None, "The trained run's --workdir.", required=True)
flags.DEFINE_integer('step', None, 'Its checkpoint; by default the newest.')
flags.DEFINE_float('temperature', 1., 'Standard deviation of the latents; above 1 images are more '
                   'varied and less faithful, below 1 the other way.')
flags.DEFINE_string('out', None, 'Folder of the sampler; made if missing.', required=True)
flags.DEFINE_integer('batch_size', 16, 'Images a call, fixed.', lower_bound=1)
flags.DEFINE_bool('onnx', False, 'Write generator.onnx too.')
flags.DEFINE_list('platforms', list(exported.PLATFORMS), 'Where it is to run.')
FLAGS = flags.FLAGS


def onnx(model: trained.Trained) -> bytes:
  """The generator alone, of latents."""
  config, classes = model.record['flags'], model.record['data']['num_classes']
  generator = build.generator_of(config, model.image_shape, classes)

  def images(*args):
    own = model.params['generator'], model.variables['generator']
    return network.apply(generator, *own, *args)[0]
  return to_onnx(images, FLAGS.batch_size, config['latent_dim'], model.run.num_classes)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  startup.quiet()
  out = pathlib.Path(FLAGS.out).expanduser()
  try:
    model = trained.load(FLAGS.run, FLAGS.step, FLAGS.temperature)
    found = exported.exported(
        model.run.algorithm.sample, model.params, model.variables,
        batch_size=FLAGS.batch_size, conditional=model.run.num_classes is not None,
        platforms=FLAGS.platforms,
        record={'model': model.provenance, 'num_classes': model.run.num_classes})
    if FLAGS.onnx:
      found = {'generator.onnx': onnx(model), **found}
    out.mkdir(parents=True, exist_ok=True)
    for name, raw in found.items():  # config.json, the last, names the others' digests
      with files.write_aside(out / name) as f:
        f.write(raw)
  except (ValueError, OSError, ImportError, CheckpointError) as error:
    raise app.UsageError(str(error)) from error
  print(f'done: {out}')


if __name__ == '__main__':
  app.run(main)
