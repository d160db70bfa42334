r"""Says whether synthetic data is worth training on.

    python experiments/downstream.py --real=mnist --data_dir=$TFDS \
        --synthetic=/tmp/data/mnist_synth --report=/tmp/downstream

Trains the same classifier the same way on real examples (--sizes of them), on synthetic
ones alone, on both mixed (--parts synthetic ones for a real one) and on real ones with
classical augmentation, several seeds each, and tests all on the same real images; those
of the largest real set are also tested on the synthetic images. Into --report go
downstream.json and report.html; `evaluate.py --downstream=FOLDER` shows the same section.

The number of steps is the same for all, so no setting gains by being trained for longer.
What is finished stays: the same command goes on where it was stopped.
"""
import clock  # first: it says when

import hashlib
import json
import pathlib
import sys
import time
from typing import Any

from absl import app, flags
import jax
import numpy as np

import comparison_options
import data_options
import downstream_page
import downstream_record
import downstream_sets
from downstream_sets import Setting
import downstream_train
import evaluate_sets
import jaxsynth
from jaxsynth import checkpoint, data, files, report
import startup

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(comparison_options)
flags.DEFINE_integer('num', 60000, 'Synthetic examples, at most; a run draws as many as it has '
                     'not.', lower_bound=100)
flags.DEFINE_list('sizes', '100,1000,10000,all', 'Real examples.')
flags.DEFINE_list('parts', '0.1,0.5,1,5', 'Synthetic examples for each real one, in mixtures.')
flags.DEFINE_integer('seeds', 3, 'Trainings of each setting.', lower_bound=1)
flags.DEFINE_integer('seed', 0, 'The first of the seeds.', lower_bound=0)
flags.DEFINE_integer('steps', 1720, 'Of each training; 1,720 are four passes over 55,000.',
                     lower_bound=1)
flags.DEFINE_integer('batch_size', 128, 'Examples a step.', lower_bound=2)
flags.DEFINE_float('learning_rate', 5e-3, "Adam's at first; it falls to 0.", lower_bound=1e-9)
flags.register_validator('sizes', lambda v: bool(v) and all(
    n == 'all' or n.isdigit() and int(n) > 0 for n in v), 'expected numbers, or all')


def _positive(values: list[str]) -> bool:
  try:
    return all(0 < float(v) < 1e6 for v in values)
  except ValueError:
    return False


flags.register_validator('parts', _positive, 'expected positive numbers, as 0.1,0.5,1,5')
OWN = ('synthetic', 'train_split', 'synthetic_split', 'num', 'step', 'seeds', 'seed', 'steps',
       'batch_size', 'learning_rate')


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  config = data_options.config() | {name: FLAGS[name].value for name in OWN}
  config['real_split'], config['validation_split'] = config.pop('split'), ''
  startup.quiet()
  startup.keep_compiled()
  startup.keep_memory()
  folder = pathlib.Path(FLAGS.report).expanduser()
  try:
    folder.mkdir(parents=True, exist_ok=True)
    with files.lock(folder):
      study(config, folder)
  except (ValueError, OSError, ImportError, files.Locked, checkpoint.CheckpointError) as error:
    raise app.UsageError(str(error)) from error
  print(f'done: {folder}/report.html ({time.perf_counter() - clock.START:.0f} s)')


def study(config: dict[str, Any], folder: pathlib.Path) -> None:
  """Trains, tests and writes all that is not written yet."""
  train, test, fake, classes, about = read(config)
  assert train.labels is not None and test.labels is not None and fake.labels is not None
  sizes = downstream_sets.sizes_of(FLAGS.sizes, len(train.images))
  settings, left = downstream_sets.grid(sizes, [float(p) for p in FLAGS.parts], len(fake.images))
  seeds = [config['seed'] + i for i in range(config['seeds'])]
  recipe = downstream_train.Recipe(config['steps'], config['batch_size'],
                                   config['learning_rate'])
  protocol = {
      'recipe': recipe._asdict(), 'seeds': seeds, 'classes': classes,
      'sets': {name: {'size': len(x.images), 'sha256': digest(x)}
               for name, x in (('train', train), ('test', test), ('synthetic', fake))},
      'versions': {'jaxsynth': jaxsynth.__version__, 'jax': jax.__version__},
      'platform': jax.devices()[0].device_kind}
  found, backwards = {}, None
  for i, setting in enumerate(settings, 1):
    last = setting == Setting(sizes[-1])
    start = time.perf_counter()
    done = kept(folder, protocol, setting) or once(
        setting, train, test, fake, len(classes), seeds, recipe, also_fake=last)
    keep(folder, protocol, setting, done)
    found[setting] = done['outcomes']
    backwards = done.get('on_synthetic', backwards)
    accuracy = np.mean([one['accuracy'] for one in done['outcomes']])
    print(f'{i}/{len(settings)} {setting.name}: {accuracy:.4f} '
          f'({time.perf_counter() - start:.0f} s)', file=sys.stderr)
  rows = downstream_record.record(found, classes)
  result = {**protocol, 'flags': config, 'synthetic': about, 'settings': rows,
            'trts': {'name': Setting(sizes[-1]).name, 'seeds': backwards,
                     'accuracy': downstream_record.mean(
                         [x['accuracy'] for x in backwards or []])._asdict()},
            'left_out': [s.name for s in left]}
  with files.write_aside(folder / 'downstream.json') as f:
    f.write(json.dumps(result, indent=1, allow_nan=False).encode() + b'\n')
  report.write(folder / 'report.html', downstream_page.page(result))
  print(downstream_page.table(result))


def once(setting: Setting, train: evaluate_sets.Set, test: evaluate_sets.Set,
         fake: evaluate_sets.Set, num_classes: int, seeds: list[int],
         recipe: downstream_train.Recipe, *, also_fake: bool) -> dict[str, Any]:
  """All seeds of a setting, trained and tested."""
  sources = [downstream_sets.source(setting, train, fake, num_classes, s) for s in seeds]
  classifiers = downstream_train.trained(sources, seeds, recipe, augmented=setting.augmented)

  def tested(on: evaluate_sets.Set) -> list[dict[str, Any]]:
    assert on.labels is not None
    return [downstream_sets.outcomes(on.labels, p.probabilities)
            for p in classifiers.predict(on.images)]
  return {'outcomes': tested(test), **({'on_synthetic': tested(fake)} if also_fake else {})}


def read(config: dict[str, Any]) -> tuple[evaluate_sets.Set, evaluate_sets.Set,
                                          evaluate_sets.Set, list[str], dict[str, Any]]:
  """Real training and test set, the synthetic set, the classes, where it is from.

  Raises:
    ValueError, OSError: something is missing, or does not fit.
  """
  fake, num_classes, about = evaluate_sets.synthetic(config)
  if fake.images.dtype != np.uint8:
    fake = fake._replace(images=data.to_uint8(fake.images))
  splits = evaluate_sets.splits_for(config)
  test, classes = evaluate_sets.real_split(config, splits[0])
  if splits[1] is None:
    raise ValueError(f'{config["dataset"]}: no split to learn from beside {splits[0]}; name one '
                     'with --train_split, and the one to test on with --real_split')
  train, _ = evaluate_sets.real_split(config, splits[1])
  for one in (train, test, fake):
    if one.labels is None:
      raise ValueError(f'{one.name}: no labels, so no classifier can learn from it or be tested '
                       'on it; a conditional model (--conditional) gives labels')
    if one.images.shape[1:] != test.images.shape[1:]:
      raise ValueError(f'{one.name}: images of {list(one.images.shape[1:])}, those of {test.name} '
                       f'are {list(test.images.shape[1:])}; see --image_size, --channels, --fit')
  if num_classes != len(classes):
    raise ValueError(f'{fake.name}: {num_classes} classes, but {test.name} has {len(classes)}')
  evaluate_sets.apart(test, train)
  return train, test, fake, classes, about


def digest(one: evaluate_sets.Set) -> str:
  """SHA-256 of images and labels."""
  assert one.labels is not None
  sha = hashlib.sha256(np.ascontiguousarray(one.images).tobytes())
  sha.update(one.labels.astype(np.int32).tobytes())
  return sha.hexdigest()


def kept(folder: pathlib.Path, protocol: dict[str, Any], setting: Setting
         ) -> dict[str, Any] | None:
  """What an earlier call found by the same protocol."""
  path = at(folder, setting)
  if not path.is_file():
    return None
  before = json.loads(path.read_text())
  return before['found'] if before['protocol'] == json.loads(json.dumps(protocol)) else None


def keep(folder: pathlib.Path, protocol: dict[str, Any], setting: Setting, found: dict) -> None:
  """For `kept`."""
  at(folder, setting).parent.mkdir(exist_ok=True)
  with files.write_aside(at(folder, setting)) as f:
    f.write(json.dumps({'protocol': protocol, 'found': found}).encode() + b'\n')


def at(folder: pathlib.Path, setting: Setting) -> pathlib.Path:
  """Where a setting's outcomes are kept."""
  augmented = '-augmented' if setting.augmented else ''
  return folder / 'settings' / f'{setting.real}-{setting.synthetic}{augmented}.json'


if __name__ == '__main__':
  app.run(main)
