r"""Puts the judgements of several synthetic tables side by side, with what others publish.

    python experiments/judge_table.py --synthetic=/tmp/smote.npz --report=/tmp/judged/SMOTE ...
    python experiments/benchmarks/table_engines.py --judged=/tmp/judged --out=/tmp/adult.md

Every folder below --judged that has a judges.json is a row, by its name; the rows of real data and
of independent columns are what each of these files says of them, and must be of the same tables.
--published=adult adds the numbers of TabPC's authors for Adult: their shape, trend and C2ST mean
the same, their C2ST and AUC are XGBoost's, and their AUC is of the best of 36 settings.
"""
from collections.abc import Mapping, Sequence
import json
import pathlib
import sys
from typing import Any

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from common import paths, program
from jaxsynth import files

COLUMNS = {'learned by boosting, AUC': 'AUC', 'shape': 'shape', 'trend': 'trend',
           'trend of tied pairs': 'tied', 'told apart by boosting': 'C2ST, boosting',
           'told apart by logistic': 'C2ST, logistic', 'broken rules': 'broken rules',
           'nearer to train': 'nearer to train', 'copies of train': 'copies'}
# rerun by the authors of TabPC (april-tools/tabpc, 2026-06): mean of five runs
PUBLISHED = {'adult': {
    'independent marginals': (.516, .996, .925, None, .016, 1.),
    'CTGAN': (.862, .809, .758, None, .000, .588), 'TVAE': (.871, .762, .666, None, .000, .229),
    'shallow mixture': (.902, .992, .981, None, .773, .988),
    'TabSyn': (.910, .992, .980, None, .794, .987),
    'TabDiff': (.913, .993, .985, None, .841, .990),
    'TabPC': (.916, .994, .986, None, .855, .996)}}


def define_flags(values: flags.FlagValues) -> None:
  """What was judged, and where the table goes."""
  paths.define('judged', None, 'Folder of folders that judge_table.py wrote.', values,
               required=True)
  paths.define('out', None, 'File of the table, in Markdown; by default it is printed alone.',
               values)
  flags.DEFINE_enum('published', None, list(PUBLISHED), 'Whose published numbers to add.',
                    flag_values=values)


def main() -> None:
  values = flags.FLAGS
  folder = pathlib.Path(values.judged)
  judged = {path.parent.name: json.loads(path.read_text(encoding='utf-8'))
            for path in sorted(folder.glob('*/judges.json'))}
  if not judged:
    raise FileNotFoundError(f'--judged={folder}: no folder with a judges.json below it; '
                            'judge_table.py writes them')
  text = table(judged, PUBLISHED.get(values.published, {}))
  print(text)
  if values.out:
    with files.write_aside(pathlib.Path(values.out)) as f:
      f.write(text.encode() + b'\n')
    program.done(pathlib.Path(values.out))


def table(judged: Mapping[str, Mapping[str, Any]],
          published: Mapping[str, Sequence[float | None]]) -> str:
  """The table in Markdown: real rows, independent columns, sets by their AUC, what is published.

  Raises:
    ValueError: sets that were held against other rows.
  """
  first = next(iter(judged.values()))
  for name, result in judged.items():
    for key in ('train', 'test'):
      if (result[key], result['rows'][key]) != (first[key], first['rows'][key]):
        raise ValueError(f'{name}: {key} rows are {result["rows"][key]:,} of {result[key]}, those '
                         f'of {next(iter(judged))} are {first["rows"][key]:,} of {first[key]}')
  rows = [row('real rows', first, 'real'), row('independent columns', first, 'independent')]
  order = sorted(judged, key=lambda name: _value(judged[name], next(iter(COLUMNS)), 'synthetic')
                 or 0.)
  rows += [row(name, judged[name], 'synthetic') for name in order]
  rows += [[f'{name}, published', *map(_number, scores),
            *[''] * (len(COLUMNS) - len(scores))] for name, scores in published.items()]
  line = lambda cells: '| ' + ' | '.join(cells) + ' |'
  return '\n'.join([line(['', *COLUMNS.values()]), line(['---'] * (len(COLUMNS) + 1)),
                    *map(line, rows)])


def row(title: str, result: Mapping[str, Any], whose: str) -> list[str]:
  """A row of the table."""
  return [title, *(_number(_value(result, name, whose)) for name in COLUMNS)]


def _value(result: Mapping[str, Any], name: str, whose: str) -> float | None:
  return result['scores'].get(name, {}).get(whose, {}).get('value')


def _number(x: float | None) -> str:
  return '' if x is None else f'{x:.3f}' if x >= .01 or x == 0 else f'{x:.4f}'


if __name__ == '__main__':
  program.run(main, define_flags, compiles=False)
