"""A downstream study as a section of a page, and as a table in a terminal."""
from collections.abc import Mapping, Sequence
import json
import os
import pathlib
from typing import Any

import numpy as np

from jaxsynth import report
from jaxsynth.pages.words import worded
from jaxsynth.report import Figure, Note, Page, Section, Table

Items = list[Table | Figure | Note | report.Scores]


def read(folder: str | os.PathLike) -> Section:
  """The section of a study's folder, so that other pages can show it.

  Args:
    folder: the `--report` of experiments/downstream.py.

  Raises:
    OSError, ValueError: no study there.
  """
  path = pathlib.Path(folder).expanduser() / 'downstream.json'
  if not path.is_file():
    raise FileNotFoundError(f'--downstream={folder}: no downstream.json there; expected the '
                            '--report of experiments/downstream.py')
  return section(json.loads(path.read_text(encoding='utf-8')))


def page(result: Mapping[str, Any]) -> Page:
  """The page of a study.

  Args:
    result: of `downstream.study`, or `downstream.json` as read.
  """
  whole = Page('Is the synthetic data worth training on?', lead(result), [section(result)],
              f'{len(result["seeds"])} seeds, {result["recipe"]["steps"]:,} steps of '
              f'{result["recipe"]["batch_size"]} each, whatever was learned from; jaxsynth '
              f'{result["versions"]["jaxsynth"]}, jax {result["versions"]["jax"]}, '
              f'{result["platform"]}. All numbers are in downstream.json.')
  return worded(whole, result.get('words', {}))


def lead(result: Mapping[str, Any]) -> str:
  """The verdict in a few sentences."""
  rows = result['settings']
  real = _largest(rows)
  synthetic = next(row for row in rows if not row['real'])
  text = (f'A classifier that saw only {synthetic["name"]} images is right on '
          f'{_accuracy(synthetic)} of real '
          f'test images; one that saw {real["name"]} ones, on {_accuracy(real)}. ')
  mixed = [r for r in rows if r['real'] and r['synthetic']]
  for word, what in (('helps', 'Synthetic images beside real ones help: '),
                     ('hurts', 'Synthetic images beside real ones hurt: ')):
    names = [f'{r["name"]} ({_signed(r["against_real"]["difference"]["value"])})' for r in mixed
             if r['against_real']['verdict'] == word]
    text += what + '; '.join(names) + '. ' if names else ''
  if mixed and not any(r['against_real']['verdict'] in ('helps', 'hurts') for r in mixed):
    text += 'Beside real images they make no difference that these seeds can show. '
  return text.strip()


def section(result: Mapping[str, Any]) -> Section:
  """The study as a section of any page."""
  rows = result['settings']
  measures = [m for m in ('accuracy', 'balanced_accuracy', 'auc') if m in rows[0]]
  if len(result['classes']) > 2:  # where classes are even, the same again
    measures = measures[:1]
  items: Items = [Table(
      f'Tested on {result["sets"]["test"]["size"]:,} real images; mean of '
      f'{len(result["seeds"])} seeds and its 95 % interval',
      ['learned from', *(_words(m) for m in measures), 'against real alone', 'verdict',
       'class that suffers most'],
      [_cells(row, measures) for row in rows])]
  curve = _curve(rows)
  items += [curve] if curve else []
  items += [_classes(result)]
  if result['trts']['seeds']:
    back = result['trts']['accuracy']
    items.append(Note(
        f'Trained on {result["trts"]["name"]} and tested on the synthetic images: {_range(back)} '
        'of them are what their label says. Below the accuracy on real images, labels or images '
        'are wrong; above it, synthetic images are easier than real ones.'))
  if result['left_out']:
    items.append(Note('Left out, since there are not as many synthetic images: '
                      + '; '.join(result['left_out']) + '.'))
  return Section('Downstream', 'The same classifier, trained the same way for the same number of '
                 'steps, on different data; always tested on real images. Intervals are over '
                 'seeds (initialisation, order, and which real examples), for these test images.',
                 items)


def table(result: Mapping[str, Any]) -> str:
  """For a terminal."""
  lines = [f'{"learned from":42}{"accuracy":>10}  {"interval":20}{"against real":>12}']
  for row in result['settings']:
    accuracy = row['accuracy']
    interval = ('' if accuracy['low'] is None else
                f'{accuracy["low"]:.4f} to {accuracy["high"]:.4f}')
    against = row.get('against_real')
    gain = f'{against["difference"]["value"]:+12.4f}  {against["verdict"]}' if against else ''
    lines.append(f'{row["name"]:42}{accuracy["value"]:10.4f}  {interval:20}{gain}'.rstrip())
  return '\n'.join(lines)


def _cells(row: Mapping[str, Any], measures: Sequence[str]) -> list[report.page.Cell]:
  cells: list[report.page.Cell] = [row['name'], *(_range(row[m]) for m in measures)]
  against = row.get('against_real')
  if not against:
    return [*cells, '', '', '']
  worst = against['suffers_most']
  return [*cells, _signed_range(against['difference']), against['verdict'],
          f'{worst["class"]} ({_signed(worst["difference"]["value"])})']


def _curve(rows: Sequence[Mapping[str, Any]]) -> Figure | None:
  """Accuracy against the number of real examples, a line for each kind of training set."""
  sizes = sorted({r['real'] for r in rows if r['real']})
  if len(sizes) < 2:
    return None
  parts = sorted({r['synthetic'] / r['real'] for r in rows if r['real'] and r['synthetic']})
  kinds = [('real', 0., False), ('real, augmented', 0., True),
           *((f'+ {p:.3g} synthetic', p, False) for p in parts)]
  lines = {}
  for name, part, augmented in kinds:
    means = [next((r['accuracy'] for r in rows if r['real'] == n and r['augmented'] == augmented
                   and abs(r['synthetic'] / n - part) < 1e-9), None) for n in sizes]
    values = [tuple(np.nan if x is None or x[k] is None else 100 * x[k] for x in means)
              for k in ('value', 'low', 'high')]
    if np.isfinite(values[0]).sum() > 1:
      lines[name] = tuple(np.array(v) for v in values)
  return Figure(report.curve(np.array(sizes), lines, x='real examples', y='accuracy, %',
                             log_x=True, marks=True),
                'Where a line of mixtures is above that of real images alone, synthetic images '
                'stand in for real ones that are missing; if the generator learned from more real '
                'images than these, from those.',
                'Lines: accuracy against the number of real examples.', wide=True)


def _classes(result: Mapping[str, Any]) -> Table:
  rows = result['settings']
  real, synthetic = _largest(rows), next(r for r in rows if not r['real'])
  shown = [real, synthetic, *(r for r in rows if r['real'] == real['real'] and r['synthetic'])]
  return Table('Accuracy of each class', ['class', *(r['name'] for r in shown)],
               [[name, *(None if r['per_class'][k] is None else f'{r["per_class"][k]:.2%}'
                         for r in shown)] for k, name in enumerate(result['classes'][:200])])


def _largest(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
  return max((r for r in rows if not r['synthetic'] and not r['augmented']),
             key=lambda r: r['real'])


def _words(name: str) -> str:
  return {'auc': 'AUC'}.get(name, name.replace('_', ' '))


def _accuracy(row: Mapping[str, Any]) -> str:
  return f'{row["accuracy"]["value"]:.2%}'


def _range(x: Mapping[str, float | None]) -> str:
  assert x['value'] is not None
  if x['low'] is None or x['high'] is None:
    return f'{x["value"]:.2%}'
  return f'{x["value"]:.2%} ± {100 * (x["high"] - x["low"]) / 2:.2f}'


def _signed(x: float) -> str:
  return f'{100 * x:+.2f} points'


def _signed_range(x: Mapping[str, float | None]) -> str:
  assert x['value'] is not None
  spread = '' if x['low'] is None or x['high'] is None else (
      f' ± {100 * (x["high"] - x["low"]) / 2:.2f}')
  return f'{100 * x["value"]:+.2f}{spread}'
