"""What a written data set scores, what its filters cost, and the mark that says so."""
from collections.abc import Mapping, Sequence
import json
import math
import pathlib
from typing import Any, TYPE_CHECKING

from jaxsynth import files
from jaxsynth.evaluation.meanings import got_worse
from jaxsynth.quality import gate, labelling
from jaxsynth.quality.material import spare_samples
from jaxsynth.quality.order import Order
from jaxsynth.quality.real import RealData
from jaxsynth.quality.scorer import Scorer
from jaxsynth.quality.selection import Selection
from jaxsynth.quality.writing import kept_counts

if TYPE_CHECKING:
  from jaxsynth.runs import Trained  # which loads Orbax


def measure(order: Order, model: 'Trained', real: RealData, selection: Selection = Selection(),
            requirements: Sequence[gate.Requirement] = (), *, most: int = 5000
            ) -> dict[str, Any]:
  """Scores a whole data set as it lies on disk, and marks its `metadata.json`.

  Args:
    order: of the data set.
    model: that it was drawn from.
    real: what it is scored against.
    selection: as it was written.
    requirements: that it must meet to be accepted.
    most: images scored; as many held-out real ones, at most.

  Returns:
    What was added to the metadata, of JSON's types: with filters or requirements `scores`,
    `floor` (training images in the place of samples) and `protocol`; with filters
    `unfiltered`, `cost` (what they took of recall and coverage) and `kept`; with
    pseudo-labels `pseudo_labels`; with requirements the `gate.verdict`.

  Raises:
    OSError, ValueError: it is not whole, or cannot be scored.
  """
  measured: dict[str, Any] = {}
  if selection.filters or requirements:
    scorer = Scorer(real, most)
    images = order.read(scorer.num)
    measured |= {'scores': scorer.scores(images), 'floor': scorer.floor(),
                 'protocol': scorer.protocols(len(images))}
    if selection.filters:
      unfiltered = scorer.scores(spare_samples(order, model, len(images), 1).images)
      measured |= _of_filters(order, measured['scores'], unfiltered)
  if selection.pseudo_labels:
    measured['pseudo_labels'] = labelling.label_counts(order)
  if requirements:
    measured |= gate.verdict(measured['scores'], requirements)
  _mark(order.folder, measured)
  return measured


def measured_before(folder: pathlib.Path) -> dict[str, Any]:
  """What `measure` has added to a data set's metadata, or nothing."""
  return json.loads((folder / 'metadata.json').read_text(encoding='utf-8')).get('measured', {})


def summary(measured: Mapping[str, Any]) -> str:
  """What `measure` returns as text: scores as a table, if there are any, and what follows."""
  columns = [name for name in ('unfiltered', 'scores', 'floor') if name in measured]
  lines = ['score      ' + ''.join(f'{name:>12}' for name in columns)] if columns else []
  for name in measured.get('scores', ()):
    values = [measured[column][name] for column in columns]
    lines.append(f'{name:11}' + ''.join(f'{math.nan if v is None else v:12.4g}' for v in values))
  if 'kept' in measured:
    lines.append(f'kept {measured["kept"]["share"]:.1%} of {measured["kept"]["candidates"]:,}; '
                 f'recall cost {measured["cost"]["recall"]:.4f}, coverage cost '
                 f'{measured["cost"]["coverage"]:.4f}')
    if got_worse(measured['unfiltered']['frechet'], measured['scores']['frechet']):
      lines.append('the filters made frechet worse: leave out the one that passes the least')
  if 'pseudo_labels' in measured:
    lines.append(labelling.label_summary(measured['pseudo_labels']))
  if 'quality' in measured:
    lines.append(measured['quality'] + ''.join(f'\n  {x}' for x in measured['failed']))
  return '\n'.join(lines)


def _of_filters(order: Order, scores: Mapping[str, Any], unfiltered: Mapping[str, Any]
                ) -> dict[str, Any]:
  """What the filters took, and what they cost."""
  kept = kept_counts(order)
  return {
      'unfiltered': dict(unfiltered),
      'cost': {name: unfiltered[name] - scores[name] for name in ('recall', 'coverage')},
      'kept': {
          'candidates': kept.candidates, 'accepted': kept.accepted,
          'share': kept.accepted / kept.candidates,
          'of_candidates': {name: n / kept.candidates for name, n in kept.passed.items()},
          'filters': json.loads((order.folder / '.filters.json').read_text(encoding='utf-8'))}}


def _mark(folder: pathlib.Path, measured: Mapping[str, Any]) -> None:
  """Adds what was measured to `metadata.json`; its settings stay as they are."""
  path = folder / 'metadata.json'
  whole = json.loads(path.read_text(encoding='utf-8'))
  with files.write_aside(path) as f:
    f.write(json.dumps({**whole, 'measured': measured}, indent=2, sort_keys=True,
                       allow_nan=False).encode() + b'\n')
