"""What scores.json holds."""
from collections.abc import Mapping
import json
import math
from typing import Any

from jaxsynth.evaluation.comparison import Comparison
from jaxsynth.evaluation.meanings import better, mark
from jaxsynth.evaluation.scoring import Evaluation

FORMAT = 1


def record(comparison: Comparison, evaluation: Evaluation, settings: Mapping[str, Any]
           ) -> dict[str, Any]:
  """All of scores.json: an evaluation in JSON's types.

  Args:
    comparison: the sets.
    evaluation: what came of them.
    settings: flags that the sets were named by, kept as they are.

  Returns:
    `scores` (rows that `Scored.from_json` reads), `marks`, `better`, `classes`, `details`,
    `not_applicable`, and what was compared: `flags`, `sets`, `synthetic`, `features`.

  Raises:
    ValueError: a score that is not finite.
  """
  by_role = {'synthetic': comparison.synthetic, 'real': comparison.real,
             'floor': comparison.other, 'train': comparison.train, 'held': comparison.held_out}
  sizes = {role: None if x is None else {'name': x.name, 'size': len(x.values),
                                         'labels': x.labels is not None}
           for role, x in by_role.items()}
  net, scores, details = evaluation.embedded.net, evaluation.scores, evaluation.details
  return {
      'format': FORMAT, 'flags': dict(settings), 'sets': sizes, 'synthetic': comparison.about,
      'features': {'name': net.name, 'sha256': net.sha256},
      'scores': {name: json.loads(score.to_json()) for name, score in scores.items()},
      'marks': {name: mark(name, score, details) for name, score in scores.items()},
      'better': {name: better(name) for name in scores},
      'classes': evaluation.classes, 'details': _finite(details),
      'not_applicable': evaluation.not_applicable}


def _finite(value: Any) -> Any:
  """The same without what JSON cannot hold."""
  if isinstance(value, Mapping):
    return {key: _finite(x) for key, x in value.items()}
  if isinstance(value, (list, tuple)):
    return [_finite(x) for x in value]
  return None if isinstance(value, float) and not math.isfinite(value) else value
