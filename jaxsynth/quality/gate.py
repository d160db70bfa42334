"""The gate: what a data set must score, and whether it does."""
from collections.abc import Mapping, Sequence
import math
import operator
import re
from typing import Any, NamedTuple

from jaxsynth.metrics import distances

LOWER = (*distances.LOWER, 'copies')  # is better
HIGHER = tuple(name for name in distances.NAMES if name not in LOWER)
REJECTED = 3  # the exit code of programs whose data set is written, but not good enough
HOLDS = {'<=': operator.le, '>=': operator.ge, '<': operator.lt, '>': operator.gt}


class Requirement(NamedTuple):
  """A bound on a score, as `frechet<=20`.

  Attributes:
    score: its name, of `LOWER` or `HIGHER`.
    sense: `'<='` or `'<'` of what is better the lower, else `'>='` or `'>'`.
    bound: finite.
  """
  score: str
  sense: str
  bound: float

  def __str__(self) -> str:
    return f'{self.score}{self.sense}{self.bound:g}'


def parse_requirements(text: str) -> list[Requirement]:
  """Requirements from a text as `--require` takes it.

  Raises:
    ValueError: something else, an unknown score, or a bound on its good side.

  >>> [str(r) for r in parse_requirements('frechet <= 2e1, recall>.5')]
  ['frechet<=20', 'recall>0.5']
  """
  requirements = []
  for entry in text.split(','):
    parts = re.fullmatch(r'\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*', entry)
    try:
      bound = float(parts[3]) if parts else math.nan
    except ValueError:
      bound = math.nan
    if not parts or not math.isfinite(bound):
      raise ValueError(f'--require={text}: {entry.strip()!r}, expected a score, <= or >=, and a '
                       'number, as frechet<=20,recall>=.5')
    name, sense = parts[1], parts[2]
    if name not in LOWER + HIGHER:
      raise ValueError(f'--require={text}: unknown score {name!r}, expected some of '
                       f'{", ".join(LOWER + HIGHER)}')
    if (name in LOWER) != (sense[0] == '<'):
      raise ValueError(f'--require={text}: {name} is better the '
                       f'{"lower" if name in LOWER else "higher"}, expected '
                       f'{"<=" if name in LOWER else ">="}')
    requirements.append(Requirement(name, sense, bound))
  return requirements


def verdict(scores: Mapping[str, float | None], requirements: Sequence[Requirement]
            ) -> dict[str, Any]:
  """Accepted or rejected, and by which requirement; a score that is not there fails.

  Args:
    scores: by name; `None` where one could not be measured.
    requirements: all of which must hold.

  Returns:
    `quality` (`'accepted'` or `'rejected'`), `required` and `failed`, as texts.

  >>> verdict({'recall': .4}, parse_requirements('recall>=.5'))['failed']
  ['recall>=0.5: 0.4']
  """
  failed = []
  for need in requirements:
    value = scores[need.score]
    if value is None or not HOLDS[need.sense](value, need.bound):
      failed.append(f'{need}: {"not measurable" if value is None else format(value, ".4g")}')
  return {'quality': 'rejected' if failed else 'accepted',
          'required': [str(need) for need in requirements], 'failed': failed}
