"""What a stranger asks of synthetic data, answered by the numbers of a pipeline."""
from collections.abc import Mapping, Sequence
from typing import Any

from common.verdict_file import Answer
from jaxsynth.report import Table
from jaxsynth.report.page import Mark
from stages.result import Results

WORDS = {'good': '▲ yes', 'neutral': '● partly', 'bad': '▼ no'}  # of a mark
VERDICTS: dict[str, Mark] = {'helps': 'good', 'hurts': 'bad'}  # of a study of classifiers


def table(results: Results) -> list[Table]:
  """Questions, answers and the numbers that they stand on; nothing where nothing was judged."""
  scores = results.after or results.before
  answers = [
      _scored(scores, 'Are they like real images?', 'frechet', 'density'),
      _scored(scores, 'Are all sorts of real images among them?', 'recall', 'coverage'),
      _scored(scores, 'Are they new, and no copies?', 'near_copies', 'duplicates'),
      *([_hidden(results.audit)] if results.audit else ()),
      *([_useful(results.downstream)] if results.downstream else ()),
      *(answer for verdict in results.verdicts.values() for answer in verdict.answers)]
  rows = [[x.question, WORDS[x.mark], x.by] for x in answers if x]
  return [Table('What the numbers say of the synthetic images', ['question', 'answer', 'by'], rows)
          ] if rows else []


def _scored(scores: Mapping[str, Any], question: str, *names: str) -> Answer | None:
  """An answer by the worst of some scores; `None` where there is none of them."""
  there = [name for name in names if name in scores.get('marks', {})]
  if not there:
    return None
  worst = min((scores['marks'][name] for name in there), key=['bad', 'neutral', 'good'].index)
  return Answer(question, worst, ', '.join(
      f'{name.replace("_", " ")} {scores["scores"][name]["value"]:.3g} (real: '
      f'{scores["scores"][name]["floor"]:.3g})' for name in there))


def _hidden(audit: Sequence[Mapping[str, Any]]) -> Answer:
  """Whether the attacks of an audit saw nothing."""
  attacks = audit[1:]
  surest = max(attacks, key=lambda row: row['auc'])
  return Answer(
      'Is it hidden which real images were learned from?',
      'bad' if any(row['noticed'] for row in attacks) else 'good',
      f'{len(attacks)} attacks; the surest ranks {surest["auc"]:.1%} of pairs rightly (guessing: '
      '50 %)')


def _useful(study: Mapping[str, Any]) -> Answer:
  """Whether classifiers of synthetic images alone are as good as those of real ones."""
  real = max((row for row in study['settings'] if not row['synthetic']),
             key=lambda row: row['real'])
  alone = next(row for row in study['settings'] if not row['real'])
  verdict = (alone.get('against_real') or {}).get('verdict', '')
  return Answer(
      'Do they stand in for real images in training?',
      VERDICTS.get(verdict, 'neutral'),
      f'classifiers of them alone are right on {alone["accuracy"]["value"]:.1%} of real test '
      f'images, of real ones on {real["accuracy"]["value"]:.1%}')
