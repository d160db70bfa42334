r"""Says how good a synthetic data set is, against real data and its floor.

    python experiments/evaluate.py --real=mnist --data_dir=$TFDS \
        --synthetic=/tmp/mnist --num=10000 --report=/tmp/report

--synthetic is a run's --workdir, its synthetic.npz, a prepared tfds folder or a folder of
images. Into --report go scores.json, every score with what real data gets for it, its
standard error and its protocol; report.html, one page that needs nothing else; with --blind=N
blind.html, where a person tells real from synthetic; and with --audit audit.jsonl, what attacks
see of who was learned from.

MNIST: train[:55000] is what was learned from, train[55000:] what nothing saw, test the
reference, to be touched once at the end: while choosing, say --real_split=train[55000:]
and --validation_split=''. Without splits, half of --real is the reference and half the floor.
"""
import json
import pathlib

from absl import flags

from common import audits, comparison_flags, paths, program, seeds
from jaxsynth import evaluation, files, report
from jaxsynth.data import examples
from jaxsynth.data.spec import are_digits
from jaxsynth.downstream import trained_features
from jaxsynth.metrics.features import Features
from jaxsynth.pages import (
    blind, downstream as downstream_page, evaluation as evaluation_page, privacy as privacy_page)
from jaxsynth.runs.scores import read_scores

NAMES = ('validation_split', 'num', 'features', 'blind', 'seed', *audits.NAMES)


def define_flags(values: flags.FlagValues) -> None:
  """What is compared, on which features, and what is written beside the scores."""
  comparison_flags.define(values)
  text, number = paths.define, flags.DEFINE_integer
  text('validation_split', None, 'Real images that nothing learned from, for the floor of '
       'memorisation; by default validation, of MNIST train[55000:].', values)
  number('num', None, 'Synthetic images to score; a run draws as many as it has not. By default '
         'what is there.', lower_bound=100, flag_values=values)
  text('features', 'auto', 'What distances are measured on: mnist, random, pixels, an .npz file of '
       'Inception, or trained, a classifier of --train_split; auto is mnist for its digits, else '
       'random.', values)
  text('downstream', None, 'Folder of downstream.py, whose section the page shows.', values)
  number('blind', 0, 'Images of blind.html; 0 for no such page.', lower_bound=0,
         flag_values=values)
  flags.DEFINE_bool('show_real', False, 'Show the real row beside the synthetic one that is '
                    'nearest to it, though it may be of a person; images are always shown so.',
                    flag_values=values)
  audits.define(values)
  seeds.define(values, 'Of what is drawn here, images of the run excepted.')
  flags.register_validator('blind', lambda n: n % 2 == 0, 'expected an even number',
                           flag_values=values)


def main() -> None:
  evaluate(flags.FLAGS)


def evaluate(values: flags.FlagValues) -> None:
  """Scores what the flags name, and writes files only once all of them are whole."""
  spec = comparison_flags.spec(values)
  digits = are_digits(spec)
  learned = values.features == trained_features.NAME
  roles = comparison_flags.roles(values, values.validation_split)
  if learned and not (roles.train and roles.validation):
    raise ValueError('--features=trained: a classifier learns them from --train_split, and the '
                     'floor is of images that it has not learned from; name --validation_split too')
  comparison = evaluation.read_comparison(
      comparison_flags.synthetic(values), spec, roles, values.seed,
      synthetic_as_real=values.synthetic_as_real, unseen_floor=learned)
  net = features_of(comparison, values, digits)
  studies = [downstream_page.read(values.downstream)] if values.downstream else []
  texts = {'blind.html': blind.page(
      comparison.real, comparison.synthetic, comparison.class_names, values.blind, values.seed)
  } if values.blind else {}
  outcome = evaluation.evaluate(comparison, net, digits)
  settings = comparison_flags.given(values) | {name: values[name].value for name in NAMES}
  guarantee, audit = audits.privacy(values, comparison, outcome.embedded)
  page = evaluation_page.page(comparison, outcome, read_scores(values.synthetic), studies,
                              show_real=values.show_real,
                              privacy=privacy_page.section(guarantee, audit))
  record = evaluation.record(comparison, outcome, settings)
  texts |= {'report.html': report.render(page),
            'scores.json': json.dumps(record, indent=1, allow_nan=False) + '\n'}
  if audit is not None:
    texts[audits.FILE] = ''.join(json.dumps(row, allow_nan=False) + '\n' for row in audit)
  folder = pathlib.Path(values.report)
  folder.mkdir(parents=True, exist_ok=True)
  for name, content in texts.items():
    with files.write_aside(folder / name) as f:
      f.write(content.encode())
  for name, score in outcome.scores.items():
    print(f'{name:24}{score.value:<12.4g} floor {score.floor:.4g}')
  program.done(f'{values.report}/report.html')


def features_of(comparison: evaluation.Comparison, values: flags.FlagValues, digits: bool
                ) -> Features:
  """What --features names.

  Raises:
    ValueError: none such; or no training set with labels that a classifier could learn.
  """
  if values.features != trained_features.NAME:
    return comparison.kind.features(values.features, digits)
  train = comparison.train
  if train is None or train.labels is None:
    raise ValueError(f'--features=trained: {train and train.name} has no labels for a classifier '
                     'to learn')
  source = examples.source_of(train, len(comparison.class_names))
  return trained_features.trained_features(source, seed=values.seed or 0)


if __name__ == '__main__':
  program.run(main, define_flags)
