"""The real images that filters and scores stand on: what the model learned from, and others."""
import os
from typing import NamedTuple, TYPE_CHECKING

from jaxsynth import data
from jaxsynth.data import fingerprint, roles, spec as specs
from jaxsynth.data.classes import names_of
from jaxsynth.data.examples import aligned, Examples, random_positions
from jaxsynth.data.kinded import kind_of
from jaxsynth.data.origin import check_real, is_synthetic
from jaxsynth.metrics import features
from jaxsynth.quality import labeller, selection as selections
from jaxsynth.quality.selection import Selection
from jaxsynth.runs.record import open_data

if TYPE_CHECKING:
  from jaxsynth.runs import Trained  # which loads Orbax

MOST, LEAST = 10_000, 100  # held-out images


class RealData(NamedTuple):
  """Real data.

  Attributes:
    train: what the model has learned from.
    held_out: examples that it has not, with labels or without.
    features: that filters and scores stand on.
  """
  train: data.Source
  held_out: Examples
  features: features.Features


def read_real(model: 'Trained', selection: Selection = Selection(), *,
              validation_split: str | None = None, data_dir: str | os.PathLike | None = None,
              dataset: str | None = None, features_name: str = 'auto') -> RealData:
  """Reads training and held-out images for a model, and holds that a selection goes with them.

  Args:
    model: whose training images are meant.
    selection: what they are for.
    validation_split: real images that the model has not seen: a split, a folder or an .npz
      file; by default the one that goes with what it was trained on, see `roles.held_out`.
    data_dir: where tfds data sets are prepared; by default where they were for training.
    dataset: the training images' data set, if it was moved; they are known by their digest.
    features_name: as `features.by_name` takes it.

  Returns:
    The training images, at most 10,000 others, and the features.

  Raises:
    ValueError: a selection that the model or the data cannot serve; data that are not what the
      model was trained on; no held-out split is known, or one of other images.
    OSError, ImportError: the data cannot be read.
  """
  selections.check(selection, model)
  spec = model.spec._replace(data_dir=str(data_dir) if data_dir else model.spec.data_dir,
                             dataset=dataset or model.spec.dataset)
  try:
    train = open_data(spec, model.record)
  except FileNotFoundError as error:
    raise FileNotFoundError(f'{error}\nThe run was trained on {spec.dataset}: where it lies now, '
                            '--dataset or --data_dir says') from error
  if not fingerprint.is_known(train, model.record['data']):
    raise ValueError(f'{train.name} {spec.split} is not what the run was trained on; say where '
                     'that lies by --dataset or --data_dir')
  if selection.needs_labeller:
    _check_labels(selection, train)
  split = validation_split or roles.held_out(spec)
  if not is_synthetic(spec):  # who learned from synthetic images may be held against such
    check_real(spec.of_split(split))
  held = data.open_dataset(spec.of_split(split))
  _check_held_out(split, held, train, selection, conditional=model.run.num_classes is not None)
  batch = held.take(random_positions(held.size, MOST))
  kind = model.kind
  values = batch[kind.name]
  if len(values) < LEAST:
    raise ValueError(f'--validation_split={split}: {len(values)} {kind.plural}, expected at '
                     f'least {LEAST}')
  name = (data.DatasetSpec(split).title if specs.is_path(split) else f'{held.name}/{split}')
  examples = Examples(name, kind.checked(values, name), batch.get('label'),
                      names_of(held) or None, kind)
  if model.run.num_classes is None and not selection.needs_labeller:
    examples = examples._replace(labels=None, class_names=None)
  elif train.num_classes is not None:  # labels are compared with those of samples
    examples = aligned(examples, names=names_of(train), whose=train.name)[0][0]
  return RealData(train, examples, kind.features(features_name, specs.are_digits(spec)))


def _check_labels(selection: Selection, train: data.Source) -> None:
  """Holds that there is something for a classifier to learn, and that a given one fits."""
  if train.num_classes is None:
    which = '--pseudo_labels' if selection.pseudo_labels else '--filters=classifier'
    raise ValueError(f'{which}: {train.name} has no labels for a classifier to learn')
  if selection.classifier is not None:
    labeller.load_labeller(selection.classifier, train.image_shape, train.num_classes,
                           names_of(train), kind_of(train))


def _check_held_out(split: str, held: data.Source, train: data.Source, selection: Selection,
                    conditional: bool) -> None:
  where = f'--validation_split={split}'
  if held.image_shape != train.image_shape:
    raise ValueError(f'{where}: {kind_of(train).plural} {list(held.image_shape)}, expected '
                     f'{list(train.image_shape)}')
  if selection.filters and conditional and held.num_classes is None:
    raise ValueError(f'{where}: no labels, which the filters of a conditional model need')
  if held.num_classes is None and 'classifier' in selection.filters:
    raise ValueError(f'{where}: no labels, which the filter classifier needs')
