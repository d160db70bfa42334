r"""Scores synthetic series by the judges that generators of series are compared by.

    python experiments/judge_series.py --real=google.csv --window=24 --real_split=all \
        --synthetic=/tmp/flow --report=/tmp/judges

Into --report go report.html and judges.json: the discriminative score, |accuracy - .5| of a
recurrent network that tells real from synthetic windows; the predictive score, the error in
foretelling real windows of one that learned from synthetic ones; both by --runs trainings each,
with 95 % intervals, and the same of real windows in the place of the synthetic ones; and the
distance of the correlations. The network of the published scores has half as many units as there
are columns, which may be three; so the discriminative score is given by one of 64 units as well.
verdict.json has the same in short, for the page of pipeline.py --judges=judge_series.
"""
import functools
import json
import pathlib
from typing import Any

from absl import flags
import numpy as np

from common import comparison_flags, program, seeds, verdict_file
from jaxsynth import files, report
from jaxsynth.data.examples import count_shared, Examples, read_real_split, shuffled
from jaxsynth.data.kinded import kind_of
from jaxsynth.downstream import judges
from jaxsynth.downstream.verdicts import mean
from jaxsynth.metrics.correlational import correlational
from jaxsynth.pages import judges as judges_page

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
  seeds.define(values, 'The first of the seeds.')


def main() -> None:
  values = flags.FLAGS
  synthetic = comparison_flags.synthetic(values).examples
  spec, roles = comparison_flags.spec(values), comparison_flags.roles(values, validation='')
  real = read_real_split(spec, roles.test, synthetic_as_real=values.synthetic_as_real)
  check(real, synthetic)
  other = other_real(real, read_real_split(spec, roles.train)) if roles.train else None
  result: dict[str, Any] = {'real': real.name, 'windows': [len(real.values), len(synthetic.values)],
            'flags': comparison_flags.given(values),
            'scores': scores(real.values, synthetic.values, other, range(
                values.seed, values.seed + values.runs), values.steps,
                values.predictive_steps or values.steps * 5 // 2)}
  folder = pathlib.Path(values.report)
  folder.mkdir(parents=True, exist_ok=True)
  with files.write_aside(folder / 'judges.json') as f:
    f.write(json.dumps(result, indent=1).encode() + b'\n')
  verdict_file.write(folder, verdict_file.Verdict(
      judges_page.sentence(result['scores']),
      [verdict_file.Answer(*x) for x in judges_page.answers(result['scores'])],
      [judges_page.table(result['scores'], values.runs)]))
  report.write(folder / 'report.html', judges_page.page(
      result['scores'], values.runs, real, synthetic, 'All numbers are in judges.json.'))
  for name, score in result['scores'].items():
    of = [f'{x["value"]:.4f}' + ('' if x['low'] is None else f' [{x["low"]:.4f}, {x["high"]:.4f}]')
          for x in (score['synthetic'], score['real'])]
    print(f'{name:28}{of[0]}, of real windows {of[1]}')
  program.done(folder / 'report.html')


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


def other_real(real: Examples, train: Examples) -> np.ndarray | None:
  """Training windows, to stand in the place of synthetic ones; `None` if they are judged too."""
  return None if count_shared(real, train) > len(real.values) / 100 else train.values


def scores(real: np.ndarray, synthetic: np.ndarray, other: np.ndarray | None, order: range,
           steps: int, predictive_steps: int) -> dict[str, Any]:
  """Each score of the synthetic windows, and of real ones in their place.

  Args:
    real: `[N, T, C]`, what is judged against.
    synthetic: `[M, T, C]`.
    other: more real windows; `None` to tell random halves of `real` apart, and to foretell what
      was learned from.
    order: the seeds.
    steps: of the judge that tells apart.
    predictive_steps: of the judge that foretells.
  """
  # at random: of neighbours that alternate, each is nearly one that was learned of the other half
  halves = shuffled(len(real), order[0])
  measures: dict[str, Any] = {
      'discriminative': functools.partial(judges.discriminative, judge=judges.Judge(steps=steps)),
      f'discriminative, {LARGE} units': functools.partial(
          judges.discriminative, judge=judges.Judge(LARGE, steps)),
      'predictive': functools.partial(judges.predictive, judge=judges.Judge(
          steps=predictive_steps))}
  apart = (real, other) if other is not None else (real[halves[::2]], real[halves[1::2]])
  results: dict[str, Any] = {}
  for name, measure in measures.items():
    pair = apart if other is not None or name != 'predictive' else (real, real)
    results[name] = {'synthetic': mean([measure(real, synthetic, seed=x) for x in order])._asdict(),
                     'real': mean([measure(*pair, seed=x) for x in order])._asdict()}
  once = lambda value: {'value': value, 'low': None, 'high': None}
  results['correlational'] = {'synthetic': once(correlational(real, synthetic)),
                              'real': once(correlational(*apart))}
  return results


if __name__ == '__main__':
  program.run(main, define_flags)
