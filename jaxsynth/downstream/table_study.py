"""All that judges say of a synthetic table, and of real rows in its place."""
from collections.abc import Callable, Sequence
import itertools
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxsynth.downstream.verdicts import Mean, mean
from jaxsynth.downstream.whole_tables import independent, some, Tables
from jaxsynth.metrics.score import Share
from jaxsynth.metrics.tables import closest, copies, detection, rules, shapes, trends, usefulness
from jaxsynth.metrics.tables.closest import Closest
from jaxsynth.metrics.tables.rules import Rule, Violations

Who = Literal['synthetic', 'real', 'independent']
NORMAL = 1.96  # standard errors of a 95 % interval
Scores = dict[str, dict[str, Mean]]


class Study(NamedTuple):
  """What came of a study.

  Attributes:
    scores: name -> whose -> value: `synthetic`, `real` (test rows in their place) and
      `independent` columns; of `learned by ...` also `both`, train and synthetic rows together.
    shape: of the synthetic table, a score a column, `[C]`.
    falls: by how much boosting tells rows apart less without a column, `[C]`.
    pairs: a score a pair of columns, `[C, C]`.
    ties: how strongly columns are tied, of `synthetic` and `real`, `[C, C]`.
    violations: of each rule.
    closest: distances to train rows.
  """
  scores: Scores
  shape: np.ndarray
  falls: np.ndarray
  pairs: np.ndarray
  ties: dict[str, np.ndarray]
  violations: list[Violations]
  closest: Closest


def study(tables: Tables, given: Sequence[Rule] = (), *, judge: detection.Name = 'boosting',
          runs: int = 3, seed: int = 0,
          say: Callable[[str], object] = lambda text: None) -> Study:
  """Judges a synthetic table.

  Shape, trend, and what a classifier can tell, are of the train rows, as others publish them. Real
  rows in the place of the synthetic are those of the test set; where that is needed as a holdout
  too, half of it.

  Args:
    tables: the rows.
    given: rules beside those that are inferred.
    judge: what `told apart by boosting` is measured with: `boosting`, or `xgboost`.
    runs: trainings of each classifier on synthetic rows, at least 2 for an interval.
    seed: the first of the seeds.
    say: is called with what is measured next.

  Raises:
    ImportError: scikit-learn or XGBoost is not installed.
  """
  synthetic, train, test, schema, label = tables
  who = {'synthetic': synthetic, 'real': test, 'independent': independent(
      train, len(synthetic), seed)}
  once = lambda value: Mean(float(value), None, None)
  scores: Scores = {}
  say('columns and pairs of columns')
  shape = {name: shapes.shape(train, x, schema) for name, x in who.items()}
  trend = {name: trends.trend(train, x, schema) for name, x in who.items()}
  scores['shape'] = {name: once(x.mean) for name, x in shape.items()}
  scores['trend'] = {name: once(x.mean) for name, x in trend.items()}
  scores['trend of tied pairs'] = {name: once(x.tied) for name, x in trend.items()}
  falls = np.zeros(len(schema))
  for name, kind in (('boosting', judge), ('logistic', 'logistic')):
    say(f'who tells rows apart by {kind}')
    scores[f'told apart by {name}'] = {}
    for whose, x in who.items():
      count = runs if whose == 'synthetic' else 1
      judged = [_detected(tables, x, kind, seed + i, falls=i == 0 and whose == 'synthetic'
                          and name == 'boosting') for i in range(count)]
      scores[f'told apart by {name}'][whose] = mean([y.score for y in judged])
      falls = judged[0].falls if judged[0].falls.size else falls
  if label is not None:
    scores |= _learned(tables, who['independent'], runs, seed, say)
  say('rules and copies')
  known = [*rules.inferred(train, schema), *given]
  scores |= _broken(known, who, tables)
  near = _copies(who, tables, seed)
  say('the closest records')
  nearest = {name: closest.closest(x, train, held, schema, seed=seed)
             for name, x, held in _beside_holdout(who, test)}
  scores['nearer to train'] = {name: _near(x) for name, x in nearest.items()}
  return Study(scores | near, shape['synthetic'].scores, falls, trend['synthetic'].scores,
               {name: trends.ties(x, schema) for name, x in (
                   ('synthetic', synthetic), ('real', train))},
               rules.violations(known, synthetic, test, schema), nearest['synthetic'])


def _detected(tables: Tables, rows: np.ndarray, name: Any, seed: int, falls: bool
              ) -> detection.Detection:
  """Against as many train rows."""
  size = min(len(rows), len(tables.train))
  return detection.detection(some(tables.train, size, seed), some(rows, size, seed), tables.schema,
                             name, seed=seed, falls=falls)


def _learned(tables: Tables, apart: np.ndarray, runs: int, seed: int,
             say: Callable[[str], object]) -> Scores:
  synthetic, train, test, schema, label = tables
  assert label is not None
  taught = {'synthetic': synthetic, 'real': train, 'both': np.concatenate([train, synthetic]),
            'independent': apart}
  rest = tuple(column for j, column in enumerate(schema) if j != label)
  parted = lambda x: (np.delete(x, label, 1), x[:, label].astype(int))
  scores: Scores = {}
  for name in usefulness.NAMES:
    say(f'what {name} learns from rows')
    taught_by: dict[str, list[usefulness.Right]] = {}
    for whose, rows in taught.items():
      if len(np.unique(rows[:, label])) > 1:
        taught_by[whose] = [usefulness.usefulness(
            *parted(rows), *parted(test), rest, len(schema[label].categories), name,
            seed=seed + i) for i in range(runs if whose != 'independent' else 1)]
    for part, title in (('auc', 'AUC'), ('accuracy', 'accuracy')):
      scores[f'learned by {name}, {title}'] = {
          whose: mean([getattr(right, part) for right in rights])
          for whose, rights in taught_by.items()}
  return scores


def _broken(known: Sequence[Rule], who: dict[str, np.ndarray], tables: Tables) -> Scores:
  """Rows that break a rule; and those with a pair of values that train has not."""
  parts = {'broken rules': [rule for rule in known if rule.kind != 'pairs'],
           'new pairs': [rule for rule in known if rule.kind == 'pairs']}
  return {name: {whose: _interval(rules.any_broken(part, x, tables.schema))
                 for whose, x in who.items()} for name, part in parts.items() if part}


def _copies(who: dict[str, np.ndarray], tables: Tables, seed: int) -> Scores:
  counted = {whose: copies.copies(x, tables.train, tables.test, tables.schema)
             for whose, x in who.items()}
  return {'copies of train': {whose: _interval(x.share) for whose, x in counted.items()},
          'repeated': {whose: _interval(x.repeated) for whose, x in counted.items()}}


def _beside_holdout(who: dict[str, np.ndarray], test: np.ndarray
                    ) -> list[tuple[str, np.ndarray, np.ndarray]]:
  """Whose rows, and the holdout: half of the test rows where the other half is in their place."""
  return [(name, test[::2] if name == 'real' else x, test[1::2] if name == 'real' else test)
          for name, x in who.items()]


def _interval(share: Share) -> Mean:
  return Mean(share.value, share.low, share.high)


def _near(near: Closest) -> Mean:
  share, error = near.nearer.share.value, near.nearer.standard_error
  return Mean(share, share - NORMAL * error, share + NORMAL * error)


def to_json(study_: Study, names: Sequence[str]) -> dict[str, Any]:
  """All numbers, as JSON has them; those that are not there are null.

  Args:
    study_: the study.
    names: of its columns.
  """
  plain = lambda x: None if x is None or not np.isfinite(x) else float(x)
  pairs = [{'columns': [names[i], names[j]], 'score': plain(study_.pairs[i, j]),
            **{name: plain(of[i, j]) for name, of in study_.ties.items()}}
           for i, j in itertools.combinations(range(len(names)), 2)]
  near = study_.closest
  return {
      'scores': {name: {whose: {k: plain(v) for k, v in x._asdict().items()}
                        for whose, x in by.items()} for name, by in study_.scores.items()},
      'columns': [{'name': name, 'shape': plain(a), 'gives_away': plain(b)}
                  for name, a, b in zip(names, study_.shape, study_.falls)],
      'pairs': pairs,
      'rules': [{'rule': x.rule.name, 'kind': x.rule.kind, 'synthetic': x.synthetic.value,
                 'real': x.holdout.value} for x in study_.violations],
      'closest': {'train': len(near.train), 'holdout': len(near.held),
                  'standard_error': near.nearer.standard_error, 'ties': near.nearer.ties,
                  'z': near.nearer.z, 'quantiles': {
                      name: np.quantile(x.distances, (.01, .05, .25, .5)).tolist()
                      for name, x in (('synthetic', near.synthetic), ('real', near.holdout))}}}
