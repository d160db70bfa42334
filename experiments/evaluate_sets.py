"""The sets of an evaluation: what is judged, and the real data it is held against."""
from collections.abc import Mapping, Sequence
import hashlib
import json
import pathlib
import re
from typing import Any, NamedTuple

import jax
import numpy as np

import build
from jaxsynth import data, synthesis
from jaxsynth.data import analysis
from jaxsynth.metrics import predict
import sets
from sets import order, some
import trained

LEAST = 100  # examples of a set
SPLITS = {'mnist': ('test', 'train[:55000]', 'train[55000:]')}  # of sets without a third


class Set(NamedTuple):
  """Images uint8 `[N, H, W, C]`, labels int32 `[N]` or `None`, and a name."""
  name: str
  images: np.ndarray
  labels: np.ndarray | None

  def take(self, at: np.ndarray) -> 'Set':
    """These examples."""
    return Set(self.name, self.images[at], None if self.labels is None else self.labels[at])


class Sets(NamedTuple):
  """What an evaluation reads.

  Attributes:
    fake: what is judged.
    real: the reference of every distance.
    other: more real examples, the floor's: they stand where the fakes do.
    train: what the generator learned from, or `None`.
    held: real examples that nothing learned from, the floor's of memorisation.
    num_classes: of the real data, or `None`.
    classes: their names.
    about: where the fakes are from, for the record.
    seed: of what is drawn.
  """
  fake: Set
  real: Set
  other: Set
  train: Set | None
  held: Set | None
  num_classes: int | None
  classes: list[str]
  about: dict[str, Any]
  seed: int


def read(config: Mapping[str, Any]) -> Sets:
  """Reads and checks all sets that the flags name.

  Raises:
    ValueError, OSError: something is missing, empty, too small, of another shape, dtype
      or range.
  """
  fake, num_classes, about = synthetic(config)
  if fake.images.dtype != np.uint8:
    fake = fake._replace(images=data.to_uint8(fake.images))
  splits = splits_for(config)
  first, classes = real_split(config, splits[0])
  own = first.images.shape[1:]
  if fake.images.shape[1:] != own:
    raise ValueError(f'{fake.name}: images of {list(fake.images.shape[1:])}, the real ones of '
                     f'{first.name} are {list(own)}; --image_size, --channels and --fit bring '
                     'real images and folders to one shape')
  real = first
  train, held = (real_split(config, x)[0] if x else None for x in splits[1:])
  for one in (x for x in (fake, real, train, held) if x is not None):
    if len(one.images) < LEAST:
      raise ValueError(f'{one.name}: {len(one.images)} examples, expected at least {LEAST}; '
                       'scores of fewer say nothing')
  if train is None:  # the floor needs real images that the reference has not
    at = order(len(real.images), config['seed'])
    half = len(at) // 2
    if half < LEAST:
      raise ValueError(f'{real.name}: {len(at)} examples, expected at least {2 * LEAST}: '
                       'half of them are for the floor; or name more by --train_split')
    real, other = real.take(np.sort(at[:half])), real.take(np.sort(at[half:]))
  else:
    other = train
    apart(real, train)
  _classes(real, classes, fake, num_classes)
  n = min(len(fake.images), len(other.images))
  about |= {'drawn_or_found': len(fake.images), 'scored': n}
  fake, other = (x.take(some(len(x.images), n, config['seed']))
                 for x in (fake, other))
  return Sets(fake, real, other, train, held, len(classes) if real.labels is not None else None,
              classes, about, config['seed'])


def synthetic(config: Mapping[str, Any]) -> tuple[Set, int | None, dict[str, Any]]:
  """The set that `--synthetic` names, at most `--num` of it: set, classes, where from."""
  path = pathlib.Path(config['synthetic']).expanduser()
  if not path.exists():
    raise FileNotFoundError(f'--synthetic={path}: nothing there; expected a synthetic.npz, the '
                            '--workdir of a run, a prepared tfds folder or a folder of images')
  if (path / 'config.json').is_file():
    return _of_run(path, config)
  about = {'kind': 'npz'}
  if path.suffix == '.npz':
    source: Any = analysis.raw_npz(path)
  else:
    path = _version(path)
    about = {'kind': build.kind(str(path.absolute()))}
    if about['kind'] == 'tfds':
      label = config['label_key'] or None
      names = data.tfds_names(str(path), label_key=label)
      split = config['synthetic_split'] or ('train' if 'train' in names[0] else names[0][0])
      source = data.tfds_source(str(path), split, None, _preprocess(config),
                                image_key=config['image_key'],
                                label_key=label if names[1] else None)
      about['split'] = split
    else:
      source = data.folder(path, _preprocess(config))
  at = np.arange(source.size)
  if config['num'] and config['num'] < source.size:
    at = some(source.size, config['num'], config['seed'])
  batch = source.take(at)
  name = build.name_of(str(path))
  images = predict.checked(batch['image'], who=name)
  return Set(name, images, batch.get('label')), source.num_classes, about


def _of_run(path: pathlib.Path, config: Mapping[str, Any]
            ) -> tuple[Set, int | None, dict[str, Any]]:
  """A run's synthetic.npz, or as many as are asked for from its generator.

  Sample i is the same either way: the run's own keys, blocks and labels.
  """
  file, n, step = path / 'synthetic.npz', config['num'], config['step']
  if file.is_file() and step is None:
    source = data.npz(file)
    if n is None or n <= source.size:
      batch = source.take(np.arange(n or source.size))
      return (Set(path.name, batch['image'], batch.get('label')), source.num_classes,
              {'kind': 'synthetic.npz of a run'})
  at = int(step) if step not in (None, 'best') else _best(path) if step else None
  model = trained.load(str(path), at)
  key = jax.random.split(jax.random.key(model.record['flags']['seed']), 3)[2]
  classes = model.run.num_classes
  draw = synthesis.drawer(model.run.algorithm.sample, classes)
  n = n or 1000
  images = data.to_uint8(predict.checked(draw(model.params, model.variables, key, 0, n),
                                         who=f'the generator of {path.name}'))
  labels = None if classes is None else np.asarray(synthesis.labels_for(np.arange(n), classes))
  return Set(path.name, images, labels), classes, {
      'kind': 'drawn from a checkpoint', 'step': step or 'newest', 'generator': model.digest}


def _best(path: pathlib.Path) -> int:
  """The step of least distance in scores.jsonl whose checkpoint is kept."""
  rows = scores_of(path)
  kept = [row for row in rows if (path / 'checkpoints' / str(row['step'])).is_dir()]
  if not kept:
    raise FileNotFoundError(f'--step=best: {path} has no checkpoint with a score; train with '
                            '--eval_every')
  return min(kept, key=lambda row: row['frechet'])['step']


def scores_of(path: pathlib.Path) -> list[dict[str, Any]]:
  """The whole lines of a run's scores.jsonl; none where there is none."""
  file = pathlib.Path(path).expanduser() / 'scores.jsonl'
  lines = file.read_text(encoding='utf-8').split('\n') if file.is_file() else ['']
  return [json.loads(x) for x in lines[:-1]]  # a killed run may leave half of one


def splits_for(config: Mapping[str, Any]) -> list[str | None]:
  """Reference, training and held-out split: as given, or as the data set has them."""
  have = sets.splits_of(config)
  named: Sequence[str | None] = SPLITS.get(config['dataset'].split(':')[0], ())
  if not named or 'validation' in have:
    pick = lambda *names: next((n for n in names if n in have), None)
    named = pick('test', 'validation', 'train'), pick('train'), pick('validation', 'valid')
  given = [config.get(k) for k in ('real_split', 'train_split', 'validation_split')]
  found = [n if g is None else g or None for g, n in zip(given, named)]
  # a default is not what is named already
  return [n if g or n not in found[:i] else None for i, (g, n) in enumerate(zip(given, found))]


def real_split(config: Mapping[str, Any], split: str | None) -> tuple[Set, list[str]]:
  """A split of `--real`, or a folder or .npz file of its own."""
  own = {**config, 'conditional': False, 'split': None}
  own = build.of_split(own, split) if split else own
  source = build.source(own)
  batch = source.take(np.arange(source.size))
  name = build.name_of(own['dataset'])
  name += '' if not split or build.is_path(split) else f'/{split}'
  return (Set(name, predict.checked(batch['image'], who=name), batch.get('label')),
          sets.class_names(own, source.num_classes))


def _preprocess(config: Mapping[str, Any]) -> data.Preprocess:
  size = config['image_size']
  return data.Preprocess(None if size is None else (size[0], size[1]), config['channels'],
                         config['fit'])


def _version(path: pathlib.Path) -> pathlib.Path:
  """The newest version below a data set's folder; the folder itself where there is none."""
  number = lambda p: [int(x) for x in re.findall(r'\d+', p.name)]
  below = sorted((p for p in path.glob('*') if data.is_prepared(p)), key=number)
  return below[-1] if below and not data.is_prepared(path) else path


def apart(real: Set, train: Set) -> None:
  both = shared(real, train)
  if both > len(real.images) / 100:
    raise ValueError(f'{both:,} of {len(real.images):,} images of {real.name} are in '
                     f'{train.name} too: the reference must be images that nothing learned '
                     'from; see --real_split and --train_split')


def shared(a: Set, b: Set) -> int:
  """How many images of the one are in the other, pixel by pixel."""
  return int(np.isin(digests(a), digests(b)).sum())


def digests(one: Set) -> np.ndarray:
  """A hash of each image: equal for equal ones."""
  return np.array([hashlib.sha256(x.tobytes()).hexdigest() for x in one.images])


def _classes(real: Set, classes: list[str], fake: Set, num_classes: int | None) -> None:
  if real.labels is None:
    return
  if fake.labels is not None and (num_classes or 0) > len(classes):
    raise ValueError(f'{fake.name}: {num_classes} classes, but {real.name} has '
                     f'{len(classes)}: its labels are of other data')
  empty = np.flatnonzero(np.bincount(real.labels, minlength=len(classes)) == 0)
  if len(empty):
    raise ValueError(f'{real.name}: no examples of class {empty.tolist()}, so no synthetic one '
                     'can be judged; take a larger split, or a data set without the class')
