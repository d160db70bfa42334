"""Tables and pictures of a pipeline's page."""
from collections.abc import Mapping
import pathlib
from typing import Any

import numpy as np

from jaxsynth import data, report
from jaxsynth.pages import sheets
from jaxsynth.report import Figure, Item, Note, Table
from stages.result import Results

SHOWN = 60  # images of a sheet
POINTS = 300  # of a curve
SCORES = ('frechet', 'kernel', 'precision', 'recall', 'density', 'coverage', 'label_agreement',
          'class_balance', 'nearer_to_train', 'near_copies', 'duplicates')


def items_of(stage: str, results: Results) -> list[Item]:
  """What a stage came to, in tables and curves."""
  if not results.has(stage):
    return []
  return {'collect': _collected, 'preprocess': _prepared, 'analyse': _analysed, 'train': curves,
          'synthesise': _labels, 'assess': _scores, 'filter': _filtered,
          'downstream': _downstream}[stage](results)


def _collected(results: Results) -> list[Item]:
  sets, names = results.collection['sets'], results.collection['names']
  rows = [[role, x['split'], x['size'], ', '.join(list(x['shapes'])[:3]) + (
      ', ...' if len(x['shapes']) > 3 else ''), x['sha256'][:16]] for role, x in sets.items()]
  items: list[Item] = [Table('The sets', ['role', 'where', 'images', 'shape', 'SHA-256'], rows)]
  if names:
    by_name = [dict(zip(x.get('names', names), x['classes'] or ())) for x in sets.values()]
    items.append(Table('Images by class', ['class', *sets], [
        [name, *(counts.get(name, 0) for counts in by_name)] for name in names[:50]]))
  return items + [_credit(results.collection.get('credit'))]


def _credit(credit: Mapping[str, str] | None) -> Note:
  if credit is None:
    return Note('Nothing there says where the data come from, or on what terms.', 'warning')
  said = [credit['description'], credit['homepage'], credit['citation']]
  terms = f'Licence: {credit["license"]}.' if credit['license'] else 'Its licence is not stated.'
  return Note(' '.join([*(x for x in said if x), terms]))


def _prepared(results: Results) -> list[Item]:
  return [Table('Pixels before and after', ['set', 'images', 'mean', 'deviation'], [
      [f'{role}, {when}', x['size'], x['mean'], x['deviation']]
      for role, both in results.prepared['sets'].items() for when, x in both.items()
      if results.prepared['changed'] or when == 'after'])]


def _analysed(results: Results) -> list[Item]:
  rows = [[f['where'], f['level'], f['text']] for f in results.analysis['findings'][:12]]
  if not rows:
    return [Note('Nothing was found in any set.', 'good')]
  return [Table('Findings', ['set', 'level', 'what'], rows)]


def _labels(results: Results) -> list[Item]:
  shares, names = results.sets['synthesise'].get('labels'), _names(results, 'synthesise')
  if results.pseudo('synthesise'):
    shares = results.pseudo('synthesise')['images']
  if not isinstance(shares, list) or len(set(shares)) == 1:
    return [Note('As many of each class.')] if shares else []
  return [Table('Share of each class', ['class', 'share'], [
      [name, n / sum(shares)] for name, n in zip(names, shares)][:50])]


def _names(results: Results, stage: str) -> list[str]:
  """Of the classes of a drawn set: those of its model, which may be fewer than the data's."""
  return results.sets[stage].get('class_names') or results.collection.get('names') or []


def _scores(results: Results) -> list[Item]:
  return [_compared({'synthetic': results.before}, f'{results.num("synthesise"):,} images')]


def _filtered(results: Results) -> list[Item]:
  sets = {name: x for name, x in (('before', results.before), ('after', results.after)) if x}
  items: list[Item] = []
  if results.kept:
    items.append(Table('What passed', ['filter', 'share of candidates'], [
        *([name, x] for name, x in results.kept['of_candidates'].items()),
        ['all', results.kept['share']]]))
  if pseudo := results.pseudo('filter'):
    items.append(Table('Labels by the classifier', ['class', 'images'], [
        [name, n] for name, n in zip(_names(results, 'filter'), pseudo['images'])][:50]))
  return [*items, _compared(sets, 'Before and after filtering')] if sets else items


def _compared(sets: Mapping[str, Mapping[str, Any]], caption: str) -> Table:
  """Scores side by side; the floor is that of the last set."""
  last = list(sets.values())[-1]
  rows = [[name.replace('_', ' '), *(x['scores'].get(name, {}).get('value') for x in sets.values()),
           last['scores'][name]['floor'], last['better'][name], last['marks'][name]]
          for name in SCORES if name in last['scores']]
  return Table(f'{caption}, against {last["sets"]["real"]["name"]} (features '
               f'{last["features"]["name"]})',
               ['score', *sets, 'floor', 'better', 'verdict'], rows)


def _downstream(results: Results) -> list[Item]:
  judged = [table for x in results.verdicts.values() for table in x.tables]
  return [*(_classifiers(results) if results.downstream else ()), *judged]


def _classifiers(results: Results) -> list[Item]:
  rows = results.downstream['settings']
  measures = [x for x in ('accuracy', 'balanced_accuracy', 'auc') if x in rows[0]]
  table = [[row['name'], *(row[x]['value'] for x in measures),
            *([against['difference']['value'], against['verdict']]
              if (against := row.get('against_real')) else ['', ''])] for row in rows]
  seeds = len(results.downstream['seeds'])
  return [Table(f'Means of {seeds} seeds, on real test images, by what was learned from; the '
                'difference in accuracy is to as many real images alone, to the '
                'largest real set for synthetic ones alone',
                ['learned from', *(x.replace('_', ' ') for x in measures), 'difference',
                 'verdict'], table)]


def curves(results: Results) -> list[Item]:
  """How the training went."""
  items: list[Item] = []
  if len(results.losses) > 1:
    items.append(_losses(results.losses[::-(-len(results.losses) // POINTS)]))
  if len(results.scored) > 1:
    steps = np.array([row['step'] for row in results.scored])
    curve = {name: np.array([row[key] for row in results.scored])
             for name, key in (('frechet', 'frechet'), ('floor', 'frechet_floor'))}
    items.append(Figure(report.curve(steps, curve, y='Frechet distance', marks=True),
                        'Frechet distance to held-out images as training went.',
                        'Curve: Frechet distance by step.'))
  return items


def _losses(rows: list[dict[str, Any]]) -> Figure:
  """The loss of every player by step."""
  players = [name.removesuffix('/loss') for name in rows[-1] if name.endswith('/loss')]
  if len(players) == 1:
    meaning = 'The loss. It does not say how good the images are.'
  else:
    meaning = ('Losses of the players. Where they play against each other, none falls to nothing '
               'while they are a match; they do not say how good the images are.')
  steps = np.array([row['step'] for row in rows])
  return Figure(report.curve(steps, {
      player: np.array([row.get(f'{player}/loss', np.nan) for row in rows], np.float64)
      for player in players}, y='loss'), meaning, 'Curves: losses by step.')


def samples(out: pathlib.Path, results: Results) -> list[Figure]:
  """Real images, and synthetic ones before and after filtering, class by class."""
  figures = []
  spec = data.DatasetSpec.of(results.config['flags']) if results.config else results.data
  if spec is not None:
    try:
      real = data.open_dataset(spec)
      figures.append(_sheet(real, 'Real images'))
    except (OSError, ValueError):  # the data are elsewhere now; the rest can be shown
      pass
  for stage, subject in (('synthesise', 'Synthetic images'),
                         ('filter', 'Synthetic images that passed the filters')):
    if stage in results.places:
      folder = str(out / results.places[stage])
      label_key = 'label' if data.tfds_names(folder)[1] else None
      figures.append(_sheet(data.open_dataset(data.DatasetSpec(folder, label_key=label_key)),
                            subject))
  return figures


def _sheet(source: data.Source, subject: str) -> Figure:
  """Images at random, sorted by class."""
  height, width = sheets.pictures_of(sheets.random_by_class(source, 1)).shape[1:3]
  columns = 5 if width > 2 * height or width > 96 else 12
  return sheets.sheet(source, subject, 6 * columns if columns < 12 else SHOWN, columns=columns,
                      scale=1 if width > 48 else 2)
