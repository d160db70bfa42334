"""The numbers of `engines.py` side by side, and the machine that they are of."""
from collections.abc import Mapping, Sequence
import os
import pathlib
import platform
import re
from typing import Any

import planned

SCORES = ('frechet', 'precision', 'recall', 'density', 'coverage')
# 1 where more is better, -1 where less is; density has no best: beyond 1 more is not better
BEST = {'frechet': -1, 'precision': 1, 'recall': 1, 'coverage': 1, 'tstr': 1, 'seconds': -1}


def machine() -> dict[str, Any]:
  """The CPU, and how many of its cores there are for this process."""
  info = pathlib.Path('/proc/cpuinfo')
  text = info.read_text(encoding='utf-8') if info.exists() else ''
  match = re.search(r'^model name\s*:\s*(.*)$', text, re.M)
  cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
  return {'cpu': match[1] if match else platform.processor(), 'cores': cores,
          'system': platform.system()}


def real(rows: Sequence[Mapping[str, Any]], trtr: Mapping[str, Any]) -> dict[str, Any]:
  """What real images score in the place of synthetic ones, the same for every engine, and TRTR.

  Raises:
    ValueError: engines that were held against other images.
  """
  floors = [{name: x['floor'] for name, x in row['score']['scores'].items()} for row in rows]
  for row, floor in zip(rows, floors):
    for name in SCORES:
      if floor.get(name) != floors[0].get(name):
        raise ValueError(f'{row["name"]}: the floor of {name} is {floor.get(name)}, that of '
                         f'{rows[0]["name"]} is {floors[0].get(name)}: they do not compare')
  return {'floors': {name: floors[0].get(name) for name in SCORES} if floors else {}, **trtr}


def values(row: Mapping[str, Any]) -> dict[str, float | None]:
  """The numbers of an engine that stand in the table, by column; `None` of what there is not."""
  scores, tstr = row['score']['scores'], row['score'].get('tstr')
  return {**{name: scores[name]['value'] if name in scores else None for name in SCORES},
          'tstr': tstr and tstr['value'], 'seconds': row['draw']['seconds']}


def table(document: Mapping[str, Any]) -> str:
  """The table in Markdown, real images first; the best number of a column is bold."""
  rows, floors = document['engines'], document['real']['floors']
  columns = [values(row) for row in rows]
  best: dict[str, float] = {}
  for name, sign in BEST.items():
    there = [sign * x for column in columns if (x := column[name]) is not None]
    if len(there) > 1:
      best[name] = sign * max(there)
  num = document['protocol']['num']
  head = ['engine', 'parameters', 'steps (minutes)', 'Fréchet', *SCORES[1:], 'TSTR, %',
          f'{num:,} images', 'MB, training', 'MB, drawing']
  lines = [['real images', '', '', *(_number(floors.get(name)) for name in SCORES),
            _accuracy(document['real'].get('trtr')), '', '', '']]
  for row, column in zip(rows, columns):
    text = {name: _number(column[name]) for name in SCORES}
    text |= {'tstr': _accuracy(row['score'].get('tstr')), 'seconds': f'{column["seconds"]:.3g} s'}
    text |= {name: f'**{text[name]}**' for name, x in best.items() if column[name] == x}
    train = row['train']
    lines.append([row['title'], f'{row["parameters"]:,}',
                  f'{train["steps"]:,} ({train["minutes"]:.1f})', *text.values(),
                  f'{train["peak_mb"]:,.0f}', f'{row["draw"]["peak_mb"]:,.0f}'])
  return planned.table(head, lines)


def _number(value: float | None) -> str:
  return '' if value is None else f'{value:.3g}'


def _accuracy(mean: Mapping[str, Any] | None) -> str:
  """A mean accuracy in percent, with half its interval where there is one."""
  if mean is None:
    return 'no labels'
  half = '' if mean['high'] is None else f' ± {100 * (mean["high"] - mean["value"]):.2f}'
  return f'{100 * mean["value"]:.2f}{half}'
