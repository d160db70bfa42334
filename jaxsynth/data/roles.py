"""Which split learns, which one chooses, and which one is touched once at the end."""
import pathlib
import re
from typing import NamedTuple

from jaxsynth.data.spec import DatasetSpec, is_path, split_names


class Roles(NamedTuple):
  """A split, folder or .npz file for each role; `None` where there is none.

  Attributes:
    train: what generators or classifiers learn from.
    validation: what nothing learned from, for choices: thresholds, best checkpoints, floors.
    test: the reference, to be touched once at the end.
  """
  train: str | None
  validation: str | None
  test: str | None


# of data sets that tfds splits in two alone
USUAL = {'mnist': Roles('train[:55000]', 'train[55000:]', 'test')}


def roles(spec: DatasetSpec, *, train: str | None = None, validation: str | None = None,
          test: str | None = None) -> Roles:
  """The split of each role, as given or as the data set has them.

  Where nothing is given, test is the split `test`, else `validation`, else `train`; train is
  `train`; validation is `validation`, `valid`, or what a slice `train[:N]` leaves. A split
  that has a role already gets no second one by default. MNIST, which has no validation
  split, is cut as `USUAL` says.

  Args:
    spec: of the data set; its own split does not count.
    train: what is learned from; `None` for the default, `''` for none.
    validation: likewise.
    test: likewise.

  Returns:
    The roles; all that are not given are `None` for data without splits.

  >>> roles(DatasetSpec('mnist5k'))
  Roles(train='train', validation='validation', test='test')
  >>> roles(DatasetSpec('mnist5k'), validation='', test='./mine')
  Roles(train='train', validation=None, test='./mine')
  """
  have = split_names(spec)
  pick = lambda *names: next((name for name in names if name in have), None)
  usual = USUAL.get(spec.dataset.split(':')[0]) if 'validation' not in have else None
  default = usual or Roles(pick('train'), pick('validation', 'valid'),
                           pick('test', 'validation', 'train'))
  if train:
    default = default._replace(validation=_beside(spec, train, default))
  chosen: dict[str, str | None] = {}
  for role, given in (('test', test), ('train', train), ('validation', validation)):
    split = getattr(default, role) if given is None else given or None
    chosen[role] = split if given or split not in chosen.values() else None
  return Roles(**chosen)


def _beside(spec: DatasetSpec, train: str, default: Roles) -> str | None:
  """The validation split that goes with what is trained on."""
  cut = spec.dataset.split(':')[0] in USUAL and train != default.train and not is_path(train)
  if not cut and default.validation not in (None, train):
    return default.validation
  rest = re.fullmatch(r'(\w+)\[:(\d+%?)\]', train)
  return f'{rest[1]}[{rest[2]}:]' if rest and spec.kind == 'tfds' else None


def held_out(spec: DatasetSpec) -> str:
  """The split of real images that a model of `spec` has not seen.

  Args:
    spec: what the model learned from.

  Raises:
    ValueError: none is known.

  >>> held_out(DatasetSpec('mnist5k', 'train'))
  'validation'
  """
  split = roles(spec, train=spec.split, test='').validation
  if split is None:
    raise ValueError(f'the run was trained on {spec.split} of {spec.dataset}: name real images '
                     'that it has not seen by --validation_split')
  return split


def roles_beside(spec: DatasetSpec, validation: str | None = None, test: str | None = None
                 ) -> Roles:
  """The roles of a study that trains on `spec.split`.

  Without splits and without `test`, train is `None`: an evaluation halves the set.

  Args:
    spec: what is trained on.
    validation: a split, a folder or an .npz file; `None` for the default.
    test: likewise.

  Raises:
    ValueError: `validation` or `test` is what is trained on.
    FileNotFoundError: no such data set.
  """
  have = split_names(spec)
  place = lambda x: _folder(x) if x and x not in have else x
  validation, test = place(validation), place(test)
  if have and spec.split in (validation, test):
    raise ValueError(f'--split={spec.split} is trained on: name other images as '
                     '--validation_split and --test_split')
  whole = spec.split == 'train' and spec.dataset.split(':')[0] not in USUAL
  train = spec.split if have and not whole else None
  if not have and test is not None:
    train = str(pathlib.Path(spec.dataset).expanduser().absolute())
  return roles(spec, train=train, validation=validation, test=test)


def specs_of(spec: DatasetSpec, chosen: Roles) -> dict[str, DatasetSpec]:
  """Role -> the spec that opens its set; train is what the generator learns from."""
  specs = {'train': spec}
  for role in ('validation', 'test'):
    split = getattr(chosen, role)
    if split is None or role == 'test' and chosen.train is None and split == spec.split:
      continue
    specs[role] = spec.of_split(split)
  return specs


def _folder(split: str) -> str:
  """A folder by its whole path, so that no program takes it for a split."""
  path = pathlib.Path(split).expanduser()
  return str(path.absolute()) if path.is_dir() else split
