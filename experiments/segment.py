r"""Trains segmenters on drawn streets, on real frames and on both, and tests all on all.

    python experiments/segment.py --real=frames.npz --out=/tmp/segment

--real has uint8 arrays train_image, train_mask, test_image and test_mask, and the names of its
classes as `classes`; without it segmenters learn from streets alone. Streets are drawn as they are
asked for, by the rule `scenes`, and tested on streets of other parameters too (--shifted). Into
OUT/segment.json go the mean intersection over union of the classes that both have, with 95 %
intervals over the test images, and into OUT/masks.png what each segmenter sees.
"""
from collections.abc import Callable, Mapping
import functools
import json
import pathlib
import time
from typing import Any

from absl import flags
import numpy as np

from common import paths, program, seeds
from jaxsynth import files, images
from jaxsynth.data import ruled
from jaxsynth.downstream import segmenters
from jaxsynth.metrics.segmentation import IGNORED
from jaxsynth.rules.street import KINDS

FLAGS = flags.FLAGS
CLASSES = ('sky', 'building', 'road', 'pavement', 'tree', 'sign', 'vehicle', 'pedestrian')
# what real data sets call them
ALSO = {'signsymbol': 'sign', 'car': 'vehicle', 'sidewalk': 'pavement', 'person': 'pedestrian',
        'vegetation': 'tree', 'traffic sign': 'sign'}
SHIFTED = ('{"camera": [2.2, 3.0], "road": [11, 16], "buildings": [18, 40], "gaps": 0.7, '
           '"weather": ["rain", "dusk"]}')
LEARNED_FROM = ('streets', 'real', 'both')


def define_flags(values: flags.FlagValues) -> None:
  """What is learned from, how long, and where the results go."""
  paths.define('real', None, 'An .npz file of real images and masks; by default none.', values)
  paths.define('spec', '{"samples": 1}', 'Of the streets that are learned from: JSON, or a file of '
               'it.', values)
  paths.define('shifted', SHIFTED, 'Of the streets that are other than those.', values)
  flags.DEFINE_list('learn_from', list(LEARNED_FROM), f'Some of {",".join(LEARNED_FROM)}.',
                    flag_values=values)
  number: Any = functools.partial(flags.DEFINE_integer, lower_bound=1, flag_values=values)
  number('steps', 2000, 'Of each segmenter.')
  number('batch_size', 16, 'Images a step.')
  number('num_test', 200, 'Streets of a test.')
  flags.DEFINE_float('learning_rate', 3e-3, 'At first; it falls to 0 along a cosine.',
                     lower_bound=1e-9, flag_values=values)
  number('log_every', 100, 'Steps between lines.')
  seeds.define(values, 'Of the parameters and the order of real frames.')
  paths.define('out', None, 'Folder of the results; made if missing.', values, required=True)
  flags.register_validator('learn_from', lambda names: names and set(names) <= set(LEARNED_FROM),
                           f'expected some of {", ".join(LEARNED_FROM)}', flag_values=values)


def numbered(masks: np.ndarray, names: list[str]) -> np.ndarray:
  """Masks uint8 `[N, H, W]` whose classes are positions in `CLASSES`, `IGNORED` for others.

  >>> numbered(np.array([[[0, 1]]]), ['Car', 'Fence']).tolist()
  [[[6, 255]]]
  """
  table = np.full(256, IGNORED, np.uint8)
  for k, name in enumerate(names):
    name = ALSO.get(name.lower(), name.lower())
    if name in CLASSES:
      table[k] = CLASSES.index(name)
  return table[masks.reshape(masks.shape[:3])]


def streets(spec: str, split: str) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
  """Positions -> images and masks of streets."""
  text = spec if spec.lstrip().startswith('{') else f'@{spec}'
  source = ruled.rule_source(f'rule:scenes{text}', split, ('image', 'mask'))

  def take(positions: np.ndarray) -> dict[str, np.ndarray]:
    drawn = source.take(positions)
    return {'image': drawn['image'], 'mask': numbered(drawn['mask'], list(KINDS))}
  return take


def real_frames(path: str) -> dict[str, dict[str, np.ndarray]]:
  """Images and masks of the splits `train` and `test`.

  Raises:
    ValueError: arrays are missing, or no class is one of `CLASSES`.
    OSError: the file cannot be read.
  """
  with np.load(pathlib.Path(path).expanduser()) as arrays:
    needed = ['classes', *(f'{split}_{what}' for split in ('train', 'test')
                           for what in ('image', 'mask'))]
    if missing := sorted(set(needed) - set(arrays.files)):
      raise ValueError(f'--real={path}: no array {missing[0]}; expected {", ".join(needed)}')
    names = [str(name) for name in arrays['classes']]
    frames = {split: {'image': arrays[f'{split}_image'],
                      'mask': numbered(arrays[f'{split}_mask'], names)}
              for split in ('train', 'test')}
  if (frames['train']['mask'] == IGNORED).all():
    raise ValueError(f'--real={path}: its classes are {", ".join(names)}; expected some of '
                     f'{", ".join(CLASSES)}')
  return frames


def batches(name: str, frames: Mapping[str, Any] | None) -> segmenters.BatchAt:
  """Step -> batch; of both, half of each."""
  size = FLAGS.batch_size
  draw = streets(FLAGS.spec, 'endless') if name != 'real' else None

  def some_real(k: int, n: int) -> dict[str, np.ndarray]:
    rng = np.random.Generator(np.random.Philox([FLAGS.seed, k]))
    assert frames is not None
    at = rng.integers(0, len(frames['train']['image']), n)
    return {key: x[at] for key, x in frames['train'].items()}

  def batch_at(k: int) -> dict[str, np.ndarray]:
    if draw is None:
      return some_real(k, size)
    n = size if name == 'streets' else size - size // 2
    drawn = draw(k * n + np.arange(n))
    if name == 'streets':
      return drawn
    other = some_real(k, size // 2)
    return {key: np.concatenate([drawn[key], other[key]]) for key in drawn}
  return batch_at


def main() -> None:
  frames = None if FLAGS.real is None else real_frames(FLAGS.real)
  names = [name for name in FLAGS.learn_from if frames is not None or name == 'streets']
  if not names:
    raise ValueError('--learn_from: all of it needs --real')
  positions = np.arange(FLAGS.num_test)
  tests = {'streets': streets(FLAGS.spec, 'test')(positions),
           'other streets': streets(FLAGS.shifted, 'test')(positions),
           **({} if frames is None else {'real': frames['test']})}
  recipe = segmenters.SegmenterRecipe(FLAGS.steps, FLAGS.learning_rate, seed=FLAGS.seed)
  results, guesses = [], {}
  for name in names:
    start = time.monotonic()

    def report(step: int, metrics: Mapping[str, Any], name: str = name, start: float = start
               ) -> None:
      if step % FLAGS.log_every == 0:
        print(f'{name}: step {step}/{FLAGS.steps}  accuracy {float(metrics["accuracy"]):.3f}  '
              f'{time.monotonic() - start:.0f} s', flush=True)
    net, weights = segmenters.learned(batches(name, frames), len(CLASSES), recipe, report=report)
    guesses[name] = {test: segmenters.predicted(net, weights, x['image'])
                     for test, x in tests.items()}
    of_tests = {test: segmenters.measured(x['mask'], guesses[name][test], len(CLASSES))._asdict()
                for test, x in tests.items()}
    results.append({'learned_from': name, 'seconds': time.monotonic() - start, 'tests': of_tests})
    for test, scores in of_tests.items():
      low, high = scores['interval']
      print(f'learned from {name}, tested on {test}: mean IoU {scores["mean_iou"]:.3f} '
            f'[{low:.3f}, {high:.3f}], accuracy {scores["accuracy"]:.3f}')
  out = pathlib.Path(FLAGS.out).expanduser()
  out.mkdir(parents=True, exist_ok=True)
  with files.write_aside(out / 'segment.json') as f:
    f.write(json.dumps({'classes': CLASSES, 'steps': FLAGS.steps, 'batch_size': FLAGS.batch_size,
                        'spec': FLAGS.spec, 'shifted': FLAGS.shifted, 'seed': FLAGS.seed,
                        'results': results}, indent=1).encode() + b'\n')
  images.save_png(out / 'masks.png', sheet(tests, guesses))
  program.done(out)


def sheet(tests: Mapping[str, Any], guesses: Mapping[str, Any], columns: int = 5) -> np.ndarray:
  """A row of images of each test, one of their masks, and one of each segmenter's."""
  colours = np.random.default_rng(1).integers(30, 256, (256, 3)).astype(np.uint8)
  colours[IGNORED] = 0
  rows = []
  for test, x in tests.items():
    at = np.linspace(0, len(x['image']) - 1, columns).astype(int)
    rows += [x['image'][at], colours[x['mask'][at]],
             *(colours[of_tests[test][at]] for of_tests in guesses.values())]
  smallest = np.min([row.shape[1:3] for row in rows], 0)
  return np.concatenate([np.concatenate(list(row[:, :smallest[0], :smallest[1]]), 1)
                         for row in rows])


if __name__ == '__main__':
  program.run(main, define_flags)
