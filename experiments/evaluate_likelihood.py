r"""Measures the likelihood of images under a run, in nats, by importance sampling.

    python experiments/evaluate_likelihood.py --run=/tmp/vae --images=/tmp/static/test.npz \
        --samples=5000 --report=/tmp/nats

writes likelihood.json: the negative log-likelihood with its standard error over images, the
evidence lower bound, how many of the draws count, and how all was measured. For conditional
models it is the likelihood given the label.
"""
import hashlib
import json
import pathlib

from absl import flags
import jax
import numpy as np

from common import experiments, paths, program, seeds
import jaxsynth
from jaxsynth import data, files
from jaxsynth.data import spec as specs
from jaxsynth.metrics.likelihood import log_likelihood

FLAGS = flags.FLAGS


def define_flags(values: flags.FlagValues) -> None:
  """The run, the images and the draws."""
  number = flags.DEFINE_integer
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  paths.define('run', None, "The trained run's --workdir.", values, required=True)
  number('step', None, 'Its checkpoint; by default the newest.', flag_values=values)
  paths.define('images', 'test', 'A split of what it was trained on, a folder or an .npz file.',
               values)
  number('samples', 5000, 'Draws an image.', **at_least(1))
  number('num', None, 'Images, the first ones; by default all.', **at_least(1))
  number('batch_size', 20, 'Images at once.', **at_least(1))
  number('chunk', 50, 'Draws at once; it divides --samples.', **at_least(1))
  seeds.define(values, 'Of the draws.')
  paths.define('report', None, 'Folder of the results; made if missing.', values, required=True)
  flags.register_multi_flags_validator(
      ['samples', 'chunk'], lambda f: f['samples'] % f['chunk'] == 0,
      '--samples must be a multiple of --chunk', flag_values=values)


def main() -> None:
  model = experiments.load(FLAGS.run, FLAGS.step)
  density = model.run.density
  if density is None:
    raise ValueError(f'--run={FLAGS.run}: {model.run.summary} has no likelihood of images')
  source = data.open_dataset(model.spec.of_split(FLAGS.images))
  if source.image_shape != model.image_shape:
    raise ValueError(f'--images={FLAGS.images}: images of shape {source.image_shape}, but the run '
                     f'learned from {model.image_shape}')
  count = min(FLAGS.num or source.size, source.size)
  batch = source.take(np.arange(count))
  images, labels = batch['image'], batch.get('label') if model.run.num_classes else None
  if misfit := density.misfit(images):
    raise ValueError(f'--images={FLAGS.images}: {misfit}')
  measured = log_likelihood(
      density.log_weights, model.params, model.variables, images, labels, samples=FLAGS.samples,
      seed=FLAGS.seed, batch_size=FLAGS.batch_size, chunk=FLAGS.chunk)
  summary = measured.summary()
  card = {'score': 'negative log-likelihood, nats an image, by importance samples',
          'given': 'label' if model.run.num_classes else None, 'samples': FLAGS.samples,
          'images': count, 'of': source.size, 'split': specs.short_name(FLAGS.images),
          'sha256': hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest(),
          'levels': len(np.unique(images)), 'seed': FLAGS.seed, 'chunk': FLAGS.chunk,
          'model': model.provenance, 'summary': model.run.summary,
          'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__},
          'platform': jax.default_backend()}
  folder = pathlib.Path(FLAGS.report)
  folder.mkdir(parents=True, exist_ok=True)
  with files.write_aside(folder / 'likelihood.json') as f:
    f.write(json.dumps({**summary, 'protocol': card}, indent=1).encode() + b'\n')
  print(f'{summary["nats"]:.3f} nats ± {summary["standard_error"] or 0:.3f} over '
        f'{count:,} images, {FLAGS.samples:,} draws each; of these '
        f'{summary["effective_samples"]:.0f} count')
  program.done(folder / 'likelihood.json')


if __name__ == '__main__':
  program.run(main, define_flags)
