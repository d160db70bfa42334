"""A study: each setting's classifiers, trained, tested and kept."""
from collections.abc import Callable, Mapping, Sequence
import hashlib
import json
import os
import pathlib
import time
from typing import Any

import jax
import numpy as np

import jaxsynth
from jaxsynth import files
from jaxsynth.data.classes import integers, listed
from jaxsynth.data.examples import aligned, check_alike, check_disjoint, Examples
from jaxsynth.data.kinded import kind_of
from jaxsynth.downstream.accuracy import outcomes
from jaxsynth.downstream.settings import grid, Setting, sizes_among, training_set
from jaxsynth.downstream.learners import learner_of
from jaxsynth.downstream.train import Recipe, trained
from jaxsynth.downstream.verdicts import mean, rows
from jaxsynth.metrics import predict

SIZES, PARTS = ('100', '1000', '10000', 'all'), (.1, .5, 1., 5.)
Given = Examples | tuple[np.ndarray, np.ndarray]


def study(train: Given, test: Given, synthetic: Given, *, classes: Sequence[str] | None = None,
          sizes: Sequence[int | str] = SIZES, parts: Sequence[float] = PARTS,
          seeds: Sequence[int] = (0, 1, 2), recipe: Recipe = Recipe(),
          folder: str | os.PathLike | None = None, about: Mapping[str, Any] | None = None,
          log: Callable[[str], None] | None = None) -> dict[str, Any]:
  """Says whether synthetic data is worth training on.

  The same classifier is trained the same way, for as many steps, on real examples, on
  synthetic ones alone, on both mixed, and on real ones with classical augmentation; all are
  tested on the same real images. Those of the largest real set are also tested on the
  synthetic images.

  Args:
    train: real examples to learn from: `Examples`, or `(images [N, H, W, C], labels [N])`
      with images uint8, or floats in [-1, 1].
    test: real examples of the same shape that nothing learned from.
    synthetic: synthetic ones of the same shape.
    classes: the names of all, in the order of the labels of arrays; by default those of the
      sets, compared by name: labels of arrays are their own names.
    sizes: of real training sets, numbers or `'all'`.
    parts: synthetic examples for each real one, in mixtures.
    seeds: of the trainings of each setting; two at least for an interval.
    recipe: how every classifier is trained.
    folder: keeps each finished setting in `settings/`; the same study goes on from there.
    about: entries for the result, say where the data are from.
    log: called with a line when a setting is finished.

  Returns:
    What downstream.json holds: the protocol, `settings` (see `verdicts.rows`), `trts` (trained
    on real, tested on synthetic) and `left_out` (names of the settings that need more
    synthetic examples than there are).

  Raises:
    ValueError: no labels, images of other shapes, labels of no class, test images that are
      in `train` too, a class without examples, or a classifier that diverged.
    OSError: the folder cannot be written.

  Example:

      result = study(train, test, (images, labels), sizes=[1000], parts=[1.])
      result['settings'][-1]['against_real']['verdict']  # 'helps', 'hurts', ...
  """
  if isinstance(seeds, int):
    raise ValueError(f'seeds={seeds}: expected which, as range({seeds}) or (0, 1, 2)')
  train, test, synthetic = (_examples(x, name) for x, name in (
      (train, 'train'), (test, 'test'), (synthetic, 'synthetic')))
  (train, test, synthetic), names = _checked(train, test, synthetic, classes)
  numbers = sizes_among(sizes, len(train.values))
  settings, left_out = grid(numbers, parts, len(synthetic.values))
  protocol = {
      'recipe': recipe._asdict(), 'seeds': list(seeds), 'classes': names,
      'sets': {role: {'size': len(x.values), 'sha256': digest(x)}
               for role, x in (('train', train), ('test', test), ('synthetic', synthetic))},
      'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__},
      'platform': jax.devices()[0].device_kind}
  by_setting, on_synthetic = {}, None
  for i, setting in enumerate(settings, 1):
    start = time.perf_counter()
    backwards = setting == Setting(numbers[-1])
    finished = _kept(folder, protocol, setting)
    if finished is None:
      finished = _once(setting, train, test, synthetic, names, seeds, recipe, backwards)
      _keep(folder, protocol, setting, finished)
    by_setting[setting] = finished['outcomes']
    on_synthetic = finished.get('on_synthetic', on_synthetic)
    if log is not None:
      accuracy = np.mean([x['accuracy'] for x in finished['outcomes']])
      log(f'{i}/{len(settings)} {setting.name}: {accuracy:.4f} '
          f'({time.perf_counter() - start:.0f} s)')
  words = dict(kind_of(train).words)
  return {**protocol, **(about or {}), **({'words': words} if words else {}),
          'settings': rows(by_setting, names),
          'trts': {'name': Setting(numbers[-1]).name, 'seeds': on_synthetic,
                   'accuracy': mean([x['accuracy'] for x in on_synthetic or []])._asdict()},
          'left_out': [setting.name for setting in left_out]}


def digest(examples: Examples) -> str:
  """SHA-256 of images and labels."""
  sha = hashlib.sha256(np.ascontiguousarray(examples.values).tobytes())
  if examples.labels is not None:
    sha.update(examples.labels.astype(np.int32).tobytes())
  return sha.hexdigest()


def _examples(given: Given, name: str) -> Examples:
  """As bytes, with a name."""
  examples = given if isinstance(given, Examples) else Examples(
      name, np.asarray(given[0]), np.asarray(given[1]))
  check = predict.pixels_checked if examples.kind is None else examples.kind.checked
  return examples._replace(values=check(examples.values, examples.name))


def _checked(train: Examples, test: Examples, synthetic: Examples, classes: Sequence[str] | None
             ) -> tuple[list[Examples], list[str]]:
  """The sets and the names of their classes, once they are known to fit."""
  shape = test.values.shape[1:]
  for examples in (train, test, synthetic):
    if examples.labels is None:
      raise ValueError(f'{examples.name}: no labels, so no classifier can learn from it or be '
                       'tested on it; a conditional model (--conditional) gives labels')
    integers(examples.labels, len(examples.values), examples.name)
    if examples.values.shape[1:] != shape:
      raise ValueError(f'{examples.name}: {kind_of(test).plural} of '
                       f'{list(examples.values.shape[1:])}, those of {test.name} are '
                       f'{list(shape)}; see --image_size, --channels, --fit')
    check_alike(examples, test)
  if classes is not None:
    for x in (train, test, synthetic):
      if x.class_names is None and x.labels is not None and x.labels.max() >= len(classes):
        raise ValueError(f'{x.name}: a label {x.labels.max()}, but there are {len(classes)} '
                         'classes')
  sets, names = aligned(*(
      x if classes is None or x.class_names else x._replace(class_names=tuple(classes))
      for x in (train, test, synthetic)), names=classes or ())
  counts = [np.bincount(x.labels, minlength=len(names)) for x in sets if x.labels is not None]
  lacking = [name for name, n, *others in zip(names, *counts) if not n and any(others)]
  if lacking:
    there = [name for name, n in zip(names, counts[0]) if n]
    raise ValueError(f'{train.name}: no examples of {listed(lacking)}, so no classifier can learn '
                     f'that; it has {listed(there)}, and the other sets have {listed(names)}')
  check_disjoint(test, train)
  return sets, list(names)


def _once(setting: Setting, train: Examples, test: Examples, synthetic: Examples,
          names: Sequence[str], seeds: Sequence[int], recipe: Recipe, backwards: bool
          ) -> dict[str, Any]:
  """All seeds of a setting, trained and tested."""
  sources = [training_set(setting, train, synthetic, names, seed) for seed in seeds]
  augment = learner_of(kind_of(train)).augment if setting.augmented else None
  classifiers = trained(sources, seeds, recipe, augment=augment)

  def tested(examples: Examples) -> list[dict[str, object]]:
    assert examples.labels is not None
    return [outcomes(examples.labels, predictions.probabilities)
            for predictions in classifiers.predict(examples.values)]
  return {'outcomes': tested(test), **({'on_synthetic': tested(synthetic)} if backwards else {})}


def _kept(folder: str | os.PathLike | None, protocol: dict[str, Any], setting: Setting
          ) -> dict[str, Any] | None:
  """What an earlier call finished by the same protocol."""
  path = None if folder is None else _file(folder, setting)
  if path is None or not path.is_file():
    return None
  before = json.loads(path.read_text(encoding='utf-8'))
  return before['found'] if before['protocol'] == json.loads(json.dumps(protocol)) else None


def _keep(folder: str | os.PathLike | None, protocol: dict[str, Any], setting: Setting,
          finished: dict[str, Any]) -> None:
  if folder is None:
    return
  path = _file(folder, setting)
  path.parent.mkdir(parents=True, exist_ok=True)
  with files.write_aside(path) as f:
    f.write(json.dumps({'protocol': protocol, 'found': finished}).encode() + b'\n')


def _file(folder: str | os.PathLike, setting: Setting) -> pathlib.Path:
  augmented = '-augmented' if setting.augmented else ''
  return pathlib.Path(folder) / 'settings' / f'{setting.real}-{setting.synthetic}{augmented}.json'
