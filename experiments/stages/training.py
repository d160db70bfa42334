"""How the pipeline trains: an experiment and its flagfile, checked before any work."""
from collections.abc import Mapping
from typing import Any, NamedTuple

from absl import flags

from common import experiments
from common.program import plain
from jaxsynth import parallel, runs
from jaxsynth.data import DatasetSpec
from stages import collected

FOLDER_FLAGS = ('workdir', 'fresh')


class Training(NamedTuple):
  """What the train stage runs.

  Attributes:
    experiment: the program of experiments/ that trains, without `.py`.
    path: its flagfile as given, or `None`.
    texts: what is in that file and in those that it names, a flag an entry.
    config: every flag of the experiment, name to value, with the pipeline's data and seed.
  """
  experiment: str
  path: str | None
  texts: tuple[str, ...]
  config: Mapping[str, Any]


def read(experiment: str, path: str | None, shared: Mapping[str, Any]) -> Training:
  """Reads a training's flagfile as its experiment does.

  Args:
    experiment: a name of `experiments.names()`.
    path: the flagfile, or `None` for the experiment's defaults.
    shared: flags that the pipeline gives to every stage, the data set's and the seed, by name.

  Raises:
    ValueError: a file that cannot be read; a flag that the experiment does not know or a value
      that it refuses; a folder, which is for the pipeline to say; a shared flag with another
      value than the pipeline's.
  """
  define_flags = experiments.program(experiment).define_flags
  values = flags.FlagValues()
  define_flags(values)
  values.set_default('workdir', 'OUT/train')
  try:
    texts = flags.FlagValues().read_flags_from_files([f'--flagfile={path}']) if path else []
  except flags.Error as error:
    raise ValueError(f'--train_flags={path}: {error}') from error
  try:
    rest = values([f'{experiment}.py', f'--undefok={",".join(_absls())}', *texts])[1:]
  except flags.Error as error:
    raise ValueError(f'--train_flags={path}: {experiment}.py: {error}') from error
  if rest:
    raise ValueError(f'--train_flags={path}: {" ".join(rest)}: expected flags alone, as '
                     '--steps=1000')
  for name in FOLDER_FLAGS:
    if values[name].present:
      raise ValueError(f'--train_flags={path}: it has --{name}, which is for the pipeline to say; '
                       'remove it there')
  for name, value in shared.items():
    there = plain(values[name].value)
    if values[name].present and there != value:
      raise ValueError(f'--train_flags={path}: --{name}={_text(there)}, but here it is '
                       f'--{name}={_text(value)}, for every stage; give the flag to the pipeline, '
                       'not to the training alone')
  return Training(experiment, path, tuple(texts),
                  {**experiments.recorded(define_flags, values), **shared})


def gives_labels(training: Training, spec: DatasetSpec, collection: Mapping[str, Any]) -> bool:
  """Whether the samples of the model carry labels: the experiment's `build` is asked.

  Args:
    training: what is trained.
    spec: on which data.
    collection: collection.json of those data.

  Raises:
    ValueError: what `build` refuses, say a conditional model of data without labels.
  """
  about = runs.About(collected.image_shape(spec, collection),
                     len(collected.class_counts(collection)) or None,
                     parallel.axis_name(training.config['parallel']), collection['dataset'],
                     collected.kind_of(collection))
  try:
    run = experiments.program(training.experiment).build(training.config, about)
  except ValueError as error:
    where = f'--train_flags={training.path}' if training.path else '--experiment'
    raise ValueError(f'{where}: {training.experiment}.py: {error}') from error
  return run.num_classes is not None


def _absls() -> list[str]:
  """Flags that every program has, as --verbosity: they may stand in a flagfile too."""
  return [name for name in flags.FLAGS
          if (flags.FLAGS.find_module_defining_flag(name) or '').startswith('absl')]


def _text(value: Any) -> str:
  """A value as it is typed."""
  if isinstance(value, list):
    return ','.join(map(str, value))
  return '' if value is None else str(value)
