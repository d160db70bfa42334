"""An evaluation as a page: the verdict, then its evidence."""
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluate_record import MEANINGS, RULES, better, mark
from evaluate_scores import Found
from evaluate_sets import Sets
import evaluate_pictures as pictures
from jaxsynth import report
from jaxsynth.metrics.protocol import Protocol
from jaxsynth.report import Figure, Note, Page, Section, Table, curve

ITEMS = list[Table | Figure | Note | report.Scores]
HEADLINE = ('frechet', 'kernel', 'precision', 'recall', 'density', 'coverage', 'classifier',
            'label_agreement', 'class_balance')
PIXELS = ('pixel_mean', 'pixel_variance', 'pixel_correlation', 'pixel_ks', 'pixel_js',
          'pixel_wasserstein')
COPYING = ('nearer_to_train', 'data_copying', 'authenticity', 'near_copies', 'duplicates')


def page(sets: Sets, found: Found, scores: Sequence[Mapping[str, Any]],
         more: Sequence[Section] = ()) -> Page:
  """The page of an evaluation.

  Args:
    sets: what was compared.
    found: what was found.
    scores: lines of the run's scores.jsonl, if there are any.
    more: sections of other studies.
  """
  sections = [_headline(sets, found), pictures.grids(sets)]
  sections += [_classes(sets, found)] if found.classes else []
  sections += [pictures.extremes(sets, found), _distributions(sets, found), _copying(sets, found)]
  sections += [_training(scores)] if len(scores) > 1 else []
  sections += more
  return Page(f'{sets.fake.name} against {sets.real.name}', _lead(sets, found), sections,
              _foot(sets, found))


def _lead(sets: Sets, found: Found) -> str:
  s, marks = found.scores, _marks(found)
  bad = [name for name in (*HEADLINE, *COPYING) if marks.get(name) == 'bad']
  fidelity, diversity = (s[x].value / max(s[x].floor, 1e-9) for x in ('density', 'coverage'))
  distance = s['frechet'].value / max(s['frechet'].floor, 1e-9)
  copied = [name for name in COPYING if name in marks and marks[name] == 'bad']
  text = (f'The Frechet distance is {distance:,.1f} times what real images score against each '
          f'other. Fidelity (density) is {fidelity:.0%} and diversity (coverage) {diversity:.0%} '
          'of what real images reach. ')
  if sets.train is None:
    text += 'Whether training images were copied is not known, as no training set was named.'
  else:
    text += ('There are signs of copying: ' + ', '.join(copied) + '.' if copied else
             'No sign of copying was found.')
  return (text + '\n\n' + (f'Marked bad: {", ".join(map(_name, bad))}.' if bad else
                           'No score is marked bad.'))


def _marks(found: Found) -> dict[str, str]:
  return {name: mark(name, s, found.details) for name, s in found.scores.items()}


def _name(score: str) -> str:
  return score.replace('_', ' ')


def _titled(name: str, card: Protocol) -> str:
  """A score's name with the features it stands on; FID is a name of its own."""
  return 'FID' if card.score == 'fid' else f'{_name(name)} ({_name(card.features)})'


def _table(found: Found, names: Sequence[str], caption: str) -> report.Scores:
  """Scores of these names, under the name of their protocol."""
  rows = [report.Score(_titled(n, found.scores[n].protocol), found.scores[n].value,
                       found.scores[n].floor, found.scores[n].standard_error,
                       mark(n, found.scores[n], found.details), better(n))
          for n in names if n in found.scores]
  return report.Scores(caption, rows)


def _meanings(found: Found, names: Sequence[str]) -> Table:
  return Table('What they mean', ['score', 'meaning'],
               [[_name(n), MEANINGS[n].text] for n in names if n in found.scores])


def _headline(sets: Sets, found: Found) -> Section:
  items: ITEMS = [_table(found, HEADLINE, f'{len(sets.fake.images):,} synthetic and '
                         f'{len(sets.real.images):,} real images of {sets.real.name}; floor: '
                         f'{len(sets.other.images):,} of {sets.other.name} in their place'),
                  _meanings(found, HEADLINE)]
  if len(sets.fake.images) < sets.about['drawn_or_found']:
    items.append(Note(f"Of {sets.about['drawn_or_found']:,} synthetic images "
                      f'{len(sets.fake.images):,} were scored, as many as there are real ones '
                      'for the floor.', 'warning'))
  absent = {k: v for k, v in found.absent.items() if k != 'classes'}
  if absent:
    items.append(Note('Not applicable: ' + '; '.join(
        f'{_name(k)} ({why})' for k, why in absent.items()) + '.'))
  return Section('Scores', RULES, items)


def _classes(sets: Sets, found: Found) -> Section:
  assert found.classes and found.labels is not None and sets.real.labels is not None
  balance = found.details['balance']
  shares = {name: np.bincount(x, minlength=len(sets.classes)) / len(x) for name, x in (
      ('real', sets.real.labels), ('synthetic', found.labels))}
  items: ITEMS = []
  if balance['missing']:
    items.append(Note('No synthetic image of class ' + ', '.join(
        sets.classes[k] for k in balance['missing']) + '.', 'bad'))
  items.append(Figure(
      report.bars(sets.classes, shares, unit='share'), 'Share of each class; labels of the '
      f"synthetic images are {balance['labels']}. A bar that is missing is a class that the "
      'generator cannot make.', 'Bars: share of each class, real and synthetic.'))
  columns = ['class', 'real', 'synthetic', 'Frechet', 'floor', 'precision', 'floor', 'recall',
             'floor', *(['agreement'] if 'agreement' in found.classes[0] else [])]
  items.append(Table(
      'Each class by itself, against the real images of the class: the worst rows are where to '
      'look first. Too few images for a distance are shown as n/a', columns,
      [list(row.values()) for row in found.classes[:200]]))
  return Section('Classes', f"Classes are even to {balance['entropy']:.4f} (entropy, 1 for even; "
                 f"chi-squared p = {balance['p_value']:.3g} that the shares are the real ones).",
                 items)


def _distributions(sets: Sets, found: Found) -> Section:
  items: ITEMS = [_table(found, PIXELS, 'Pixels, averaged down to 14 x 14, in [-1, 1]')]
  items += [*pictures.histograms(sets, found), pictures.plane(sets, found),
            pictures.correlations(sets), _meanings(found, PIXELS)]
  return Section('Distributions', '', items)


def _copying(sets: Sets, found: Found) -> Section:
  items: ITEMS = [_table(found, COPYING, 'Copies, of each other and of the training set'),
                  *pictures.copies(sets, found)]
  text = ''
  if sets.train is not None:
    m = found.details['memorisation']
    text = (f"Of fresh images {m['expected_share']:.1%} would be nearest to the training set; of "
            f"these {found.scores['nearer_to_train'].value:.1%} are (z = {m['z']:.2f}; of "
            f"held-out real images in their place z = {m['floor_z']:.2f}). "
            f"{m['exact_copies']:,} are training images pixel by pixel.")
  return Section('Memory', text, [*items, _meanings(found, COPYING)])


def _training(scores: Sequence[Mapping[str, Any]]) -> Section:
  steps = np.array([row['step'] for row in scores])
  best = min(scores, key=lambda row: row['frechet'])
  of = lambda *names: {n: np.array([row[n] for row in scores]) for n in names}
  distance = of('frechet') | {'floor': np.array([row['frechet_floor'] for row in scores])}
  figures = [
      Figure(curve(steps, distance, y='Frechet distance', marks=True), 'A curve that rises '
             'at its end has trained too long; one that falls, too short.',
             'Curve: Frechet distance by step.'),
      Figure(curve(steps, of('precision', 'recall', 'coverage'), y='share', marks=True),
             'Recall that falls while precision rises is a generator that forgets kinds.',
             'Curves: precision, recall and coverage by step.')]
  return Section('Training', 'Scores of the averaged generator as it learned, by the run itself '
                 'on its own validation images. The least distance was at step '
                 f"{best['step']:,}.", figures)


def _foot(sets: Sets, found: Found) -> str:
  card = found.scores['frechet'].protocol
  where = ', '.join(f'{k.replace("_", " ")}: {v}' for k, v in sets.about.items())
  return (f'Distances stand on features {card.features} ({card.sha256[:16]}), resizing '
          f'{card.resizer}. Scores by another protocol do not compare with these.\n\n'
          f'Synthetic images: {where}.\n\n'
          f'jaxsynth {card.versions["jaxsynth"]}, jax {card.versions["jax"]}, {card.platform}. '
          'All numbers and their protocols are in scores.json.')
