r"""Draws the same classes by every engine: a row an engine, a column a class, real ones on top.

    python experiments/figures/engines.py --engines=/tmp/engines \
        --out=experiments/figures/engines.png

--engines is the folder that experiments/benchmarks/engines.py left. --runs adds rows, or stands
alone: each is a name, the folder of a run, and flags of sampling if any, with colons between, as

    --runs='flow, 1 evaluation:/tmp/flow:--solver=euler --solver_steps=1'

A row is of the first addresses of the seed, so that it is not chosen; of a model without labels
it is as many samples, sorted by the label that the classifier of digits sees.
"""
import json
import pathlib
import re
import shlex
import sys
from typing import NamedTuple

from absl import flags
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import experiments, paths, program, sampling_flags, seeds
from jaxsynth import data, images, runs
from jaxsynth.data.spec import are_digits
from jaxsynth.metrics import features

SCALE, GAP, LEFT = 2, 4, 260  # of a pixel; pixels between images; for the names


class Row(NamedTuple):
  """A row of the picture: its name, the run's folder, arguments that are flags of sampling."""
  title: str
  folder: pathlib.Path
  sampling: tuple[str, ...] = ()


def define_flags(values: flags.FlagValues) -> None:
  """The file, and which engines are drawn."""
  paths.define('out', 'experiments/figures/engines.png', 'The PNG.', values)
  paths.define('engines', None, 'What experiments/benchmarks/engines.py left.', values)
  flags.DEFINE_multi_string('runs', [], 'NAME:FOLDER or NAME:FOLDER:FLAGS, a row each.',
                            flag_values=values)
  seeds.define(values, 'Of the samples.')


def row_of(text: str) -> Row:
  """What an argument of --runs says.

  Raises:
    ValueError: it is not as `define_flags` says.

  >>> row_of('flow:/tmp/flow:--solver=euler --solver_steps=1').sampling
  ('--solver=euler', '--solver_steps=1')
  """
  parts = re.fullmatch(r'([^:]+):(.+?)(?::(-.*))?', text)
  if parts is None:
    raise ValueError(f'--runs={text}: expected a name and a folder with a colon between, as '
                     'flow:/tmp/flow, and perhaps flags after another, as '
                     'flow:/tmp/flow:--solver_steps=1')
  return Row(parts[1], pathlib.Path(paths.expanded(parts[2])), tuple(shlex.split(parts[3] or '')))


def rows() -> list[Row]:
  """What the flags name, in order.

  Raises:
    ValueError, FileNotFoundError: nothing, or nothing that is there.
  """
  named = []
  if flags.FLAGS.engines:
    folder = pathlib.Path(flags.FLAGS.engines)
    if not (folder / 'engines.json').is_file():
      raise FileNotFoundError(f'--engines={folder}: no engines.json there; expected the --out of '
                              'experiments/benchmarks/engines.py, with an engine finished')
    text = (folder / 'engines.json').read_text(encoding='utf-8')
    named = [Row(x['title'], folder / x['run'], tuple(x['sampling']))
             for x in json.loads(text)['engines']]
  named += map(row_of, flags.FLAGS.runs)
  if not named:
    raise ValueError('nothing to draw: name what engines.py left by --engines, or a run by --runs')
  return named


def loaded(row: Row) -> runs.Trained:
  """The model of a row."""
  module = sampling_flags.of_run(str(row.folder))
  return experiments.load(row.folder, sampling=sampling_flags.of_arguments(module, row.sampling))


def drawn(model: runs.Trained, seed: int) -> np.ndarray:
  """A sample a class, uint8 `[K, H, W, C]`: the first K; sorted as seen where none has a label.

  Raises:
    ValueError: a model without labels of what is no digits.
  """
  classes = model.record['data']['num_classes'] or 10
  few = np.concatenate([piece.images for piece in model.streamer(seed)(0, classes)])
  if model.run.num_classes is not None:
    return few
  if not are_digits(model.spec) or few.shape[1:] != (28, 28, 1):
    raise ValueError(f'{model.folder}: a model without labels of what is no digits, so nothing '
                     'says what it has drawn; train one with --conditional')
  seen = features.extract_all(features.mnist_logits(), few).argmax(1)
  return few[np.argsort(seen, kind='stable')]


def real(model: runs.Trained) -> np.ndarray:
  """The first image of each class of what a model has learned from, `[K, H, W, C]`.

  Raises:
    ValueError: it has no classes.
  """
  source = data.open_dataset(model.spec)
  if source.num_classes is None:
    raise ValueError(f'{model.folder}: its data have no labels; expected a column a class')
  batch = source.take(np.arange(source.size))
  _, first = np.unique(batch['label'], return_index=True)
  return np.asarray(batch['image'])[first]


def sheet(cells: list[np.ndarray]) -> np.ndarray:
  """Rows of images with white between them."""
  pixels = np.concatenate(cells).repeat(SCALE, 1).repeat(SCALE, 2)
  around = ((0, 0), (GAP // 2, GAP // 2), (GAP // 2, GAP // 2), (0, 0))
  return images.grid(np.pad(pixels, around, constant_values=255), len(cells[0]))


def main() -> None:
  named = rows()
  models = [loaded(row) for row in named]
  shapes = {(model.image_shape, model.record['data']['num_classes']) for model in models}
  if len(shapes) > 1:
    raise ValueError(f'runs of images and numbers of classes that differ, {sorted(shapes)}: '
                     'expected the same data')
  cells = [real(models[0]), *(drawn(model, flags.FLAGS.seed) for model in models)]
  names = ['real images', *(row.title + ('' if model.run.num_classes else ' (no label, sorted)')
                            for row, model in zip(named, models))]
  images.save_png(flags.FLAGS.out, images.with_names(sheet(cells), names, left=LEFT))
  program.done(flags.FLAGS.out)


if __name__ == '__main__':
  program.run(main, define_flags)
