"""The flags that name real and synthetic data, of programs that compare them."""
from typing import Any

from absl import flags

from common import dataset_flags, experiments, paths
from jaxsynth import data
from jaxsynth.data import roles as data_roles
from jaxsynth.evaluation import synthetic as synthetic_sets

NAMES = ('synthetic', 'train_split', 'synthetic_split', 'step')


def define(values: flags.FlagValues) -> None:
  """Defines `--real`, which is `--dataset`, its splits, `--synthetic` and `--report`.

  A program defines `--num` and `--seed` of its own; `synthetic` reads them.
  """
  dataset_flags.define(values)
  values.set_default('split', None)
  values['split'].help = 'Of --real, what synthetic images are held against; by default test.'
  for alias, name in (('real', 'dataset'), ('real_split', 'split')):
    flags.DEFINE_alias(alias, name, flag_values=values)
    values[alias].help = f'The same as --{name}. {values[name].help}'
  text = lambda name, meaning, **more: paths.define(name, None, meaning, values, **more)
  text('synthetic', "A run's --workdir, an .npz file, a prepared tfds folder or a folder of "
       'images; with labels for downstream.py.', required=True)
  text('synthetic_split', 'Of a tfds folder; by default train.')
  text('train_split', 'Real images that generators or classifiers learn from: a split of --real, '
       'a folder or an .npz file; by default train, of MNIST train[:55000].')
  text('step', "A run's checkpoint to draw from: a number, or best for the least distance of its "
       'scores.jsonl. By default the newest.')
  text('report', 'Folder of the results; made if missing.', required=True)
  flags.register_validator('step', lambda x: x is None or x == 'best' or x.isdigit(),
                           'expected a number or best', flag_values=values)


def given(values: flags.FlagValues) -> dict[str, Any]:
  """These flags by name, as JSON holds them and records keep them; `split` is `real_split`."""
  named = dataset_flags.given(values)
  split = named.pop('split')
  return {**named, **{name: values[name].value for name in NAMES}, 'real_split': split}


def spec(values: flags.FlagValues) -> data.DatasetSpec:
  """The real data set; which of its splits is whose, `roles` says."""
  return dataset_flags.spec(values)


def roles(values: flags.FlagValues, validation: str | None = None) -> data_roles.Roles:
  """The split of each role.

  Args:
    values: the flags.
    validation: the split that nothing learned from; `None` for the default, `''` for none.

  Raises:
    OSError, ImportError: no such data set, or a package that its format needs is missing.
  """
  return data_roles.roles(spec(values), train=values['train_split'].value, validation=validation,
                          test=values['split'].value)


def synthetic(values: flags.FlagValues) -> synthetic_sets.Synthetic:
  """The synthetic set, at most `--num` of it.

  Raises:
    ValueError, OSError, ImportError: it is not there or cannot be read.
  """
  return synthetic_sets.read_synthetic(
      str(values['synthetic'].value), spec(values), split=values['synthetic_split'].value,
      num=values['num'].value, step=values['step'].value, seed=values['seed'].value or 0,
      load_run=experiments.load)
