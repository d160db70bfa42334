"""A synthetic data set from wherever it lies: a run, an .npz file, a tfds folder, images."""
from collections.abc import Callable
import os
import pathlib
import re
from typing import Any, NamedTuple

import numpy as np

from jaxsynth import data
from jaxsynth.data import analysis
from jaxsynth.data.classes import names_of
from jaxsynth.data.examples import Examples, random_positions
from jaxsynth.data.kinded import kind_of
from jaxsynth.data.kinded_npz import kinded_npz
from jaxsynth.data.prepared_kinded import tfds_kinded

LoadRun = Callable[[pathlib.Path, int | None], Any]  # -> runs.Trained


class Synthetic(NamedTuple):
  """A synthetic set.

  Attributes:
    examples: images uint8 `[N, H, W, C]` or of another kind, and labels or `None`.
    num_classes: that its labels are of, or `None`.
    about: where it is from, for records.
  """
  examples: Examples
  num_classes: int | None
  about: dict[str, Any]


def read_synthetic(path: str | os.PathLike, spec: data.DatasetSpec = data.DatasetSpec(), *,
                   split: str | None = None, num: int | None = None, step: str | None = None,
                   seed: int = 0, load_run: LoadRun | None = None) -> Synthetic:
  """Reads a synthetic set, at most `num` examples of it.

  Args:
    path: of a run's folder, an .npz file, a prepared tfds folder or a folder of images.
    spec: of the real data: how images come to one shape, and the features of a tfds folder.
    split: of a tfds folder; by default `train`, or its first.
    num: how many, drawn at random; a run draws as many as it has not. By default all there
      are; of a run without synthetic.npz 1,000.
    step: of a run's checkpoint, a number or `'best'`; by default its synthetic.npz, or the
      newest.
    seed: of which examples.
    load_run: `(folder, step) -> Trained`, say of `runs.load`; needed for runs without a
      large enough synthetic.npz.

  Raises:
    FileNotFoundError: nothing there.
    ValueError, OSError, ImportError: it cannot be read, or its images are no images.
  """
  path = pathlib.Path(path).expanduser()
  if not path.exists():
    raise FileNotFoundError(f'--synthetic={path}: nothing there; expected a synthetic.npz, the '
                            '--workdir of a run, a prepared tfds folder or a folder of images')
  if (path / 'config.json').is_file():
    return _of_run(path, num, step, load_run)
  about = {'kind': 'npz'}
  if path.suffix == '.npz':
    source: Any = kinded_npz(path) or analysis.raw_npz(path)
  else:
    path = newest_version(path)
    about = {'kind': 'tfds' if data.is_prepared(path) else 'folder'}
    if about['kind'] == 'tfds':
      splits, classes = data.tfds_names(str(path), label_key=spec.label_key)
      split = split or ('train' if 'train' in splits else splits[0])
      label_key = spec.label_key if classes else None
      source = tfds_kinded(str(path), split, key=spec.image_key, label_key=label_key)
      if source is None:
        source = data.tfds_source(str(path), split, None, spec.preprocess,
                                  image_key=spec.image_key, label_key=label_key)
      about['split'] = split
    else:
      source = data.folder(path, spec.preprocess)
  positions = np.arange(source.size)
  if num and num < source.size:
    positions = random_positions(source.size, num, seed)
  batch = source.take(positions)
  name = data.DatasetSpec(str(path)).title
  kind = kind_of(source)
  values = kind.checked(batch[kind.name], name)
  return Synthetic(Examples(name, values, batch.get('label'), names_of(source) or None, kind),
                   source.num_classes, about)


def _of_run(path: pathlib.Path, num: int | None, step: str | None, load_run: LoadRun | None
            ) -> Synthetic:
  """A run's synthetic.npz, or as many as are asked for from its model: the same samples."""
  from jaxsynth import runs  # checkpoints are slow to import
  from jaxsynth.runs import record as records
  file = path / 'synthetic.npz'
  if file.is_file() and step is None:
    source: Any = kinded_npz(file) or data.npz(file)
    if num is None or num <= source.size:
      batch = source.take(np.arange(num or source.size))
      names = names_of(source)
      if source.class_names is None and names:  # written before files had names
        names = records.class_names(records.read_record(path)) or names
      kind = kind_of(source)
      return Synthetic(Examples(path.name, batch[kind.name], batch.get('label'), names or None,
                                kind), source.num_classes, {'kind': 'synthetic.npz of a run'})
  if load_run is None:
    raise ValueError(f'{path}: a run whose samples must be drawn; give load_run, as '
                     'lambda folder, step: runs.load(folder, build, step)')
  at = None if step is None else runs.best_step(path) if step == 'best' else int(step)
  model = load_run(path, at)
  values, labels = runs.own_samples(model, num or 1000)
  examples = Examples(path.name, values, labels, model.class_names, model.kind)
  return Synthetic(examples, model.run.num_classes, {
      'kind': 'drawn from a checkpoint', 'step': step or 'newest', 'generator': model.digest})


def newest_version(path: pathlib.Path) -> pathlib.Path:
  """The newest version below a data set's folder; the folder itself where there is none."""
  number = lambda p: [int(x) for x in re.findall(r'\d+', p.name)]
  below = sorted((p for p in path.glob('*') if data.is_prepared(p)), key=number)
  return below[-1] if below and not data.is_prepared(path) else path
