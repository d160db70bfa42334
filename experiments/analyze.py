r"""Analyses a data set before anything is trained on it.

    python experiments/analyze.py --dataset=mnist5k --report=/tmp/mnist5k

Into --report go report.html, one page that needs nothing else, and analysis.json with
every number: balance, ranges, moments, correlations, intrinsic dimension, copies and
leakage between splits, outliers, suspicious labels, drift, recommended preprocessing.
"""
import json
import pathlib

from absl import flags

from common import dataset_flags, paths, program, seeds
from jaxsynth import files, report
from jaxsynth.data import analysis, spec as specs
from jaxsynth.pages import analysis as analysis_page


def define_flags(values: flags.FlagValues) -> None:
  """The data set, what it is held against, and how thoroughly."""
  dataset_flags.define(values)
  paths.define('report', None, 'Folder of report.html and analysis.json; made if missing.', values,
               required=True)
  paths.define_list('against', None, 'Sets to hold against --split of --dataset: other splits, '
                    'folders (./test) or .npz files; by default all other splits. One whose name '
                    'has a comma stands in double quotes.', values)
  flags.DEFINE_integer('pairs', 20000, 'Examples of a set that look for their neighbours, '
                       'among all.', lower_bound=4, flag_values=values)
  seeds.define(values, 'Of samples and permutations.')


def main() -> None:
  values = flags.FLAGS
  spec = dataset_flags.spec(values)
  sources = analysis.open_sets(spec, values.against)
  result = analysis.analyze(sources, pairs=values.pairs, seed=values.seed)
  first = next(iter(sources.values()))
  page = analysis_page.page(result, sources, spec.dataset,
                            specs.class_names(spec, first.num_classes))
  folder = pathlib.Path(values.report)
  folder.mkdir(parents=True, exist_ok=True)
  report.write(folder / 'report.html', page)
  given = {**dataset_flags.given(values), **{
      name: values[name].value for name in ('against', 'pairs', 'seed')}}
  with files.write_aside(folder / 'analysis.json') as f:
    f.write(json.dumps({'flags': given, **analysis.to_json(result)}, indent=1,
                       allow_nan=False).encode() + b'\n')
  for finding in result.findings:
    print(f'{finding.level:8}{finding.where}: {finding.text}')
  program.done(folder / 'report.html')


if __name__ == '__main__':
  program.run(main, define_flags)
