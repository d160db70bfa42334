"""The flags of the pipeline, checked before any stage."""
import pathlib
import re

from absl import flags

import data_options
import pipeline_record as records
from pipeline_stages import NAMES, Options
import pipeline_train

FILTERS = ('discriminator', 'classifier', 'realism', 'density', 'copies', 'duplicates')
FLAGS = flags.FLAGS

flags.DEFINE_string('out', None, 'Folder of everything; made if missing.', required=True)
flags.DEFINE_list('stages', list(NAMES), f'Some of {",".join(NAMES)}; by default all.')
flags.DEFINE_list('rerun', [], 'Stages that are run from nothing, whatever is there.')
flags.DEFINE_integer('seed', 0, 'Of every stage.', lower_bound=0)
flags.DEFINE_string('validation_split', None, 'Real images that training does not see, for '
                    'filters and floors: a split, a folder or an .npz file; by default the '
                    'split validation, if there is one.')
flags.DEFINE_string('test_split', None, 'Real images that scores are against; by default the '
                    'split test, if there is one.')
flags.DEFINE_string('train_flags', None, 'Flagfile of experiments/mnist_dcgan.py.')
flags.DEFINE_string('name', 'synthetic', 'Of the synthetic data set; the filtered one is '
                    'NAME_filtered.')
flags.DEFINE_integer('num', None, 'Synthetic images; by default as many as are trained on.',
                     lower_bound=100)
flags.DEFINE_string('labels', 'data', "Of a conditional model: 'data', in the proportions of the "
                    "data; 'balanced'; or shares, as synthesize.py takes them.")
flags.DEFINE_float('temperature', 1., 'Standard deviation of the latents; above 1 images are more '
                   'varied and less faithful, below 1 the other way.')
flags.DEFINE_bool('pseudo_labels', False, 'Label images as a classifier of the training images '
                  'does; so an unconditional model is of use to classifiers too.')
flags.DEFINE_list('filters', [], f'Some of {",".join(FILTERS)}: a second set of what passes '
                  'them; empty for none.')
flags.DEFINE_float('keep', None, 'The share of real images that each filter lets pass.',
                   lower_bound=.01, upper_bound=1.)
flags.DEFINE_string('require', None, 'What the last set must score, as frechet<=20,recall>=.5; '
                    'else it is rejected, and the exit code is 3.')
flags.DEFINE_string('features', 'auto', 'What filters and scores stand on: auto, mnist, random, '
                    'pixels or an .npz file of Inception.')
flags.DEFINE_list('downstream_sizes', None, 'Real training images that classifiers get, as '
                  '100,1000,all.')
flags.DEFINE_list('downstream_parts', None, 'Synthetic parts, as .5,1.')
flags.DEFINE_integer('downstream_seeds', None, 'Repetitions.', lower_bound=1)
flags.DEFINE_integer('downstream_steps', None, 'Steps of each classifier.', lower_bound=1)

for _name in ('stages', 'rerun'):
  flags.register_validator(_name, lambda x: set(x) <= set(NAMES),
                           f'expected some of {", ".join(NAMES)}')
flags.register_validator('filters', lambda x: set(x) <= set(FILTERS) and len(set(x)) == len(x),
                         f'expected some of {", ".join(FILTERS)}, each once')
flags.register_validator('name', lambda x: re.fullmatch(r'[a-z]\w*', x, re.A),
                         'expected small letters, digits and _')


def options() -> Options:
  """The flags as a value.

  Raises:
    ValueError: a flagfile of the training that is missing, or says what the pipeline does.
  """
  config = data_options.config()
  path = FLAGS.train_flags
  train = pipeline_train.flagfile(path) if path else []
  pipeline_train.check(train, {**config, 'seed': FLAGS.seed}, path or '')
  given = {name: FLAGS[f'downstream_{name}'].value for name in ('sizes', 'parts', 'seeds', 'steps')}
  downstream = {name: ','.join(x) if isinstance(x, list) else str(x)
                for name, x in given.items() if x is not None}
  return Options(
      str(pathlib.Path(FLAGS.out).expanduser()), config,
      {'validation_split': FLAGS.validation_split, 'test_split': FLAGS.test_split},
      records.lies(config['dataset'], config['data_dir'],
                   (FLAGS.validation_split, FLAGS.test_split)),
      FLAGS.seed, path, tuple(train), FLAGS.name, FLAGS.num, FLAGS.labels, FLAGS.temperature,
      FLAGS.pseudo_labels, ','.join(FLAGS.filters), FLAGS.keep, FLAGS.require, FLAGS.features,
      downstream)
