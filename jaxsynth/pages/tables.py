"""The page of a synthetic table: whether it is any good, and then why."""
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsynth.downstream.table_meanings import COPYING, mark, MEANINGS, RULES
from jaxsynth.downstream.table_study import Study
from jaxsynth.downstream.verdicts import Mean
from jaxsynth.downstream.whole_tables import Tables
from jaxsynth.kinds.row_texts import texts
from jaxsynth.pages import table_pictures as pictures
from jaxsynth.report import Item, Note, Page, Section, Table
from jaxsynth.report.page import Cell, Mark

# what a stranger asks, and the scores of which the worst answers; yes is the best answer
QUESTIONS = {
    'Are columns and pairs of columns as in real rows?': ('shape', 'trend'),
    'Can boosted trees hardly tell them from real rows?': ('told apart by boosting',),
    'Do boosted trees that learned from them know real rows?': ('learned by boosting, AUC',),
    'Do they keep the rules that all real rows keep?': ('broken rules',),
    'Are they new, and no copies of rows that were learned from?': COPYING}
MARKS = {'good': '▲', 'neutral': '●', 'bad': '▼'}
SHOWN = 8  # synthetic rows, and rows of the tables of worst columns and pairs
WHOSE = {'synthetic': 'synthetic', 'real': 'real', 'both': 'both', 'independent': 'independent'}


def page(tables: Tables, study: Study, about: Mapping[str, Any], show_real: bool = False) -> Page:
  """The page of a study.

  Args:
    tables: what was judged.
    study: what came of it.
    about: names of the `synthetic`, `train` and `test` rows, how many `rows` of each there are,
      and the `flags`.
    show_real: whether real rows may be printed beside the synthetic ones they are nearest to.
  """
  names = [column.name for column in tables.schema]
  sections = [
      Section('Scores', RULES, _scores(study)),
      Section('What gives it away', '', _gives_away(study, names)),
      Section('Columns', 'Each column by itself, of train rows and of synthetic ones. A table may '
              'have all of them right and still be worthless.', pictures.columns(tables, study)),
      Section('Pairs of columns', '', pictures.pairs(study, names)),
      Section('Rules', 'Rules that all train rows keep were found in them; those that independent '
              'columns would keep as well are left out, since keeping them is no merit.',
              _rules(study)),
      Section('Memory', _memory(study), [pictures.distances(study)]),
      Section('Rows', '', _rows(tables, study, show_real))]
  title = f'The synthetic table {about["synthetic"]} beside {about["train"]}'
  return Page(title, _lead(study), sections, _foot(about))


def text(study: Study) -> str:
  """The scores, for a terminal."""
  lines = [f'{"":30}' + ''.join(f'{name:>14}' for name in WHOSE)]
  for name, by in study.scores.items():
    lines.append(f'{name:30}' + ''.join(
        f'{by[whose].value:14.4f}' if whose in by else f'{"":14}' for whose in WHOSE))
  return '\n'.join(lines)


def verdict(study: Study) -> str:
  """Whether the table is any good, in a sentence."""
  marks = _marks(study)
  if any(marks.get(name) == 'bad' for name in COPYING):
    return ('Do not hand this table on: its rows follow those that were learned from more closely '
            'than chance explains.')
  useful = marks.get('learned by boosting, AUC', marks['trend of tied pairs']
                     if 'trend of tied pairs' in marks else marks['trend'])
  alike = [marks[name] for name in ('told apart by boosting', 'shape', 'trend', 'broken rules')
           if name in marks]
  if useful == 'bad':
    return 'This table is not a substitute for real rows.'
  if useful == 'good' and set(alike) == {'good'}:
    return 'This table can stand in for real rows.'
  if marks.get('told apart by boosting') == 'bad':
    return ('This table has some use for training, and is easily told from real rows: look at what '
            'gives it away.')
  if 'bad' in alike:
    return ('This table has some use for training, but its columns are not those of real rows, or '
            'it breaks rules that they keep: look at the scores marked bad.')
  return 'This table is of use, and not as good as real rows.'


def answers(study: Study) -> list[tuple[str, Mark, str]]:
  """Questions, how good the answer is, and the numbers that it stands on."""
  marks, lines = _marks(study), list[tuple[str, Mark, str]]()
  for question, names in QUESTIONS.items():
    there = [name for name in names if name in marks]
    if there:
      worst = min((marks[name] for name in there), key=list(MARKS)[::-1].index)
      lines.append((question, worst, ', '.join(
          f'{name} {study.scores[name]["synthetic"].value:.3g} (real: '
          f'{study.scores[name]["real"].value:.3g})' for name in there)))
  return lines


def scores(study: Study) -> Table:
  """The scores beside those of real rows and of independent columns."""
  return _scores(study)[0]  # type: ignore[return-value]


def _marks(study: Study) -> dict[str, Mark]:
  return {name: mark(name, by['synthetic'], by['real']) for name, by in study.scores.items()
          if name in MEANINGS and 'synthetic' in by and 'real' in by
          and not np.isnan([by['synthetic'].value, by['real'].value]).any()}


def _lead(study: Study) -> str:
  scores = study.scores
  lines = [verdict(study)]
  learned = scores.get('learned by boosting, AUC')
  if learned is not None and 'synthetic' in learned:
    lines.append(
        f'A classifier that learned from it reaches an AUC of {learned["synthetic"].value:.3f} on '
        f'real test rows; one that learned from the real rows reaches '
        f'{learned["real"].value:.3f}, and guessing 0.5.')
  apart = {whose: 1 - x.value / 2 for whose, x in scores['told apart by boosting'].items()}
  lines.append(
      f'Shown a real and a synthetic row, a judge says which is which in {apart["synthetic"]:.0%} '
      f'of cases; of two real rows it would be 50%, and of columns drawn independently it is '
      f'{apart["independent"]:.0%}.')
  rules = scores.get('broken rules')
  if rules is not None:
    lines.append(f'{rules["synthetic"].value:.1%} of its rows break a rule that all train rows '
                 f'keep, and {rules["real"].value:.1%} of fresh real rows do.')
  near, copied = scores['nearer to train'], scores['copies of train']
  lines.append(f'{near["synthetic"].value:.1%} of its rows are nearer to a row that was learned '
               f'from than to one that was not, where 50% is without memory; '
               f'{copied["synthetic"].value:.2%} are exact copies, of fresh real rows '
               f'{copied["real"].value:.2%}.')
  return '\n\n'.join(lines)


def _scores(study: Study) -> list[Item]:
  rows: list[list[Cell]] = []
  marks = _marks(study)
  for name in MEANINGS:
    by = study.scores.get(name)
    if by is None or 'synthetic' not in by:
      continue
    rows.append([f'{MARKS[marks[name]]} {name}' if name in marks else name,
                 _cell(by['synthetic']), _cell(by.get('real')), _cell(by.get('independent'))])
  items: list[Item] = [Table(
      'Scores, with 95 % intervals where a score is an estimate. Real: fresh rows in the place of '
      'the synthetic ones, or what is learned from the train rows. Independent: each column drawn '
      'by itself from the train rows, which gets shape right and nothing else',
      ['score', 'synthetic', 'real', 'independent'], rows)]
  learned = {name: by for name, by in study.scores.items() if name.startswith('learned by ')}
  if learned:
    items.append(Table(
        'What a classifier is worth on real test rows, by what it learned from',
        ['classifier', 'synthetic', 'real', 'real and synthetic', 'independent'],
        [[name.removeprefix('learned by '), *(_cell(by.get(whose)) for whose in (
            'synthetic', 'real', 'both', 'independent'))] for name, by in learned.items()]))
  items.append(Table('What they mean', ['score', 'meaning'], [
      [name, meaning.text] for name, meaning in MEANINGS.items() if name in study.scores]))
  return items


def _cell(x: Mean | None) -> str:
  if x is None or np.isnan(x.value):
    return 'n/a'
  digits = 4 if 0 < x.value < .01 else 3
  short = f'{x.value:.{digits}f}'
  return short if x.low is None else f'{short} [{x.low:.{digits}f},\xa0{x.high:.{digits}f}]'


def _gives_away(study: Study, names: list[str]) -> list[Item]:
  order = [j for j in np.argsort(-study.falls)[:SHOWN] if study.falls[j] > .005]
  worst = _worst_pairs(study)
  items: list[Item] = []
  if order:
    items.append(Table(
        'Columns by which the judge knows synthetic rows: by how much its AUC falls if the column '
        'is shuffled among the rows', ['column', 'AUC lost', 'shape'],
        [[names[j], round(float(study.falls[j]), 3), round(float(study.shape[j]), 4)]
         for j in order]))
  else:
    items.append(Note('No single column gives the rows away.', 'good'))
  items.append(Table(
      'Pairs of columns whose tie has changed most. It is Cramer\'s V, or the absolute correlation '
      'of two numbers: 0 for none, 1 if the one says all of the other',
      ['columns', 'tie, real', 'tie, synthetic', 'trend'],
      [[f'{names[i]}, {names[j]}', round(float(study.ties['real'][i, j]), 3),
        round(float(study.ties['synthetic'][i, j]), 3), round(float(study.pairs[i, j]), 3)]
       for i, j in worst]))
  return items


def _worst_pairs(study: Study) -> list[tuple[int, int]]:
  i, j = np.triu_indices(len(study.pairs), 1)
  change = np.abs(study.ties['synthetic'] - study.ties['real'])[i, j]
  there = np.flatnonzero(~np.isnan(change))
  order = there[np.argsort(-change[there], kind='stable')][:SHOWN]
  return list(zip(i[order].tolist(), j[order].tolist()))


def _rules(study: Study) -> list[Item]:
  order = sorted(study.violations, key=lambda x: -x.synthetic.value)
  share = lambda x: f'{100 * x.value:.2f} %'
  kinds = {'range': 'range', 'order': 'order', 'decides': 'decides', 'pairs': 'pairs that occur',
           'given': 'given'}
  items: list[Item] = [Table('Rows that break a rule', [
      'rule', 'kind', 'synthetic', 'fresh real rows'],
      [[x.rule.name, kinds[x.rule.kind], share(x.synthetic), share(x.holdout)]
       for x in order[:40]])]
  if len(order) > 40:
    items.append(Note(f'{len(order) - 40:,} more rules are in judges.json, all of them broken '
                      'less often.'))
  return items


def _memory(study: Study) -> str:
  near = study.closest.nearer
  return (
      f'The real row that is most similar to a synthetic one is sought among '
      f'{len(study.closest.train):,} train rows and as many that were not learned from. Of the '
      f'synthetic rows {near.share.value:.1%} are nearer to train, with a standard error of '
      f'{near.standard_error:.1%} (z = {near.z:.1f}); a generator '
      'without memory has 50%. The distance adds up |a - b| by the range of each number, and 2 for '
      'each class that differs.')


def _rows(tables: Tables, study: Study, show_real: bool) -> list[Item]:
  schema = tables.schema
  made = texts(tables.synthetic[:SHOWN], schema)
  cells = lambda columns: [list(row) for row in zip(*columns.values())]
  items: list[Item] = [Table(f'The first {SHOWN} synthetic rows', list(made), cells(made))]
  if not show_real:
    items.append(Note('No real row is printed here: beside a synthetic row that is near to it, it '
                      'could tell of a person. --show_real prints them.'))
    return items
  near = study.closest.synthetic
  order = np.argsort(near.distances, kind='stable')[:SHOWN]
  real = tables.train[study.closest.train[near.indices[order]]]
  pairs = texts(np.stack([tables.synthetic[order], real], 1).reshape(-1, len(schema)), schema)
  items += [
      Note('The table below prints real rows of the train set, as --show_real asks. Do not hand '
           'this page to anyone who may not see these.', 'warning'),
      Table('The synthetic rows that are nearest to a train row, each above that row',
            ['whose', 'distance', *pairs],
            [['synthetic' if k % 2 == 0 else 'real', f'{near.distances[order[k // 2]]:.3f}', *row]
             for k, row in enumerate(cells(pairs))])]
  return items


def _foot(about: Mapping[str, Any]) -> str:
  rows = about['rows']
  return (f'{rows["synthetic"]:,} synthetic rows of {about["synthetic"]}, {rows["train"]:,} train '
          f'rows of {about["train"]}, {rows["test"]:,} test rows of {about["test"]}; seed '
          f'{about["flags"]["seed"] or 0}, {about["flags"]["runs"]} trainings.\n\n'
          'Shape and trend are those of SDMetrics, told apart is its detection score by three '
          'folds. All numbers are in judges.json.')
