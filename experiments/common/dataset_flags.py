"""The flags that name a data set, of every program."""
from typing import Any

from absl import flags

from common import download_flag, paths
from common.program import plain
from jaxsynth.data import DatasetSpec


def define(values: flags.FlagValues) -> None:
  """Defines `--dataset`, `--split`, `--data_dir`, `--download` and how images come to one shape."""
  paths.define('dataset', 'mnist5k', 'mnist5k, sp500, breast_cancer or penguins (embedded), the '
               'name of a prepared tfds data set, a folder of images, an .npz file, a .csv file of '
               'a series or a table, or a rule as rule:shapes.', values)
  paths.define('data_dir', None, 'Where tfds data sets are prepared.', values)
  download_flag.define(values)
  paths.define('split', 'train', "Split of a tfds data set, of mnist5k, of a table or a long "
               "series, as 'train[:55000]'.", values)
  flags.DEFINE_string('image_key', 'image', "A tfds data set's feature of images.",
                      flag_values=values)
  flags.DEFINE_string('label_key', 'label', "A tfds data set's feature of labels; empty for "
                      'none.', flag_values=values)
  flags.DEFINE_list('image_size', None, 'Height and width, as 28,28; the data\'s own by '
                    'default.', flag_values=values)
  flags.DEFINE_integer('channels', None, "1 or 3; the data's own by default.",
                       flag_values=values)
  flags.DEFINE_enum('fit', 'crop', ['crop', 'pad'], 'How images come to --image_size.',
                    flag_values=values)
  flags.DEFINE_integer('window', None, 'Steps of an example of a long series: sp500, a .csv file '
                       'or an .npz file of values.', lower_bound=2, flag_values=values)
  flags.DEFINE_integer('stride', 1, 'Rows from the beginning of a window to that of the next.',
                       lower_bound=1, flag_values=values)
  flags.DEFINE_list('columns', None, 'Of a long series; all but that of the times by default.',
                    flag_values=values)
  flags.DEFINE_string('time_column', None, 'Of a .csv file, whose rows are in its order; by '
                      'default there is none, and they are in order.', flag_values=values)
  flags.DEFINE_enum('missing', 'refuse', ['refuse', 'drop', 'hold'], 'Rows of a .csv file that '
                    'lack a value: refuse them, drop them, or hold the value before.',
                    flag_values=values)
  flags.DEFINE_bool('log_changes', False, 'Learn how the logarithm of each column of a long series '
                    'changes from row to row, as log-returns of prices.', flag_values=values)
  flags.DEFINE_string('array', None, 'Which set of an .npz file of labelled series, as GunPoint of '
                      'GunPoint_x_train, GunPoint_y_train and so on.', flag_values=values)
  flags.DEFINE_bool('table', False, 'A .csv file or an .npz file of rows is a table; so it is '
                    'with --label_column or --schema.', flag_values=values)
  flags.DEFINE_string('label_column', None, 'Of a table, the column that is the label.',
                      flag_values=values)
  paths.define('schema', None, 'Of a table, a file of JSON that says what its columns are, as '
               'table.py writes it; inferred by default.', values)
  flags.DEFINE_enum('unseen', 'refuse', ['refuse', 'drop'], 'Rows of a table with a class that '
                    'its schema does not have: refuse them, or drop them.', flag_values=values)
  flags.register_validator(
      'image_size', lambda v: v is None or len(v) == 2 and positive(v),
      'expected height and width, as 28,28', flag_values=values)
  flags.register_validator('channels', lambda v: v in (None, 1, 3), 'expected 1 or 3',
                           flag_values=values)


def positive(texts: list[str]) -> bool:
  """Whether they are positive integers, one at least."""
  return bool(texts) and all(x.strip().isdigit() and int(x) > 0 for x in texts)


def given(values: flags.FlagValues) -> dict[str, Any]:
  """The data set's flags by name, as JSON holds them."""
  return {name: plain(values[name].value) for name in DatasetSpec._fields if name in values}


def spec(values: flags.FlagValues) -> DatasetSpec:
  """The data set that the flags name."""
  return DatasetSpec.of(given(values))
