"""The flags of filters, pseudo-labels and the quality gate."""
from absl import flags

from common import paths
from jaxsynth import quality, runs

FILTERS_EXPECTED = f'expected some of {quality.FILTERS}, each once'


def are_filters(names: list[str]) -> bool:
  """Whether they are names of filters, each once."""
  return set(names) <= set(quality.FILTERS) and len(set(names)) == len(names)


def define(values: flags.FlagValues) -> None:
  """Defines the flags of what enters a data set, who labels it and what it must score."""
  define_selection(values)
  paths.define('validation_split', None, 'Real images that the run has not seen: a split, a folder '
               'or an .npz file; by default the rest of train[:N], or validation.', values)
  paths.define('data_dir', None, "Where tfds data sets are prepared; the run's by default.", values)
  paths.define('dataset', None, "The run's data, where they were moved: a folder, an .npz file or "
               'the name of a tfds data set.', values)
  paths.define('features', 'auto', 'What filters and scores stand on: mnist, random, pixels or an '
               '.npz file of Inception; auto is mnist for its digits, else random.', values)
  flags.DEFINE_string('require', None, 'What the data set must score, as '
                      'frechet<=20,recall>=.5; else it is marked as rejected, and the exit code '
                      'is 3.', flag_values=values)
  flags.DEFINE_integer('score_num', 5000, 'Images scored, at most; as many held-out real ones.',
                       lower_bound=100, flag_values=values)


def define_selection(values: flags.FlagValues) -> None:
  """Defines those of `selection`."""
  flags.DEFINE_list('filters', [], f'Some of {",".join(quality.FILTERS)}: what does not pass is '
                    'drawn again.', flag_values=values)
  flags.DEFINE_float('keep', .95, 'The share of held-out real images that each filter lets '
                     'pass; copies and duplicates: all of them.', lower_bound=.01,
                     upper_bound=1., flag_values=values)
  flags.DEFINE_float('gamma', None, "discriminator: gamma is this percentile of its scores of "
                     'samples, instead of --keep.', lower_bound=0., upper_bound=100.,
                     flag_values=values)
  flags.DEFINE_bool('pseudo_labels', False, 'Label images as a classifier of real ones does, '
                    'not as they were asked for; so an unconditional model gives labels too. How '
                    'often it is right is told of --validation_split.', flag_values=values)
  paths.define('classifier', None, 'The .classifier.npz of a data set; by default one is trained '
               "on the run's data.", values)
  flags.DEFINE_integer('attempts', 64, 'Candidates a sample, on average, before giving up.',
                       lower_bound=1, flag_values=values)
  flags.register_validator('filters', are_filters, FILTERS_EXPECTED, flag_values=values)


def selection(values: flags.FlagValues) -> quality.Selection:
  """Which samples enter, and who labels them."""
  return quality.Selection(values.filters, values.keep, values.gamma, values.attempts,
                           values.pseudo_labels, values.classifier)


def requirements(values: flags.FlagValues) -> list[quality.Requirement]:
  """What the data set must score.

  Raises:
    ValueError: no requirements.
  """
  return [] if values.require is None else quality.parse_requirements(values.require)


def real_data(values: flags.FlagValues, model: runs.Trained) -> quality.RealData:
  """What filters and scores stand on.

  Raises:
    As `quality.read_real`.
  """
  return quality.read_real(model, selection(values), validation_split=values.validation_split,
                           data_dir=values.data_dir, dataset=values.dataset,
                           features_name=values.features)
