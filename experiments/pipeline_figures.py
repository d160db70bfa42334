"""Tables and pictures of a pipeline's page."""
from collections.abc import Mapping
import pathlib
from typing import Any

import numpy as np

import build
from evaluate_record import MEANINGS
from jaxsynth import data, report
from jaxsynth.report import Figure, Item, Note, Table
from pipeline_result import Results

SHOWN = 60  # images of a sheet
POINTS = 300  # of a curve
SCORES = ('frechet', 'kernel', 'precision', 'recall', 'density', 'coverage', 'label_agreement',
          'class_balance', 'nearer_to_train', 'near_copies', 'duplicates')


def tables(stage: str, found: Results) -> list[Item]:
  """The numbers of a stage."""
  if not found.has(stage):
    return []
  return {'collect': _collected, 'preprocess': _prepared, 'analyse': _analysed, 'train': _nothing,
          'synthesise': _labels, 'assess': _scores, 'filter': _filtered,
          'downstream': _downstream}[stage](found)


def _nothing(found: Results) -> list[Item]:
  return []


def _collected(found: Results) -> list[Item]:
  sets, names = found.collection['sets'], found.collection['names']
  rows = [[role, x['split'], x['size'], ', '.join(list(x['shapes'])[:3]) + (
      ', ...' if len(x['shapes']) > 3 else ''), x['sha256'][:16]] for role, x in sets.items()]
  items: list[Item] = [Table('The sets', ['role', 'where', 'images', 'shape', 'SHA-256'], rows)]
  if names:
    items.append(Table('Images by class', ['class', *sets], [
        [name, *(x['classes'][k] for x in sets.values())]
        for k, name in enumerate(names[:50])]))
  return items + [_credit(found.collection.get('credit'))]


def _credit(credit: Mapping[str, str] | None) -> Note:
  if credit is None:
    return Note('Nothing there says where the data come from, or on what terms.', 'warning')
  said = [credit['description'], credit['homepage'], credit['citation']]
  terms = f'Licence: {credit["license"]}.' if credit['license'] else 'Its licence is not stated.'
  return Note(' '.join([*(x for x in said if x), terms]))


def _prepared(found: Results) -> list[Item]:
  return [Table('Pixels before and after', ['set', 'images', 'mean', 'deviation'], [
      [f'{role}, {when}', x['size'], x['mean'], x['deviation']]
      for role, both in found.prepared['sets'].items() for when, x in both.items()
      if found.prepared['changed'] or when == 'after'])]


def _analysed(found: Results) -> list[Item]:
  rows = [[f['where'], f['level'], f['text']] for f in found.analysis['findings'][:12]]
  if not rows:
    return [Note('Nothing was found in any set.', 'good')]
  return [Table('Findings', ['set', 'level', 'what'], rows)]


def _labels(found: Results) -> list[Item]:
  shares, names = found.sets['synthesise'].get('labels'), found.collection.get('names') or []
  if found.pseudo('synthesise'):
    shares = found.pseudo('synthesise')['images']
  if not isinstance(shares, list) or len(set(shares)) == 1:
    return [Note('As many of each class.')] if shares else []
  return [Table('Share of each class', ['class', 'share'], [
      [name, n / sum(shares)] for name, n in zip(names, shares)][:50])]


def _scores(found: Results) -> list[Item]:
  return [_compared({'synthetic': found.before}, f'{found.num("synthesise"):,} images')]


def _filtered(found: Results) -> list[Item]:
  sets = {name: x for name, x in (('before', found.before), ('after', found.after)) if x}
  items: list[Item] = []
  if found.kept:
    items.append(Table('What passed', ['filter', 'share of candidates'], [
        *([name, x] for name, x in found.kept['of_candidates'].items()),
        ['all', found.kept['share']]]))
  if pseudo := found.pseudo('filter'):
    items.append(Table('Labels by the classifier', ['class', 'images'], [
        [name, n] for name, n in zip(found.collection['names'], pseudo['images'])][:50]))
  return [*items, _compared(sets, 'Before and after filtering')] if sets else items


def _compared(sets: Mapping[str, Mapping[str, Any]], caption: str) -> Table:
  """Scores side by side; the floor is that of the last set."""
  last = list(sets.values())[-1]
  rows = [[name.replace('_', ' '), *(x['scores'].get(name, {}).get('value') for x in sets.values()),
           last['scores'][name]['floor'], last['better'][name], last['marks'][name]]
          for name in SCORES if name in last['scores'] and name in MEANINGS]
  return Table(f'{caption}, against {last["sets"]["real"]["name"]} (features '
               f'{last["features"]["name"]})',
               ['score', *sets, 'floor', 'better', 'verdict'], rows)


def _downstream(found: Results) -> list[Item]:
  rows = found.downstream['settings']
  measures = [x for x in ('accuracy', 'balanced_accuracy', 'auc') if x in rows[0]]
  table = [[row['name'], *(row[x]['value'] for x in measures),
            *([against['difference']['value'], against['verdict']]
              if (against := row.get('against_real')) else ['', ''])] for row in rows]
  seeds = len(found.downstream['seeds'])
  return [Table(f'Means of {seeds} seeds, on real test images, by what was learned from; the '
                'difference in accuracy is to as many real images alone, to the '
                'largest real set for synthetic ones alone',
                ['learned from', *(x.replace('_', ' ') for x in measures), 'difference',
                 'verdict'], table)]


def drawn(out: pathlib.Path, stage: str, found: Results) -> list[Item]:
  """The pictures of a stage."""
  if stage != 'train' or len(found.losses) < 2:
    return []
  rows = found.losses[::-(-len(found.losses) // POINTS)]
  steps = np.array([row['step'] for row in rows])
  items: list[Item] = [Figure(report.curve(steps, {
      name: np.array([row[f'{name}/loss'] for row in rows], np.float64)
      for name in ('generator', 'discriminator')}, y='loss'),
      'Losses of both players. Neither falls to nothing while they are a match for each other; '
      'they do not say how good the images are.', 'Curves: losses by step.')]
  if len(found.scored) > 1:
    at = np.array([row['step'] for row in found.scored])
    items.append(Figure(report.curve(at, {name: np.array([row[key] for row in found.scored])
                                          for name, key in (('frechet', 'frechet'),
                                                            ('floor', 'frechet_floor'))},
                                     y='Frechet distance', marks=True),
                        'Frechet distance to held-out images as training went.',
                        'Curve: Frechet distance by step.'))
  return items


def samples(out: pathlib.Path, found: Results) -> list[Figure]:
  """Real images, and synthetic ones before and after filtering, class by class."""
  figures = []
  if found.config:
    try:
      figures.append(_sheet(build.source(found.config['flags']), 'Real images.'))
    except (OSError, ValueError):  # the data are elsewhere now; the rest can be shown
      pass
  for stage, meaning in (('synthesise', 'Synthetic images.'),
                         ('filter', 'Synthetic images that passed the filters.')):
    if stage in found.places:
      folder = out / found.places[stage]
      names = data.tfds_names(str(folder))[1]
      figures.append(_sheet(data.tfds_source(str(folder), 'train',
                                             label_key='label' if names else None), meaning))
  return figures


def _sheet(source: data.Source, meaning: str) -> Figure:
  """Images at random, sorted by class."""
  order = np.random.Generator(np.random.Philox(0)).permutation(source.size)[:SHOWN]
  batch = source.take(np.sort(order))
  images = batch['image']
  if 'label' in batch:
    images = images[np.argsort(batch['label'], kind='stable')]
    meaning += ' Drawn at random, sorted by class.'
  return Figure(report.image_grid(images, columns=12, scale=1 if images.shape[2] > 48 else 2),
                meaning, meaning)
