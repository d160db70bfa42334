"""The flags of filters, pseudo-labels and the quality gate, and the real data they stand on."""
from collections.abc import Mapping
import hashlib
import pathlib
import re
from typing import Any, NamedTuple

from absl import flags
import numpy as np

import build
from extractors import extractor
from jaxsynth import data
from jaxsynth.metrics import features
import judge
from sets import are_digits, some
import trained

FILTERS = ('discriminator', 'classifier', 'realism', 'density', 'copies', 'duplicates')
FLAGS = flags.FLAGS

flags.DEFINE_list('filters', [], f'Some of {",".join(FILTERS)}: what does not pass is drawn '
                  'again.')
flags.DEFINE_float('keep', .95, 'The share of held-out real images that each filter lets pass; '
                   'copies and duplicates: all of them.', lower_bound=.01, upper_bound=1.)
flags.DEFINE_float('gamma', None, "discriminator: gamma is this percentile of its scores of "
                   'samples, instead of --keep.', lower_bound=0., upper_bound=100.)
flags.DEFINE_bool('pseudo_labels', False, 'Label images as a classifier of real ones does, not '
                  'as they were asked for; so an unconditional model gives labels too. How often '
                  'it is right is told of --validation_split.')
flags.DEFINE_string('classifier', None, 'The .classifier.npz of a data set; by default one is '
                    "trained on the run's data.")
flags.DEFINE_integer('attempts', 64, 'Candidates a sample, on average, before giving up.',
                     lower_bound=1)
flags.DEFINE_string('validation_split', None, 'Real images that the run has not seen: a split, a '
                    'folder or an .npz file; by default the rest of train[:N], or validation.')
flags.DEFINE_string('data_dir', None, "Where tfds data sets are prepared; the run's by default.")
flags.DEFINE_string('features', 'auto', 'What filters and scores stand on: mnist, random, pixels '
                    'or an .npz file of Inception; auto is mnist for its digits, else random.')
flags.DEFINE_string('require', None, 'What the data set must score, as '
                    'frechet<=20,recall>=.5; else it is marked as rejected, and the exit code '
                    'is 3.')
flags.DEFINE_integer('score_num', 5000, 'Images scored, at most; as many held-out real ones.',
                     lower_bound=100)
flags.register_validator('filters', lambda names: set(names) <= set(FILTERS) and
                         len(set(names)) == len(names), f'expected some of {FILTERS}, each once')


class Real(NamedTuple):
  """Real data.

  Attributes:
    train: what the run has learned from.
    held: images uint8 `[N, H, W, C]` that it has not.
    held_labels: int32 `[N]`, or `None`.
    held_name: of their split.
    net: features.
  """
  train: data.Source
  held: np.ndarray
  held_labels: np.ndarray | None
  held_name: str
  net: features.Features


def real_data(model: trained.Trained) -> Real:
  """Reads training and held-out images.

  Raises:
    ValueError: no held-out split is known, or of other images; or flags that do not fit.
    OSError: it is not there.
  """
  if 'discriminator' in FLAGS.filters and model.record['flags'].get('packing', 1) > 1:
    raise ValueError('--filters=discriminator: that of this run judges packs of images')
  if FLAGS.gamma is not None and 'discriminator' not in FLAGS.filters:
    raise ValueError('--gamma is of --filters=discriminator')
  judged = 'classifier' in FLAGS.filters or FLAGS.pseudo_labels
  if FLAGS.classifier is not None and not judged:
    raise ValueError('--classifier is of --filters=classifier and --pseudo_labels')
  if 'classifier' in FLAGS.filters and FLAGS.pseudo_labels and model.run.num_classes is not None:
    raise ValueError('--pseudo_labels: with --filters=classifier every label is the '
                     "classifier's already; leave one of them out")
  config = dict(model.record['flags'])
  config['data_dir'] = FLAGS.data_dir or config['data_dir']
  train = build.source(config)
  if model.record['data']['digest'] and trained_on(train) != model.record['data']['digest']:
    raise ValueError(f'{train.name} {config["split"]} is not what the run was trained on; give '
                     '--data_dir')
  if judged and train.num_classes is None:
    raise ValueError(f'{"--pseudo_labels" if FLAGS.pseudo_labels else "--filters=classifier"}: '
                     f'{train.name} has no labels for a classifier to learn')
  if FLAGS.classifier is not None:
    assert train.num_classes is not None
    judge.load(pathlib.Path(FLAGS.classifier).expanduser(), train.image_shape, train.num_classes)
  split = FLAGS.validation_split or held_out(config)
  config['conditional'] = config['conditional'] and bool(FLAGS.filters)  # they need labels
  held = build.source(build.of_split(config, split))
  if held.image_shape != model.image_shape:
    raise ValueError(f'--validation_split={split}: images {list(held.image_shape)}, expected '
                     f'{list(model.image_shape)}')
  without_labels = None if 'classifier' not in FLAGS.filters else train.num_classes
  if judged and held.num_classes not in (without_labels, train.num_classes):
    raise ValueError(f'--validation_split={split}: {held.num_classes} classes, expected '
                     f'{train.num_classes}')
  batch = held.take(some(held.size, 10_000))
  if len(batch['image']) < 100:
    raise ValueError(f'--validation_split={split}: {len(batch["image"])} images, expected at '
                     'least 100')
  name = build.name_of(split) if build.is_path(split) else f'{held.name}/{split}'
  return Real(train, batch['image'], batch.get('label'), name,
              extractor(FLAGS.features, model.image_shape, are_digits(config['dataset'])))


def given_classifier() -> str | None:
  """SHA-256 of the file --classifier."""
  return FLAGS.classifier and hashlib.sha256(
      pathlib.Path(FLAGS.classifier).expanduser().read_bytes()).hexdigest()


def held_out(config: Mapping[str, Any]) -> str:
  """The split that goes with the one trained on.

  Raises:
    ValueError: none is known.

  >>> held_out({'dataset': 'mnist', 'split': 'train[:55000]', 'data_dir': None})
  'train[55000:]'
  """
  dataset, split = config['dataset'], config['split']
  kind = build.kind(dataset, config['data_dir'])
  rest = re.fullmatch(r'(\w+)\[:(\d+%?)\]', split)
  if kind == 'mnist5k' and split == 'train':
    return 'validation'
  if rest and kind == 'tfds':
    return f'{rest[1]}[{rest[2]}:]'
  if kind == 'tfds' and not split.startswith('validation'):
    if 'validation' in data.tfds_names(dataset, config['data_dir'])[0]:
      return 'validation'
  raise ValueError(f'the run was trained on {split} of {dataset}: name real images that it has '
                   'not seen by --validation_split')


def trained_on(source: data.Source) -> str:
  """As `outputs.digest`, without what training needs."""
  import outputs  # TensorBoard is slow to load
  return outputs.digest(source)
