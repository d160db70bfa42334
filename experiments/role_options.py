"""The flags that give splits their roles."""
from absl import flags

import data_options

flags.adopt_module_key_flags(data_options)
flags.DEFINE_string('validation_split', None, 'Real images that nothing learns from: a split, a '
                    'folder or an .npz file; by default the split validation, if there is one.')
flags.DEFINE_string('test_split', None, 'Real images that the results are held against; by '
                    'default the split test, if there is one.')
flags.DEFINE_string('report', None, 'Folder of the results; made if missing.', required=True)
