r"""Says how good a synthetic table is, beside real rows and beside columns drawn independently.

    python experiments/judge_table.py --real=adult.data --schema=adult.json --label_column=income \
        --train_split=all --real_split=adult.test --synthetic=/tmp/adult/run --report=/tmp/judges

Into --report go report.html, one page that needs nothing else, and judges.json with all numbers:
how alike columns and pairs of columns are; whether a classifier tells the rows from real ones; what
a classifier that learned from them is worth on --real_split; which rules that all rows of
--train_split keep are broken; and whether rows were learned by heart. Each stands beside what real
rows and what independent columns get. --rule adds a rule, as "age >= 17".

verdict.json has the same in short, for the page of pipeline.py --judges=judge_table.

The page prints no real row, unless --show_real asks for those that synthetic rows are nearest to.
Judges need scikit-learn: pip install 'jaxsynth[report]'.
"""
import json
import pathlib

from absl import flags, logging

from common import comparison_flags, program, seeds, verdict_file
from jaxsynth import files, report
from jaxsynth.data.examples import read_real_split
from jaxsynth.downstream import table_study
from jaxsynth.downstream.whole_tables import whole_tables
from jaxsynth.metrics.tables import expressions
from jaxsynth.pages import tables as page

NAMES = ('num', 'runs', 'rule', 'boosting', 'show_real', 'seed')


def define_flags(values: flags.FlagValues) -> None:
  """What is compared, how often classifiers are trained, and what the page may show."""
  comparison_flags.define(values)
  flags.DEFINE_integer('num', None, 'Synthetic rows, at most; a run draws as many as it has not. '
                       'By default what is there.', lower_bound=100, flag_values=values)
  flags.DEFINE_integer('runs', 3, 'Trainings of each classifier, 2 at least for an interval.',
                       lower_bound=1, flag_values=values)
  flags.DEFINE_multi_string('rule', [], 'A rule that every row should keep, as "age >= 17 or '
                            'work == \'none\'"; names that are not plain in `back quotes`.',
                            flag_values=values)
  flags.DEFINE_enum('boosting', 'boosting', ['boosting', 'xgboost'], "What tells rows apart: "
                    "scikit-learn's boosting, or XGBoost as in published tables, if it is "
                    'installed.', flag_values=values)
  flags.DEFINE_bool('show_real', False, 'Print the real rows that are nearest to synthetic ones '
                    'beside these, though they may be of persons.', flag_values=values)
  seeds.define(values, 'The first of the seeds.')


def main() -> None:
  values = flags.FLAGS
  spec = comparison_flags.spec(values)
  roles = comparison_flags.roles(values, validation='')
  if roles.train is None:
    raise ValueError('--train_split: name the rows that were learned from')
  train, test = (read_real_split(spec, split, synthetic_as_real=values.synthetic_as_real)
                 for split in (roles.train, roles.test))
  synthetic = comparison_flags.synthetic(values).examples
  tables = whole_tables(synthetic, train, test)
  rules = [expressions.rule(text, tables.schema) for text in values.rule]
  study = table_study.study(tables, rules, judge=values.boosting, runs=values.runs,
                            seed=values.seed or 0, say=lambda text: logging.info('%s', text))
  about = {'synthetic': synthetic.name, 'train': train.name, 'test': test.name,
           'rows': {name: len(getattr(tables, name)) for name in ('synthetic', 'train', 'test')},
           'flags': comparison_flags.given(values) | {
               name: program.plain(values[name].value) for name in NAMES}}
  result = about | table_study.to_json(study, [column.name for column in tables.schema])
  folder = pathlib.Path(values.report)
  folder.mkdir(parents=True, exist_ok=True)
  report.write(folder / 'report.html', page.page(tables, study, about, values.show_real))
  with files.write_aside(folder / 'judges.json') as f:
    f.write(json.dumps(result, indent=1, allow_nan=False).encode() + b'\n')
  verdict_file.write(folder, verdict_file.Verdict(
      page.verdict(study), [verdict_file.Answer(*x) for x in page.answers(study)],
      [page.scores(study)]))
  print(page.text(study))
  program.done(folder / 'report.html')


if __name__ == '__main__':
  program.run(main, define_flags)
