r"""Scores synthetic series by the judges that generators of series are compared by.

    python experiments/judge_series.py --real=google.csv --window=24 --real_split=all \
        --synthetic=/tmp/flow --report=/tmp/judges

Into --report go report.html and judges.json: the discriminative score, |accuracy - .5| of a
recurrent network that tells real from synthetic windows; the predictive score, the error in
foretelling real windows of one that learned from synthetic ones; both by --runs trainings each,
with 95 % intervals, and the same of real windows in the place of the synthetic ones. The network of
the published scores has half as many units as there are columns, which may be three; so the
discriminative score is given by one of 64 units as well. Beside them the distances of correlations
and of features; the share that breaks each --rule, as 'Low<=Open'; that of near copies, where
nothing learned from the real windows; and stylised facts of the log-returns of --prices.
verdict.json has the same in short, for the page of pipeline.py --judges=judge_series.
"""
import functools
import json
import pathlib
from typing import Any

from absl import flags, logging
import numpy as np

from common import comparison_flags, program, seeds, verdict_file
from jaxsynth import files, report
from jaxsynth.data.examples import Examples, read_real_split
from jaxsynth.data.kinded import kind_of
from jaxsynth.downstream import judges
from jaxsynth.downstream.verdicts import mean
from jaxsynth.evaluation import of_series
from jaxsynth.metrics.window_facts import Fact
from jaxsynth.pages import judges as judges_page, series_checks

LARGE = 64  # units of the judge beside the published one


def define_flags(values: flags.FlagValues) -> None:
  """What is compared, and how often each judge is trained."""
  comparison_flags.define(values)
  number = functools.partial(flags.DEFINE_integer, flag_values=values)
  number('num', None, 'Synthetic windows, at most; a run draws as many as it has not.',
         lower_bound=10)
  number('runs', 5, 'Trainings of each judge, 2 at least for an interval.', lower_bound=1)
  number('steps', 2000, 'Of the judge that tells apart.', lower_bound=1)
  number('predictive_steps', None, 'Of the judge that foretells; by default 2.5 times --steps.',
         lower_bound=1)
  flags.DEFINE_multi_string('rule', [], 'Between columns or numbers, as Low<=Open; may be given '
                            'several times.', flag_values=values)
  flags.DEFINE_list('prices', [], 'Columns whose log-returns are held against stylised facts; with '
                    '--log_changes, columns of log-returns.', flag_values=values)
  seeds.define(values, 'The first of the seeds.')


def main() -> None:
  values = flags.FLAGS
  synthetic = comparison_flags.synthetic(values).examples
  spec, roles = comparison_flags.spec(values), comparison_flags.roles(values, validation='')
  real = read_real_split(spec, roles.test, synthetic_as_real=values.synthetic_as_real)
  check(real, synthetic)
  train = None if roles.train is None else read_real_split(
      spec, roles.train, synthetic_as_real=values.synthetic_as_real)
  apart = of_series.apart(real, train, values.seed)
  cheap, facts = unjudged(real, synthetic, train, apart, bool(spec.log_changes))
  result: dict[str, Any] = {
      'real': real.name, 'windows': [len(real.values), len(synthetic.values)],
      'flags': comparison_flags.given(values), 'scores': {
          **scores(real.values, synthetic.values, apart, range(
              values.seed, values.seed + values.runs), values.steps,
                   values.predictive_steps or values.steps * 5 // 2), **cheap},
      'facts': {name: [{**fact._asdict(), 'place': fact.place} for fact in of]
                for name, of in facts.items()}}
  also = series_checks.answers(result['scores'], facts)
  folder = pathlib.Path(values.report)
  folder.mkdir(parents=True, exist_ok=True)
  with files.write_aside(folder / 'judges.json') as f:
    f.write(json.dumps(result, indent=1).encode() + b'\n')
  verdict_file.write(folder, verdict_file.Verdict(
      judges_page.sentence(result['scores']), [
          verdict_file.Answer(*x) for x in (*judges_page.answers(result['scores']), *also)],
      [judges_page.table(result['scores'], values.runs)]))
  report.write(folder / 'report.html', judges_page.page(
      result['scores'], values.runs, real, synthetic, 'All numbers are in judges.json.',
      series_checks.sections(real, synthetic, facts), also))
  for name, score in result['scores'].items():
    of = [f'{x["value"]:.4f}' + ('' if x['low'] is None else f' [{x["low"]:.4f}, {x["high"]:.4f}]')
          for x in (score['synthetic'], score['real'])]
    print(f'{name:40}{of[0]}, of real windows {of[1]}')
  program.done(folder / 'report.html')


def unjudged(real: Examples, synthetic: Examples, train: Examples | None, apart: of_series.Apart,
             are_returns: bool) -> tuple[dict[str, Any], dict[str, list[Fact]]]:
  """What needs no training: scores as judges.json has them, and facts of each column of prices."""
  values = flags.FLAGS
  known = of_series.rules(real, synthetic, values.rule) | of_series.motions(real, synthetic, apart)
  if train is not None and apart.are_halves:
    logging.warning('%s is among what was learned from, so nothing is said of copies; a split '
                    'that nothing learned from, as --real_split=test, would say it', real.name)
  elif train is not None:
    known[of_series.COPIES] = of_series.copies(real, synthetic, train)
  return of_series.to_json(known), of_series.facts(
      real, synthetic, values.prices, are_returns, values.seed)


def check(real: Examples, synthetic: Examples) -> None:
  """Refuses what are no series, or not of one shape.

  Raises:
    ValueError: they are not.
  """
  for examples in (real, synthetic):
    if kind_of(examples).name != 'series':
      raise ValueError(f'{examples.name}: {kind_of(examples).plural}, expected series')
  if real.values.shape[1:] != synthetic.values.shape[1:]:
    raise ValueError(f'{synthetic.name}: series {list(synthetic.values.shape[1:])}, those of '
                     f'{real.name} are {list(real.values.shape[1:])}')


def scores(real: np.ndarray, synthetic: np.ndarray, apart: of_series.Apart, order: range,
           steps: int, predictive_steps: int) -> dict[str, Any]:
  """Each score of the synthetic windows, and of real ones in their place.

  Args:
    real: `[N, T, C]`, what is judged against.
    synthetic: `[M, T, C]`.
    apart: real windows, and others that stand in the place of the synthetic ones.
    order: the seeds.
    steps: of the judge that tells apart.
    predictive_steps: of the judge that foretells.
  """
  measures: dict[str, Any] = {
      'discriminative': functools.partial(judges.discriminative, judge=judges.Judge(steps=steps)),
      f'discriminative, {LARGE} units': functools.partial(
          judges.discriminative, judge=judges.Judge(LARGE, steps)),
      'predictive': functools.partial(judges.predictive, judge=judges.Judge(
          steps=predictive_steps))}
  results: dict[str, Any] = {}
  for name, measure in measures.items():
    pair = (real, real) if apart.are_halves and name == 'predictive' else apart[:2]
    results[name] = {'synthetic': mean([measure(real, synthetic, seed=x) for x in order])._asdict(),
                     'real': mean([measure(*pair, seed=x) for x in order])._asdict()}
  return results


if __name__ == '__main__':
  program.run(main, define_flags)
