"""The flags that name real and synthetic data, of programs that compare them."""
from absl import flags

import data_options

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(data_options)
flags.DEFINE_alias('real', 'dataset')
flags.DEFINE_alias('real_split', 'split')
FLAGS.set_default('split', None)
flags.DEFINE_string('synthetic', None, "A run's --workdir, an .npz file, a prepared tfds folder "
                    'or a folder of images; with labels for downstream.py.', required=True)
flags.DEFINE_string('synthetic_split', None, 'Of a tfds folder; by default train.')
flags.DEFINE_string('train_split', None, 'Real images that generators or classifiers learn from: a '
                    'split of --real, a folder or an .npz file; by default train, of MNIST '
                    'train[:55000].')
flags.DEFINE_string('step', None, "A run's checkpoint to draw from: a number, or best for the "
                    'least distance of its scores.jsonl. By default the newest.')
flags.DEFINE_string('report', None, 'Folder of the results; made if missing.', required=True)
flags.register_validator('step', lambda x: x is None or x == 'best' or x.isdigit(),
                         'expected a number or best')
