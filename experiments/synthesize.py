r"""Writes a data set drawn from a trained generator; its readers need none of this code.

    python experiments/synthesize.py --run=/tmp/quickstart --num=100000 \
        --out=/tmp/data --name=mnist_synth

and then, say, `tfds.data_source('mnist_synth', split='train', data_dir='/tmp/data')`.
Started again it writes what is missing. Several workers, `--worker=0/8` to
`--worker=7/8`, on one host or many, need only the folder in common; the bytes do not
depend on how many there are. The last one to finish writes the metadata.

`--filters=discriminator,classifier,realism,density,copies,duplicates`, or some of them, draws
again what does not pass; thresholds are chosen on real images that the run has not seen.
`--pseudo_labels` gives each image the label that a classifier of the run's data finds most
probable, in the place of the one it was drawn for, and so labels those of an unconditional run.
`--require='frechet<=20,recall>=.5'` marks the data set as accepted or rejected.

Exit codes: 0 written, and accepted if anything was required; 3 written, but rejected; 1
anything else.
"""
import re
import sys

from absl import app, flags
import jax

import gate
import pseudo
import quality
import quality_options
import rate
import recipe
import startup
import trained
from jaxsynth import synthesis
from jaxsynth.checkpoint import CheckpointError
from jaxsynth.synthesis import engine, plan
from jaxsynth.synthesis.strict import TooFew

flags.DEFINE_string('run', None, "The trained run's --workdir.", required=True)
flags.DEFINE_integer('step', None, 'Its checkpoint; by default the newest.')
flags.DEFINE_float('temperature', 1., 'Standard deviation of the latents; above 1 images are more '
                   'varied and less faithful, below 1 the other way.')
flags.DEFINE_string('out', None, 'Folder of data sets; made if missing.', required=True)
flags.DEFINE_integer('num', None, 'Images, all in the split train unless --splits says else.',
                     lower_bound=1, upper_bound=2 ** 31)
flags.DEFINE_list('splits', None, 'Images of each split, as train:900000,test:100000.')
flags.DEFINE_string('name', 'synthetic', 'Of the data set.')
flags.DEFINE_string('version', '1.0.0', 'Of the data set.')
flags.DEFINE_enum('format', 'array_record', ['array_record', 'tfrecord', 'folder'],
                  'array_record is read without TensorFlow, tfrecord with it; a folder has '
                  'one of PNG files for each class, in OUT/SPLIT.')
flags.DEFINE_string('labels', 'balanced', "Of a conditional model: 'balanced', or shares in "
                    'order of the classes (5,3,2 or .5,.3,.2), or of some (0:1,7:3).')
flags.DEFINE_integer('seed', 0, 'Of the samples.', lower_bound=0)
flags.DEFINE_integer('shards', None, 'Files; by default one for 16,000 images.', lower_bound=1)
flags.DEFINE_integer('block', None, 'Images computed together; another block, other bits. By '
                     'default 32 on CPU, 256 elsewhere.', lower_bound=1)
flags.DEFINE_string('worker', None, "This worker's number and how many there are, as 0/8.")
flags.DEFINE_bool('distributed', False, 'Call jax.distributed.initialize(), and take the '
                  "worker's number from it.")
flags.DEFINE_string('citation', None, 'BibTeX for the metadata.')
flags.register_validator('name', lambda x: re.fullmatch(r'[a-z]\w*', x, re.A),
                         'expected small letters, digits and _')
flags.register_validator('version', lambda x: re.fullmatch(r'\d+\.\d+\.\d+', x),
                         'expected three numbers, as 1.0.0')
FLAGS = flags.FLAGS
flags.adopt_module_key_flags(quality_options)


def worker() -> tuple[int, int]:
  """This worker's number, and how many there are."""
  if FLAGS.worker is None:
    return jax.process_index(), jax.process_count()
  found = re.fullmatch(r'(\d+)/(\d+)', FLAGS.worker)
  if not found or int(found[1]) >= int(found[2]):
    raise app.UsageError(f'--worker={FLAGS.worker}: expected k/n with 0 <= k < n, as 0/8')
  return int(found[1]), int(found[2])


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  startup.quiet()
  startup.keep_compiled()
  startup.keep_memory()
  if FLAGS.distributed:
    jax.distributed.initialize()
  try:
    wanted = gate.requirements(FLAGS.require) if FLAGS.require is not None else []
    model = trained.load(FLAGS.run, FLAGS.step, FLAGS.temperature)
    order = recipe.order(model)
    real = (quality_options.real_data(model)
            if FLAGS.filters or FLAGS.pseudo_labels or wanted else None)
    form = recipe.claimed(order, model, quality.settings(real), pseudo.settings())
    number, workers = worker()
    mine = plan.own(order.shards, number, workers)
    left = [shard for shard in mine if not form.done(shard)]
    if left and real is not None and FLAGS.filters:
      stream = quality.stream(order, model, real)
    else:
      stream = synthesis.streamer(model.run.algorithm.sample, model.params, model.variables,
                                  FLAGS.seed, order.shares, block=order.block)
    if left and real is not None and FLAGS.pseudo_labels:
      stream = pseudo.stream(stream, order, model, real)
  except (ValueError, OSError, ImportError, FloatingPointError, CheckpointError) as error:
    raise app.UsageError(str(error)) from error
  print(f'worker {number} of {workers}: {len(left)} of {len(mine)} shards to write, in '
        f'{order.folder}', file=sys.stderr)
  progress = rate.Rate(sum(shard.stop - shard.start for shard in left))
  try:
    engine.write(stream, left, form, report=progress)
    whole = engine.finish(order.shards, form)
  except (OSError, FloatingPointError, TooFew) as error:
    raise SystemExit(f'{error}\nWhat is whole stays; run this again to go on.') from error
  finally:
    progress.close()
  if not whole:
    print(f'done: worker {number} of {workers}; others are still to finish', file=sys.stderr)
    return
  if real is not None:
    judged(order, model, real, wanted)
  print(f'done: {order.folder}', file=sys.stderr)
  if wanted and gate.marked(order.folder)['quality'] == 'rejected':
    sys.exit(gate.REJECTED)


def judged(order: recipe.Order, model: trained.Trained, real: quality_options.Real,
           wanted: list[gate.Requirement]) -> None:
  """Scores what is written."""
  try:
    measured = quality.measure(order, model, real, wanted)
  except (OSError, ValueError, FloatingPointError) as error:
    raise SystemExit(f'the data set is written, but cannot be scored: {error}') from error
  print(quality.show(measured), file=sys.stderr)


if __name__ == '__main__':
  app.run(main)
