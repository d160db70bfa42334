"""The flags that give the splits of a data set their roles."""
from absl import flags

from common import dataset_flags, paths
from jaxsynth import data
from jaxsynth.data import roles as data_roles


def define(values: flags.FlagValues) -> None:
  """Defines the data set's flags, `--validation_split`, `--test_split` and `--report`."""
  define_splits(values)
  paths.define('report', None, 'Folder of the results; made if missing.', values, required=True)


def define_splits(values: flags.FlagValues) -> None:
  """Defines the data set's flags, `--validation_split` and `--test_split`."""
  dataset_flags.define(values)
  text = lambda name, meaning: paths.define(name, None, meaning, values)
  text('validation_split', 'Real images that nothing learns from: a split, a folder or an .npz '
       'file; by default the split validation, if there is one.')
  text('test_split', 'Real images that the results are held against; by default the split test, '
       'if there is one.')


def roles(values: flags.FlagValues) -> tuple[data_roles.Roles, dict[str, data.DatasetSpec]]:
  """The split of each role beside `--split`, and role -> the spec that opens it.

  Raises:
    ValueError: a split that is trained on has another role too.
    OSError, ImportError: no such data set, or a package that its format needs is missing.
  """
  spec = dataset_flags.spec(values)
  chosen = data_roles.roles_beside(spec, values['validation_split'].value,
                                   values['test_split'].value)
  return chosen, data_roles.specs_of(spec, chosen)
