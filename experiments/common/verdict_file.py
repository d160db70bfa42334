"""What a program that judges synthetic data says in short, for the page of a pipeline.

It lies beside the program's own files as verdict.json.
"""
from collections.abc import Sequence
import json
import pathlib
from typing import NamedTuple

from jaxsynth import files
from jaxsynth.report import Table
from jaxsynth.report.page import Mark

NAME = 'verdict.json'


class Answer(NamedTuple):
  """An answer to what a stranger asks.

  Attributes:
    question: that yes is the best answer to.
    mark: good for yes, neutral for partly, bad for no.
    by: the numbers that it stands on.
  """
  question: str
  mark: Mark
  by: str


class Verdict(NamedTuple):
  """What a judge says.

  Attributes:
    sentence: what came of it.
    answers: for who has a minute.
    tables: the numbers.
  """
  sentence: str
  answers: Sequence[Answer]
  tables: Sequence[Table]


def write(folder: pathlib.Path, verdict: Verdict) -> None:
  """Writes it into the program's `--report`."""
  content = {'sentence': verdict.sentence, 'answers': [x._asdict() for x in verdict.answers],
             'tables': [x._asdict() for x in verdict.tables]}
  with files.write_aside(folder / NAME) as f:
    f.write(json.dumps(content, indent=1).encode() + b'\n')


def read(path: pathlib.Path) -> Verdict:
  """The content of such a file."""
  content = json.loads(path.read_text(encoding='utf-8'))
  return Verdict(content['sentence'], [Answer(**x) for x in content['answers']],
                 [Table(**x) for x in content['tables']])
