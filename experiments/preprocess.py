r"""Says what --image_size, --channels and --fit make of a data set, before it is trained on.

    python experiments/preprocess.py --dataset=./photos --image_size=32,32 --channels=3 \
        --fit=pad --report=/tmp/prepared

Every program takes the same flags and applies them itself, so no copy of the data is written.
Into --report go preprocess.json, with the numbers before and after, and report.html, where
examples are seen before and after.
"""
import clock  # first: it says when

import json
import pathlib
import time
from typing import Any

from absl import app, flags
import numpy as np

import build
import collected
import data_options
from jaxsynth import data, files, report
import role_options
import startup

SHOWN, THUMB = 24, 96
FLAGS = flags.FLAGS
flags.adopt_module_key_flags(role_options)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  startup.quiet()
  config = data_options.config()
  try:
    role = collected.roles(config, FLAGS.validation_split, FLAGS.test_split)
    own = collected.configs(config, role)
    sources = {name: (collected.raw(c), build.source(c)) for name, c in own.items()}
    check({name: after.image_shape for name, (_, after) in sources.items()})
    found = {name: {'before': collected.fingerprint(before), 'after': collected.fingerprint(after)}
             for name, (before, after) in sources.items()}
    folder = pathlib.Path(FLAGS.report).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    shape = list(sources['train'][1].image_shape)
    with files.write_aside(folder / 'preprocess.json') as f:
      f.write(json.dumps({
          **{name: config[name] for name in ('image_size', 'channels', 'fit')},
          'image_shape': shape, 'changed': changed(found), 'sets': found}, indent=1).encode()
          + b'\n')
    report.write(folder / 'report.html', page(found, *sources['train']))
  except (ValueError, OSError, ImportError) as error:
    raise app.UsageError(str(error)) from error
  print(f'done: {folder / "report.html"} ({time.perf_counter() - clock.START:.0f} s)')


def check(shapes: dict[str, tuple[int, int, int]]) -> None:
  """All sets must come out alike.

  Raises:
    ValueError: they do not.
  """
  if len(set(shapes.values())) > 1:
    each = ', '.join(f'{name} {"x".join(map(str, x))}' for name, x in shapes.items())
    raise ValueError(f'images of different shapes ({each}): bring them to one by --image_size '
                     'and --channels')


def changed(found: dict[str, dict[str, dict[str, Any]]]) -> bool:
  """Whether any byte is another one."""
  return any(x['before']['sha256'] != x['after']['sha256'] for x in found.values())


def page(found: dict[str, dict[str, dict[str, Any]]], before: data.Source, after: data.Source
         ) -> report.Page:
  """The numbers, and examples of the set trained on."""
  at = np.sort(np.random.Generator(np.random.Philox(0)).permutation(after.size)[:SHOWN])
  new = after.take(at)['image']
  h, w, c = after.image_shape
  if changed(found):
    lead = f'Every image is brought to {h} x {w} x {c}.'
    one = data.Preprocess((max(h, THUMB), max(w, THUMB)), 3, 'pad')
    old = [example(before, int(i)) for i in at]
    left, right = (np.stack([data.preprocess_image(x, one) for x in each]) for each in (old, new))
    figure = report.Figure(
        report.pairs(left, right, [f'{"x".join(map(str, x.shape))}' for x in old], scale=1),
        'Examples before and after, at one size for the eye, with the shape that each had.',
        'Pairs of images before and after.', True)
  else:
    lead = f'Nothing is changed: every image is {h} x {w} x {c} already.'
    figure = report.Figure(report.image_grid(new, columns=12), 'Examples of the set trained on.',
                           'A sheet of images.', True)
  columns = ['set', 'images', 'shapes', 'least', 'greatest', 'mean', 'deviation', 'share of 0']
  rows = [[f'{name}, {when}', x['size'], shapes(x['shapes']), x['least'], x['greatest'],
           x['mean'], x['deviation'], x['zero']]
          for name, both in found.items() for when, x in both.items()]
  table = report.Table('Pixels before and after', columns, rows)
  return report.Page('Preprocessing', lead, [report.Section('What changes', '', [table, figure])],
                     'All numbers, and a SHA-256 of each set, are in preprocess.json.')


def example(source: data.Source, i: int) -> np.ndarray:
  """One image, whatever its size."""
  if isinstance(source, data.DecodedSource):
    return source.decode(source.read([i])[0])[0]
  return source.take(np.array([i]))['image'][0]


def shapes(found: dict[str, int]) -> str:
  """As `28x28x1`, or the commonest and how many others."""
  first, *rest = found
  return first + (f' and {len(rest)} more' if rest else '')


if __name__ == '__main__':
  app.run(main)
