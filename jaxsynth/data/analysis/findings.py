"""What an analysis says in words, with its evidence."""
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

SHOWN = 50  # positions named in a finding
Level = Literal['bad', 'warning', 'note']


class Finding(NamedTuple):
  """One thing found.

  Attributes:
    kind: of fault, one word or two, as `'leakage'`.
    level: `'bad'` spoils training or its evaluation, `'warning'` may, `'note'` tells.
    where: the set.
    text: a sentence.
    number: examples concerned.
    examples: positions of the first 50.
  """
  kind: str
  level: Level
  where: str
  text: str
  number: int
  examples: tuple[int, ...] = ()


class Advice(NamedTuple):
  """A recommended step before training: what, why, and how here."""
  what: str
  why: str
  how: str


def finding(kind: str, level: Level, where: str, text: str,
            positions: Sequence[int] | np.ndarray) -> Finding:
  """A finding about these examples."""
  first = tuple(int(i) for i in positions[:SHOWN])
  return Finding(kind, level, where, text, len(positions), first)


def plural(n: int, noun: str) -> str:
  """A count with its noun.

  >>> plural(1, 'image'), plural(2000, 'copy')
  ('1 image', '2,000 copies')
  """
  many = noun[:-1] + 'ies' if noun.endswith('y') else noun + ('es' if noun[-1] == 's' else 's')
  return f'{n:,} {noun if n == 1 else many}'


def plain(x: Any) -> Any:
  """As JSON holds it; arrays as lists, NaN as `null`.

  >>> plain({'a': np.array([1., np.nan]), 'f': Advice('b', 'c', 'd')})
  {'a': [1.0, None], 'f': {'what': 'b', 'why': 'c', 'how': 'd'}}
  """
  if isinstance(x, tuple) and hasattr(x, '_asdict'):
    return plain(x._asdict())
  if isinstance(x, dict):
    return {str(key): plain(value) for key, value in x.items()}
  if isinstance(x, (list, tuple)):
    return [plain(value) for value in x]
  if isinstance(x, np.ndarray):
    return plain(x.tolist())
  if isinstance(x, (float, np.floating)):
    return float(f'{x:.6g}') if np.isfinite(x) else None
  return x.item() if isinstance(x, np.generic) else x
