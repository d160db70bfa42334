"""Strict filtering and the quality gate of a data set, from the flags of `synthesize.py`."""
import json
import pathlib
import sys
from typing import Any

from absl import flags
import numpy as np

import fitting
import gate
from jaxsynth import files
from jaxsynth.synthesis import candidates, strict
from jaxsynth.synthesis.draw import Stream
import pseudo
import quality_options
import recipe
import trained

FLAGS = flags.FLAGS


def settings(real: quality_options.Real | None) -> dict[str, Any] | None:
  """What the bytes depend on, for the metadata; `None` without filters."""
  if not FLAGS.filters or real is None:
    return None
  return {'names': FLAGS.filters, 'keep': FLAGS.keep, 'gamma': FLAGS.gamma,
          'classifier': quality_options.given_classifier(), 'validation': real.held_name,
          'features': {'name': real.net.name, 'sha256': real.net.sha256}}


def stream(ordered: recipe.Order, model: trained.Trained, real: quality_options.Real) -> Stream:
  """Samples that pass --filters; each shard's counts are kept beside it."""
  found = fitting.fitted(ordered, model, real, FLAGS.filters)
  for name, about in found.about.items():
    kept = ''.join(f', {about[k]:.1%} of {k[8:]}' for k in (
        'kept_of_validation', 'kept_of_samples') if k in about)
    print(f'filter {name}: threshold {about["threshold"]:.4g}{kept}', file=sys.stderr)
  propose = candidates.proposer(
      model.run.algorithm.sample, model.params, model.variables, FLAGS.seed, ordered.shares,
      found.filters, block=ordered.block)

  def told(start: int, stop: int, kept: strict.Kept) -> None:
    path = _counts(ordered, start, stop)
    path.parent.mkdir(exist_ok=True)
    with files.write_aside(path) as f:
      f.write(json.dumps(kept._asdict()).encode())
  return strict.passing(propose, [f.name for f in found.filters], model.image_shape,
                        unlike=found.unlike, attempts=FLAGS.attempts, block=ordered.block,
                        told=told)


def _counts(ordered: recipe.Order, start: int, stop: int) -> pathlib.Path:
  return ordered.folder / '.kept' / f'{start}-{stop}.json'


def measure(ordered: recipe.Order, model: trained.Trained, real: quality_options.Real,
            wanted: list[gate.Requirement]) -> dict[str, Any]:
  """Scores the written data set if flags ask for that, and marks its metadata.

  Returns:
    What was added to the metadata.
  """
  measured: dict[str, Any] = {}
  if FLAGS.filters or wanted:
    scorer = gate.Scorer(real, FLAGS.score_num)
    images = gate.written(ordered, scorer.num)
    measured |= {'scores': scorer.scores(images), 'floor': scorer.floor(),
                 'protocol': scorer.protocols(len(images))}
  if FLAGS.filters:
    parts = [strict.Kept(**json.loads(_counts(ordered, s.start, s.stop).read_text()))
             for s in ordered.shards]
    kept = sum(parts[1:], parts[0])
    before = scorer.scores(fitting.sampled(model, ordered, len(images), 1).images)
    measured['unfiltered'] = before
    measured['cost'] = {name: before[name] - measured['scores'][name]
                        for name in ('recall', 'coverage')}
    measured['kept'] = {
        'candidates': kept.candidates, 'accepted': kept.accepted,
        'share': kept.accepted / kept.candidates,
        'of_candidates': {name: n / kept.candidates for name, n in kept.passed.items()},
        'filters': json.loads((ordered.folder / '.filters.json').read_text(encoding='utf-8'))}
  if FLAGS.pseudo_labels:
    measured['pseudo_labels'] = pseudo.measured(ordered)
  if wanted:
    measured |= gate.verdict(measured['scores'], wanted)
  gate.mark(ordered.folder, measured)
  return measured


def show(measured: dict[str, Any]) -> str:
  """Scores as a table, if there are any, and what else was found."""
  columns = [name for name in ('unfiltered', 'scores', 'floor') if name in measured]
  lines = ['score      ' + ''.join(f'{name:>12}' for name in columns)] if columns else []
  for name in measured.get('scores', ()):
    values = [measured[column][name] for column in columns]
    lines.append(f'{name:11}' + ''.join(f'{np.nan if v is None else v:12.4g}' for v in values))
  if 'kept' in measured:
    lines.append(f'kept {measured["kept"]["share"]:.1%} of {measured["kept"]["candidates"]:,}; '
                 f'recall cost {measured["cost"]["recall"]:.4f}, coverage cost '
                 f'{measured["cost"]["coverage"]:.4f}')
    before, after = (measured[x]['frechet'] for x in ('unfiltered', 'scores'))
    if before is not None and after is not None and after > 1.1 * before:
      lines.append('the filters made frechet worse: leave out the one that passes the least')
  if 'pseudo_labels' in measured:
    lines.append(pseudo.show(measured['pseudo_labels']))
  if 'quality' in measured:
    lines.append(measured['quality'] + ''.join(f'\n  {x}' for x in measured['failed']))
  return '\n'.join(lines)
