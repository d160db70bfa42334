"""An evaluation as a page: the verdict, then its evidence."""
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxsynth import report
from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.evaluation.meanings import better, mark, MEANINGS, RULES
from jaxsynth.evaluation.scoring import Evaluation
from jaxsynth.metrics.protocol import Protocol
from jaxsynth.pages import evaluation_pictures as pictures
from jaxsynth.pages.words import worded
from jaxsynth.report import curve, Figure, Item, Note, Page, Section, Table

HEADLINE = ('frechet', 'kernel', 'precision', 'recall', 'density', 'coverage', 'classifier',
            'label_agreement', 'class_balance')
PIXELS = ('pixel_mean', 'pixel_variance', 'pixel_correlation', 'pixel_ks', 'pixel_js',
          'pixel_wasserstein')
CLASS_COLUMNS = {'class': 'class', 'real': 'real', 'synthetic': 'synthetic', 'frechet': 'Frechet',
                 'frechet_floor': 'floor', 'precision': 'precision', 'precision_floor': 'floor',
                 'recall': 'recall', 'recall_floor': 'floor', 'agreement': 'agreement'}
COPYING = ('nearer_to_train', 'data_copying', 'authenticity', 'near_copies', 'duplicates')


def page(comparison: Comparison, evaluation: Evaluation,
         training: Sequence[Mapping[str, Any]] = (), more: Sequence[Section] = (), *,
         show_real: bool = False, privacy: Section | None = None) -> Page:
  """The page of an evaluation.

  Args:
    comparison: the sets.
    evaluation: what came of them.
    training: lines of the run's scores.jsonl, if there are any.
    more: sections of other studies.
    show_real: whether real examples that may be of persons stand beside the synthetic ones that
      are nearest to them, see `Kind.shows_real`.
    privacy: what was promised and what an audit saw, `pages.privacy.section`.
  """
  sections = [_headline(comparison, evaluation), pictures.samples(comparison)]
  if evaluation.classes:
    sections.append(_classes(comparison, evaluation, evaluation.classes))
  sections += [pictures.extremes(comparison, evaluation), _distributions(comparison, evaluation),
               _copying(comparison, evaluation, show_real)]
  sections += [] if privacy is None else [privacy]
  sections += [_training(training)] if len(training) > 1 else []
  sections += more
  whole = Page(f'{comparison.synthetic.name} against {comparison.real.name}',
               _lead(comparison, evaluation), sections, _foot(comparison, evaluation))
  return worded(whole, comparison.kind.words)


def _lead(comparison: Comparison, evaluation: Evaluation) -> str:
  scores = evaluation.scores
  bad = {name for name, score in scores.items() if mark(name, score, evaluation.details) == 'bad'}
  distance, fidelity, diversity = (
      scores[name].value / max(scores[name].floor, 1e-9) if name in scores else None
      for name in ('frechet', 'density', 'coverage'))
  text = ('There are too few images for a Frechet distance. ' if distance is None else
          f'The Frechet distance is {distance:,.1f} times what real images score against each '
          'other. ')
  text += (f'Fidelity (density) is {fidelity:.0%} and diversity (coverage) {diversity:.0%} '
           'of what real images reach. ')
  copied = [name for name in COPYING if name in bad]
  if comparison.train is None:
    text += 'Whether training images were copied is not known, as no training set was named.'
  else:
    text += ('There are signs of copying: ' + ', '.join(copied) + '.' if copied else
             'No sign of copying was found.')
  shown = [_spoken(name) for name in (*HEADLINE, *COPYING) if name in bad]
  return (text + '\n\n' + (f'Marked bad: {", ".join(shown)}.' if shown else
                           'No score is marked bad.'))


def _spoken(score: str) -> str:
  return score.replace('_', ' ')


def _titled(name: str, card: Protocol) -> str:
  """A score's name with the features it stands on; FID is a name of its own."""
  return 'FID' if card.score == 'fid' else f'{_spoken(name)} ({_spoken(card.features)})'


def _table(evaluation: Evaluation, names: Sequence[str], caption: str) -> report.Scores:
  """Scores of these names, under the name of their protocol."""
  scores = {name: evaluation.scores[name] for name in names if name in evaluation.scores}
  return report.Scores(caption, [
      report.Score(_titled(name, score.protocol), score.value, score.floor, score.standard_error,
                   mark(name, score, evaluation.details), better(name))
      for name, score in scores.items()])


def _meanings(evaluation: Evaluation, names: Sequence[str]) -> Table:
  return Table('What they mean', ['score', 'meaning'], [
      [_spoken(name), MEANINGS[name].text] for name in names if name in evaluation.scores])


def _headline(comparison: Comparison, evaluation: Evaluation) -> Section:
  synthetic, real, other = comparison[:3]
  items: list[Item] = [
      _table(evaluation, HEADLINE, f'{len(synthetic.values):,} synthetic and '
             f'{len(real.values):,} real images of {real.name}; floor: {len(other.values):,} of '
             f'{other.name} in their place'),
      _meanings(evaluation, HEADLINE)]
  available = comparison.about['drawn_or_found']
  if len(synthetic.values) < available:
    items.append(Note(f'Of {available:,} synthetic images {len(synthetic.values):,} were scored, '
                      'as many as there are real ones for the floor.', 'warning'))
  absent = {name: why for name, why in evaluation.not_applicable.items() if name != 'classes'}
  if absent:
    items.append(Note('Not applicable: ' + '; '.join(
        f'{_spoken(name)} ({why})' for name, why in absent.items()) + '.'))
  return Section('Scores', RULES, items)


def _classes(comparison: Comparison, evaluation: Evaluation, rows: Sequence[Mapping[str, Any]]
             ) -> Section:
  names, labels = comparison.class_names, {
      'real': comparison.real.labels, 'synthetic': evaluation.labels}
  balance = evaluation.details['balance']
  items: list[Item] = []
  if balance['missing']:
    items.append(Note('No synthetic image of class ' + ', '.join(
        names[k] for k in balance['missing']) + '.', 'bad'))
  shares = {kind: np.bincount(x, minlength=len(names)) / len(x)
            for kind, x in labels.items() if x is not None}
  items.append(Figure(
      report.bars(names, shares, unit='share'), 'Share of each class; labels of the synthetic '
      f"images are {balance['labels']}. A bar that is missing is a class that the generator "
      'cannot make.', 'Bars: share of each class, real and synthetic.'))
  columns = {key: title for key, title in CLASS_COLUMNS.items() if key in rows[0]}
  items.append(Table(
      'Each class by itself, against the real images of the class: the worst rows are where to '
      'look first. Too few images for a distance are shown as n/a', list(columns.values()),
      [[row[key] for key in columns] for row in rows[:200]]))
  return Section('Classes', f"Classes are even to {balance['entropy']:.4f} (entropy, 1 for even; "
                 f"chi-squared p = {balance['p_value']:.3g} that the shares are the real ones).",
                 items)


def _distributions(comparison: Comparison, evaluation: Evaluation) -> Section:
  return Section('Distributions', '', [
      _table(evaluation, PIXELS, 'Pixels, averaged down to 14 x 14, in [-1, 1]'),
      *pictures.value_histograms(comparison, evaluation), pictures.plane(evaluation),
      pictures.correlations(comparison), _meanings(evaluation, PIXELS)])


def _copying(comparison: Comparison, evaluation: Evaluation, show_real: bool) -> Section:
  text = ''
  if comparison.train is not None:
    tests = evaluation.details['memorisation']
    text = (f"Of fresh images {tests['expected_share']:.1%} would be nearest to the training set; "
            f"of these {evaluation.scores['nearer_to_train'].value:.1%} are "
            f"(z = {tests['z']:.2f}; of held-out real images in their place "
            f"z = {tests['floor_z']:.2f}). "
            f"{tests['exact_copies']:,} are training images pixel by pixel.")
  return Section('Memory', text, [
      _table(evaluation, COPYING, 'Copies, of each other and of the training set'),
      *pictures.nearest_train(comparison, evaluation, show_real), _meanings(evaluation, COPYING)])


def _training(rows: Sequence[Mapping[str, Any]]) -> Section:
  steps = np.array([row['step'] for row in rows])
  best = min(rows, key=lambda row: row['frechet'])
  of = lambda *names: {n: np.array([row[n] for row in rows]) for n in names}
  distance = of('frechet') | {'floor': np.array([row['frechet_floor'] for row in rows])}
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


def _foot(comparison: Comparison, evaluation: Evaluation) -> str:
  card = evaluation.scores['recall'].protocol
  where = ', '.join(f'{k.replace("_", " ")}: {v}' for k, v in comparison.about.items())
  return (f'Distances stand on features {card.features} ({card.sha256[:16]}), resizing '
          f'{card.resizer}. Scores by another protocol do not compare with these.\n\n'
          f'Synthetic images: {where}.\n\n'
          f'jaxsynth {card.versions["jaxsynth"]}, jax {card.versions["jax"]}, {card.platform}. '
          'All numbers and their protocols are in scores.json.')
