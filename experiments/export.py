r"""Exports a run's averaged generator as a sampler that needs no code of ours.

    python experiments/export.py --run=/tmp/quickstart --out=/tmp/sampler --batch_size=16

writes sampler.bin, params.npz and config.json, which the `load` of
`jaxsynth/synthesis/exported.py` reads; with --onnx also generator.onnx, which takes
latents `z` [B, latent] (and labels) and gives images in [-1, 1].
"""
import pathlib
from typing import Any

from absl import flags

from common import experiments, paths, program, sampling_flags
from jaxsynth import files, runs
from jaxsynth.synthesis import exported
from jaxsynth.synthesis.to_onnx import to_onnx

FLAGS = flags.FLAGS


def define_flags(values: flags.FlagValues) -> None:
  """The flags of an export, besides those of sampling from its run."""
  given: dict[str, Any] = {'flag_values': values}
  paths.define('run', None, "The trained run's --workdir.", values, required=True)
  flags.DEFINE_integer('step', None, 'Its checkpoint; by default the newest.', **given)
  paths.define('out', None, 'Folder of the sampler; made if missing.', values, required=True)
  flags.DEFINE_integer('batch_size', 16, 'Images a call, fixed.', lower_bound=1, **given)
  flags.DEFINE_bool('onnx', False, 'Write generator.onnx too.', **given)
  flags.DEFINE_list('platforms', list(exported.PLATFORMS), 'Where it is to run: some of '
                    f'{", ".join(exported.KNOWN)}.', **given)
  flags.register_validator('platforms', exported.are_platforms, exported.EXPECTED, **given)


def main() -> None:
  model = experiments.load(FLAGS.run, FLAGS.step,
                           sampling_flags.given(sampling_flags.of_run(FLAGS.run), FLAGS))
  if FLAGS.onnx and model.run.decoder is None:
    raise ValueError('--onnx: a sample of this run is not one network applied to one latent, so '
                     'there is no network to write; sampler.bin draws its samples')
  contents = exported.exported(
      model.run.sample, model.params, model.variables, batch_size=FLAGS.batch_size,
      conditional=model.run.num_classes is not None, platforms=FLAGS.platforms,
      record={'model': model.provenance, 'num_classes': model.run.num_classes,
              'class_names': model.run.num_classes and model.class_names,
              **({'privacy': model.privacy.to_json()} if model.privacy else {})})
  if FLAGS.onnx:
    contents = {'generator.onnx': onnx(model, FLAGS.batch_size), **contents}
  out = pathlib.Path(FLAGS.out)
  out.mkdir(parents=True, exist_ok=True)
  for name, raw in contents.items():  # config.json, the last, names the others' digests
    with files.write_aside(out / name) as f:
      f.write(raw)
  print(f'done: {out}')


def onnx(model: runs.Trained, batch_size: int) -> bytes:
  """The generator alone, of latents."""
  decoder = model.run.decoder
  assert decoder is not None
  return to_onnx(lambda *args: decoder.apply(model.params, model.variables, *args), batch_size,
                 decoder.latent_dim, model.run.num_classes)


if __name__ == '__main__':
  program.run(main, define_flags, define_more=sampling_flags.definer('run'))
