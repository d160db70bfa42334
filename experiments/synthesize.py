r"""Writes a data set drawn from a trained generator; its readers need none of this code.

    python experiments/synthesize.py --run=/tmp/quickstart --num=100000 \
        --out=/tmp/data --name=mnist_synth
    python experiments/synthesize.py --rule=scenes --num=1000 --out=/tmp/data --name=streets

and then, say, `tfds.data_source('mnist_synth', split='train', data_dir='/tmp/data')`.
Started again it writes what is missing. Several workers, `--worker=0/8` to
`--worker=7/8`, on one host or many, need only the folder in common; the bytes do not
depend on how many there are. The last one to finish writes the metadata. Processes of
one job (--distributed, or --coordinator_address and what goes with it) are such workers.

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
from typing import Any

from absl import flags
import jax

from common import (
    errors, experiments, paths, processes, program, quality_flags, rate, rule_flags,
    sampling_flags, seeds)
from jaxsynth import hosts, quality, runs
from jaxsynth.synthesis.strict import TooFew

FLAGS = flags.FLAGS


def define_flags(values: flags.FlagValues) -> None:
  """The flags of a data set, besides those of sampling from its run."""
  text, number = flags.DEFINE_string, flags.DEFINE_integer
  given: dict[str, Any] = {'flag_values': values}
  at_least = lambda n: {'lower_bound': n, 'flag_values': values}
  paths.define('run', None, "The trained run's --workdir.", values)
  rule_flags.define(values)
  number('step', None, 'Its checkpoint; by default the newest.', **given)
  paths.define('out', None, 'Folder of data sets; made if missing.', values, required=True)
  number('num', None, 'Images, all in the split train unless --splits says else.',
         upper_bound=2 ** 31, **at_least(1))
  flags.DEFINE_list('splits', None, 'Images of each split, as train:900000,test:100000.', **given)
  text('name', 'synthetic', 'Of the data set.', **given)
  text('version', '1.0.0', 'Of the data set.', **given)
  flags.DEFINE_enum('format', 'array_record', ['array_record', 'tfrecord', 'folder'],
                    'array_record is read without TensorFlow, tfrecord with it; a folder has '
                    'one of PNG files for each class, in OUT/SPLIT.', **given)
  text('labels', 'balanced', "Of a conditional model: 'balanced', or shares in order of the "
       'classes (5,3,2 or .5,.3,.2), or of some by name (0:1,7:3 or cat:1,dog:3).', **given)
  seeds.define(values, 'Of the samples.')
  number('shards', None, 'Files; by default one for 16,000 images.', **at_least(1))
  number('block', None, 'Images computed together; another block, other bits. By default 32 on '
         'CPU, 256 elsewhere.', **at_least(1))
  text('worker', None, "This worker's number and how many there are, as 0/8.", **given)
  processes.define(values)
  text('citation', None, 'BibTeX for the metadata.', **given)
  flags.register_validator('name', quality_flags.is_free_name, 'expected small letters, digits and '
                           '_', **given)
  flags.register_multi_flags_validator(
      ['run', 'rule'], lambda given: (given['run'] is None) != (given['rule'] is None),
      'expected one of --run and --rule', **given)
  flags.register_validator('version', quality.is_version, 'expected three numbers without zeros '
                           'in front, as 1.0.0 or 2024.11.5', **given)
  quality_flags.define(values)


def main() -> None:
  # JAX lets a process that ends wait for the others only for minutes; all end with the same code
  if hosts.any_of(write_part()):
    sys.exit(quality.REJECTED)


def write_part() -> bool:
  """Writes this worker's part; the last worker measures the whole, if anything asks for it.

  Returns:
    Whether the whole was judged here, and rejected.
  """
  number, workers = worker()
  selection, requirements = (quality_flags.selection(FLAGS), quality_flags.requirements(FLAGS))
  model = rule_flags.model(FLAGS) if FLAGS.rule else experiments.load(
      FLAGS.run, FLAGS.step, sampling_flags.given(sampling_flags.of_run(FLAGS.run), FLAGS))
  order = order_of(model)
  needed = selection.filters or selection.pseudo_labels or requirements
  real = quality_flags.real_data(FLAGS, model) if needed else None
  try:
    work = quality.begin(order, model, real, selection, worker=number, workers=workers)
  except FloatingPointError as error:
    raise ValueError(str(error)) from error
  for line in work.fitted.lines if work.fitted else ():
    print(line, file=sys.stderr)
  print(f'worker {number} of {workers}: {len(work.left)} of {len(work.shards)} shards to write, '
        f'in {order.folder}', file=sys.stderr)
  if not write(work):
    print(f'done: worker {number} of {workers}; others are still to finish', file=sys.stderr)
    return False
  if real is not None:
    try:
      measured = quality.measure(order, model, real, selection, requirements,
                                 most=FLAGS.score_num)
    except (OSError, ValueError, FloatingPointError) as error:
      raise SystemExit(f'the data set is written, but cannot be scored: {error}') from error
    print(quality.summary(measured), file=sys.stderr)
  print(f'done: {order.folder}', file=sys.stderr)
  return bool(requirements) and quality.measured_before(order.folder)['quality'] == 'rejected'


def worker() -> tuple[int, int]:
  """This worker's number, and how many there are."""
  if FLAGS.worker is None:
    return jax.process_index(), jax.process_count()
  parts = re.fullmatch(r'(\d+)/(\d+)', FLAGS.worker)
  if not parts or int(parts[1]) >= int(parts[2]):
    raise ValueError(f'--worker={FLAGS.worker}: expected k/n with 0 <= k < n, as 0/8')
  return int(parts[1]), int(parts[2])


def order_of(model: runs.Trained) -> quality.Order:
  """What the flags ask for."""
  return quality.Order.of(
      model, FLAGS.out, quality.parse_splits(FLAGS.splits, FLAGS.num), name=FLAGS.name,
      version=FLAGS.version, format=FLAGS.format,
      shares=quality.parse_shares(FLAGS.labels, model.run.num_classes and model.class_names),
      seed=FLAGS.seed, num_shards=FLAGS.shards, block=FLAGS.block, citation=FLAGS.citation)


def write(work: quality.Work) -> bool:
  """Writes this worker's part; whether the data set is whole."""
  progress = rate.Rate(sum(shard.stop - shard.start for shard in work.left))
  try:
    return work.write(progress)
  except (OSError, FloatingPointError, TooFew) as error:
    raise SystemExit(f'{errors.message(error)}\nWhat is whole stays; run this again to go '
                     'on.') from error
  finally:
    progress.close()


if __name__ == '__main__':
  program.run(main, define_flags, define_more=sampling_flags.definer('run'))
