r"""Analyses a data set before anything is trained on it.

    python experiments/analyze.py --dataset=mnist5k --report=/tmp/mnist5k

Into --report go report.html, one page that needs nothing else, and analysis.json with
every number: balance, ranges, moments, correlations, intrinsic dimension, copies and
leakage between splits, outliers, suspicious labels, drift, recommended preprocessing.
"""
import clock  # first: it says when

import json
import pathlib
import time

from absl import app, flags

import analysis_page
import data_options
from jaxsynth import files, report
from jaxsynth.data import analysis
import sets
import startup

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(data_options)
flags.DEFINE_string('report', None, 'Folder of report.html and analysis.json; made if '
                    'missing.', required=True)
flags.DEFINE_list('against', None, 'Sets to hold against --split of --dataset: other splits, '
                  'folders (./test) or .npz files; by default all other splits.')
flags.DEFINE_integer('pairs', 20000, 'Examples of a set that look for their neighbours, '
                     'among all.', lower_bound=4)
flags.DEFINE_integer('seed', 0, 'Of samples and permutations.', lower_bound=0)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'unexpected arguments: {" ".join(argv[1:])}')
  config = data_options.config()
  startup.quiet()
  startup.keep_compiled()
  try:
    sources = sets.sources(config, FLAGS.against)
    found = analysis.analyze(sources, pairs=FLAGS.pairs, seed=FLAGS.seed)
    first = next(iter(sources.values()))
    page = analysis_page.page(found, sources, config['dataset'],
                              sets.class_names(config, first.num_classes))
    folder = pathlib.Path(FLAGS.report)
    folder.mkdir(parents=True, exist_ok=True)
    report.write(folder / 'report.html', page)
    about = {'flags': {**config, 'against': FLAGS.against, 'pairs': FLAGS.pairs,
                       'seed': FLAGS.seed}}
    with files.write_aside(folder / 'analysis.json') as f:
      f.write(json.dumps({**about, **analysis.to_json(found)}, indent=1,
                         allow_nan=False).encode() + b'\n')
  except (ValueError, OSError, ImportError) as error:
    raise app.UsageError(str(error)) from error
  for finding in found.findings:
    print(f'{finding.level:8}{finding.where}: {finding.text}')
  print(f'done: {folder / "report.html"} ({time.perf_counter() - clock.START:.0f} s)')


if __name__ == '__main__':
  app.run(main)
