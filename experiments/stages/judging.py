"""What synthetic data are worth: classifiers where there are labels, and judges of any kind.

A judge is a program of experiments/ that takes the flags of `common.comparison_flags` and leaves a
verdict, see `common.verdict_file`, a page and its numbers. Which ones judge, `--judges` says: what
kind of data they are of is theirs to know.
"""
from collections.abc import Mapping, Sequence
import pathlib

from common import verdict_file
from stages.stage import Args, named, Stage

NAME = 'downstream'
PREFIX = 'judge_'  # of the programs
MARK = f'/{verdict_file.NAME}'


def names(programs: pathlib.Path) -> list[str]:
  """The programs that judge, of those in a folder."""
  return sorted(path.stem for path in programs.glob(f'{PREFIX}*.py'))


def downstream(out: str, sets: Args, classifiers: Mapping[str, str], judges: Sequence[str],
               judge_flags: Args, reads: str, why_not: str) -> Stage:
  """The stage.

  Args:
    out: the pipeline's folder.
    sets: flags that name the real and the synthetic set.
    classifiers: flag -> value of `downstream.py`.
    judges: some of `names`.
    judge_flags: of each of them.
    reads: the stage that drew the set.
    why_not: why there can be no classifiers; empty where there can.
  """
  commands: list[Args] = []
  outputs: list[str] = []
  if not why_not:
    commands.append(('downstream.py', *sets, f'--report={out}/{NAME}', *named(classifiers)))
    outputs += [f'{NAME}/downstream.json', f'{NAME}/report.html']
  for judge in judges:
    commands.append((f'{judge}.py', *sets, f'--report={out}/{NAME}/{judge}', *judge_flags))
    outputs += [f'{NAME}/{judge}/*.json', f'{NAME}/{judge}/report.html']
  return Stage(NAME, tuple(commands), tuple(outputs), ('collect', reads),
               why_not='' if commands else f'{why_not}; see --judges')


def verdicts(out: pathlib.Path, outputs: Sequence[str]) -> dict[str, verdict_file.Verdict]:
  """Judge -> what it says, of the files that the stage has left."""
  return {path.removesuffix(MARK).rpartition('/')[2]: verdict_file.read(out / path)
          for path in outputs if path.endswith(MARK) and (out / path).is_file()}
