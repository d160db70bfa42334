"""The flags of the pipeline, checked before any stage."""
from collections.abc import Iterable
import pathlib
from types import ModuleType
from typing import Any

from absl import flags

from common import (comparison_flags, dataset_flags, experiments, paths, quality_flags, role_flags,
                    rule_flags, sampling_flags, seeds)
from jaxsynth import quality
from jaxsynth.data import DatasetSpec
from jaxsynth.data.origin import check_real
from stages import judging, record as records, rule_engine, training as trainings
from stages.plan import Options
from stages.rule_engine import RuleEngine
from stages.stage import Args, NAMES

DOWNSTREAM = ('sizes', 'parts', 'seeds', 'steps')
# what is of a trained engine alone, besides its flags of sampling
OF_TRAINING = ('experiment', 'train_flags', 'filters', 'keep', 'pseudo_labels', 'require')


def define(values: flags.FlagValues) -> None:
  """Defines the flags, but for those of sampling, which the experiment has."""
  text, number, several = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_list
  here: dict[str, Any] = {'flag_values': values}
  filters = ', '.join(quality.FILTERS)
  role_flags.define_splits(values)
  comparison_flags.define_synthetic_as_real(values)
  paths.define('out', None, 'Folder of everything; made if missing.', values, required=True)
  several('stages', list(NAMES), f'Some of {",".join(NAMES)}; by default all.', **here)
  several('rerun', [], 'Stages that are run from nothing, whatever is there.', **here)
  seeds.define(values, 'Of every stage.')
  text('experiment', experiments.FIRST, 'The program of experiments/ that trains, without .py: '
       f'{", ".join(experiments.names())}. Its flags of sampling can be given here.', **here)
  paths.define('train_flags', None, 'Flagfile of the experiment.', values)
  rule_flags.define(values)
  text('name', 'synthetic', 'Of the synthetic data set; the filtered one is NAME_filtered.', **here)
  number('num', None, 'Synthetic images; by default as many as are trained on.', lower_bound=100,
         **here)
  text('labels', 'data', "Of a rule or a conditional model: 'data', in the proportions of the "
       "data; 'balanced'; or shares, as synthesize.py takes them.", **here)
  flags.DEFINE_bool('pseudo_labels', False, 'Label images as a classifier of the training images '
                    'does; so an unconditional model is of use to classifiers too.', **here)
  several('filters', [], f'Some of {filters}: a second set of what passes them; empty for none.',
          **here)
  flags.DEFINE_float('keep', None, 'The share of real images that each filter lets pass.',
                     lower_bound=.01, upper_bound=1., **here)
  flags.DEFINE_bool('audit', False, 'Try to tell from each synthetic set, and from the model, '
                    'which images were learned from.', **here)
  text('require', None, 'What the last set must score, as frechet<=20,recall>=.5; else it is '
       f'rejected, and the exit code is {quality.REJECTED}.', **here)
  paths.define('features', 'auto', 'What filters and scores stand on: auto, mnist, random, pixels '
               'or an .npz file of Inception.', values)
  several('downstream_sizes', None, 'Real training images that classifiers get, as 100,1000,all.',
          **here)
  several('downstream_parts', None, 'Synthetic parts, as .5,1.', **here)
  number('downstream_seeds', None, 'Repetitions.', lower_bound=1, **here)
  number('downstream_steps', None, 'Steps of each classifier.', lower_bound=1, **here)
  known = judging.names(experiments.HERE)
  several('judges', [], f'Programs that judge the set, some of {", ".join(known)}, without .py; '
          'classifiers are trained besides where there are labels.', **here)
  several('judge_flags', [], 'Of these programs, as runs=3,steps=500.', **here)

  for name in ('stages', 'rerun'):
    flags.register_validator(name, lambda x: set(x) <= set(NAMES),
                             f'expected some of {", ".join(NAMES)}', **here)
  flags.register_validator(
      'filters', lambda x: set(x) <= set(quality.FILTERS) and len(set(x)) == len(x),
      f'expected some of {filters}, each once', **here)
  flags.register_validator('judges', lambda x: set(x) <= set(known) and len(set(x)) == len(x),
                           f'expected some of {", ".join(known)}, each once', **here)
  flags.register_multi_flags_validator(
      ['judges', 'judge_flags'], lambda x: x['judges'] or not x['judge_flags'],
      '--judge_flags are of --judges, and there are none', **here)
  flags.register_validator('name', quality_flags.is_free_name, 'expected small letters, digits and '
                           '_', **here)


def program(experiment: str) -> ModuleType:
  """The program that trains.

  Raises:
    ValueError: none of that name.
  """
  names = experiments.names()
  if experiment not in names:
    raise ValueError(f'--experiment={experiment}: expected one of {", ".join(names)}, the programs '
                     'of experiments/ that train')
  return experiments.program(experiment)


def given(values: flags.FlagValues) -> Options:
  """The flags as a value.

  Raises:
    ValueError: a data set that is no real one; no such experiment; a flagfile of the training
      that is missing, that its experiment refuses, or that says what the pipeline does; a rule
      beside a training, or one that draws no pictures.
    OSError: the file of a rule's spec cannot be read.
  """
  spec = dataset_flags.spec(values)
  splits = {name: values[name].value for name in ('validation_split', 'test_split')}
  if not values.synthetic_as_real:
    for real in (spec, *places(splits.values())):
      check_real(real)
  engine, sampling = _engine(values)
  downstream = {name: values[f'downstream_{name}'] for name in DOWNSTREAM}
  return Options(
      out=str(pathlib.Path(values.out)), data=spec, splits=splits,
      files=records.files_digest([spec, *places(splits.values())]), seed=values.seed,
      engine=engine, name=values.name, num=values.num,
      labels=values.labels, sampling=sampling,
      pseudo_labels=values.pseudo_labels, filters=','.join(values.filters),
      keep=values.keep, require=values.require,
      features=values.features,
      judges=tuple(values.judges), judge_flags=tuple(f'--{x}' for x in values.judge_flags),
      synthetic_as_real=values.synthetic_as_real, audit=values.audit,
      downstream={name: ','.join(flag.value) if isinstance(flag.value, list) else str(flag.value)
                  for name, flag in downstream.items() if flag.value is not None})


def _engine(values: flags.FlagValues) -> tuple[trainings.Training | RuleEngine, Args]:
  """What draws, and the flags of sampling that are not as in training."""
  experiment = program(values.experiment)
  if values.rule:
    rule_flags.refuse(values, (*OF_TRAINING, *experiment.SAMPLING))
    return rule_engine.check_pictures(RuleEngine(*rule_flags.rule(values))), ()
  training = trainings.read(values.experiment, values.train_flags, {
      **dataset_flags.given(values), 'seed': values.seed})
  sampling = sampling_flags.given(experiment, values)
  return training, tuple(values[name].serialize() for name, value in sampling.items()
                         if value != training.config[name])


def places(splits: Iterable[str | None]) -> list[DatasetSpec]:
  """The folders and files that stand for splits."""
  return [DatasetSpec(split) for split in splits
          if split and pathlib.Path(split).exists()]
